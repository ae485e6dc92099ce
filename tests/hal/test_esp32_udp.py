"""The board's UDP on a socket that behaves as MicroPython's on lwIP do."""

import errno

import pytest

from uike.hal.esp32 import udp as module
from uike.hal.esp32.udp import Udp

PEER = ("192.0.2.1", 500)


class Socket:
    """After an empty datagram it has nothing but empty reads (micropython-lib issue 736)."""

    def __init__(self, family, kind):
        self.queue, self.sent, self.failures = [], [], []
        self.wedged = self.closed = False
        Network.made.append(self)

    def setsockopt(self, *_):
        pass

    def bind(self, where):
        self.port = where[1]

    def setblocking(self, flag):
        assert flag is False

    def recvfrom(self, size):
        if self.wedged:
            return b"", PEER
        if not self.queue:
            raise OSError(errno.EAGAIN)
        data = self.queue.pop(0)[:size]
        self.wedged = not data
        return data, PEER

    def sendto(self, data, where):
        if self.failures:
            raise OSError(self.failures.pop(0))
        self.sent.append((bytes(data), where))

    def close(self):
        self.closed = True


class Network:
    made: list = []

    def address(self):
        return "192.0.2.2"


@pytest.fixture
def udp(monkeypatch):
    Network.made = []
    pauses = []
    monkeypatch.setattr(module.socket, "socket", Socket)
    monkeypatch.setattr(module.time, "sleep_ms", pauses.append, raising=False)
    made = Udp(Network())
    made.open((500, 4500))
    made.pauses = pauses
    return made


def drain(udp):
    found = []
    while got := udp.receive():
        found.append(got)
    return found


def test_both_ports_are_read_to_the_end(udp):
    first, second = Network.made
    first.queue += [b"a", b"b"]
    second.queue += [b"c"]
    assert drain(udp) == [(b"a", PEER, 500), (b"b", PEER, 500), (b"c", PEER, 4500)]


def test_an_empty_datagram_does_not_wedge_the_socket(udp):
    first, second = Network.made
    first.queue += [b"a", b""]
    second.queue += [b"c"]
    assert udp.receive() == (b"a", PEER, 500)
    assert udp.receive() is None and udp.mended == 1  # this turn is over
    assert first.closed and len(udp.sockets()) == 2
    again = Network.made[2]
    again.queue += [b"d"]
    assert sorted(drain(udp)) == [(b"c", PEER, 4500), (b"d", PEER, 500)]


def test_a_socket_that_cannot_be_had_is_asked_for_again(udp, monkeypatch):
    """lwIP has ten of them, and memory that the radio may want more."""
    first, second = Network.made
    first.queue += [b""]
    second.queue += [b"c"]

    def none(*_):
        raise OSError(errno.ENFILE)

    monkeypatch.setattr(module.socket, "socket", none)
    assert udp.receive() == (b"c", PEER, 4500) and first.closed and udp.sockets() == [second]
    assert udp.receive() is None and udp.send(b"x", PEER, 500) is False and udp.ports() == [500, 4500]
    monkeypatch.setattr(module.socket, "socket", Socket)
    monkeypatch.setattr(Socket, "bind", none)
    assert udp.receive() is None and Network.made[2].closed
    monkeypatch.undo()
    monkeypatch.setattr(module.socket, "socket", Socket)
    assert udp.receive() is None and len(udp.sockets()) == 2
    assert udp.send(b"x", PEER, 500) is True and Network.made[3].sent == [(b"x", PEER)]


def test_a_full_driver_is_asked_again(udp):
    first, _ = Network.made
    first.failures = [errno.ENOMEM, errno.EAGAIN]
    assert udp.send(b"x", PEER, 500) is True and len(udp.pauses) == 2 and first.sent == [(b"x", PEER)]
    first.failures = [errno.ENOMEM] * 9
    assert udp.send(b"x", PEER, 500) is False
    first.failures = [errno.EHOSTUNREACH]
    assert udp.send(b"x", PEER, 500) is False and len(udp.pauses) == 6


def test_names(udp, monkeypatch):
    def getaddrinfo(name, port):
        if name != "gw.example":
            raise OSError(-2)
        return [(2, 2, 0, "", ("192.0.2.9", port))]

    monkeypatch.setattr(module.socket, "getaddrinfo", getaddrinfo)
    assert udp.resolve("192.0.2.1") == "192.0.2.1" and udp.resolve("gw.example") == "192.0.2.9"
    assert udp.resolve("nobody.example") is None and udp.address_for("192.0.2.1") == "192.0.2.2"
