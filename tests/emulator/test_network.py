"""Ports: real sockets on the loopback, and the switch with its faults."""

import errno
import socket
import time

import pytest

from host_tools.emulator.clock import VirtualClock
from host_tools.emulator.network import DATAGRAM_MAX, QUEUE_MAX, SocketPort, Switch


@pytest.fixture
def pair():
    """Two ports on the loopback with two sockets each, on whatever numbers are free."""
    ports = []
    for _ in range(2):
        port = SocketPort("127.0.0.1")
        for nominal in (500, 4500):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.bind(("127.0.0.1", 0))
            port._sockets[nominal], port.mapping[nominal] = sock, sock.getsockname()[1]
        ports.append(port)
    yield ports
    for port in ports:
        port.close()


def receive(port):
    """The next datagram of a real port, which may take the kernel a moment."""
    for _ in range(200):
        got = port.receive()
        if got:
            return got
        time.sleep(0.005)
    return None


def test_datagrams_carry_nominal_ports(pair):
    a, b = pair
    assert a.elsewhere
    assert a.send(b"hello", ("127.0.0.1", b.mapping[4500]), 500)
    assert receive(b) == (bytearray(b"hello"), ("127.0.0.1", a.mapping[500]), 4500)
    assert b.receive() is None


def test_empty_and_overlong_datagrams_are_dropped_and_counted(pair):
    a, b = pair
    to = ("127.0.0.1", b.mapping[500])
    for data in (b"", bytes(DATAGRAM_MAX + 1), bytes(60_000), bytes(DATAGRAM_MAX)):
        a.send(data, to, 500)
    assert len(receive(b)[0]) == DATAGRAM_MAX
    assert (b.counters.empty, b.counters.too_long, b.counters.received) == (1, 2, 1)


def test_sockets_take_turns(pair):
    a, b = pair
    for _ in range(3):
        a.send(b"x", ("127.0.0.1", b.mapping[500]), 500)
        a.send(b"y", ("127.0.0.1", b.mapping[4500]), 500)
    assert [bytes(receive(b)[0]) for _ in range(6)] == [b"x", b"y"] * 3


def test_nobody_at_the_other_end_is_no_error(pair):
    a, b = pair
    to = ("127.0.0.1", b.mapping[500])
    b.close()
    for _ in range(3):
        assert a.send(b"x", to, 500) and a.receive() is None


def test_without_privilege_another_port_is_taken(monkeypatch):
    class Refusing(socket.socket):
        def bind(self, address):
            if address[1] in (500, 4500):
                raise PermissionError(errno.EACCES, "no")
            super().bind(address)

    monkeypatch.setattr(socket, "socket", Refusing)
    port = SocketPort("127.0.0.1")
    port.open((500, 4500))
    assert port.elsewhere and set(port.mapping) == {500, 4500} and min(port.mapping.values()) > 1023
    before = port.descriptors()
    port.open((500, 4500))  # the board opens what the command opened already
    assert port.descriptors() == before
    port.close()


def test_a_port_that_another_program_has():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        port = SocketPort("127.0.0.1")
        port.open((taken,))
        assert port.elsewhere and port.mapping[taken] != taken
        port.close()
    port = SocketPort("203.0.113.1")  # which is not ours: another trouble
    with pytest.raises(OSError):
        port.open((taken,))
    assert port.descriptors() == []


def test_our_address_and_names():
    port = SocketPort()
    assert port.address_for("127.0.0.1") == "127.0.0.1"
    assert SocketPort("127.0.0.9").address_for("192.0.2.1") == "127.0.0.9"
    assert port.resolve("127.0.0.1") == "127.0.0.1" and port.resolve("localhost") == "127.0.0.1"
    assert port.resolve("no such name") is None and port.resolve("x" * 300) is None


# The switch


def switch(**options):
    clock = VirtualClock()
    net = Switch(clock, **options)
    a, b = net.attach("192.0.2.1"), net.attach("192.0.2.2")
    a.open((500, 4500))
    b.open((500, 4500))
    return clock, net, a, b


def drain(port):
    return list(iter(port.receive, None))


def test_latency_and_order():
    clock, net, a, b = switch(latency_ms=30)
    a.send(b"1", ("192.0.2.2", 500), 4500)
    a.send(b"2", ("192.0.2.2", 500), 4500)
    clock.run(limit_ms=29)
    assert not b.pending()
    clock.run(limit_ms=2)
    assert drain(b) == [(bytearray(b"1"), ("192.0.2.1", 4500), 500), (bytearray(b"2"), ("192.0.2.1", 4500), 500)]


def test_closed_ports_empty_overlong_and_too_many_datagrams():
    clock, net, a, b = switch()
    a.send(b"x", ("192.0.2.2", 501), 500)
    a.send(b"x", ("192.0.2.77", 500), 500)
    a.send(b"", ("192.0.2.2", 500), 500)
    a.send(bytes(DATAGRAM_MAX + 1), ("192.0.2.2", 500), 500)
    for _ in range(QUEUE_MAX + 5):
        a.send(b"x", ("192.0.2.2", 500), 500)
    clock.run(limit_ms=1)
    counters = b.counters
    assert (counters.unreachable, counters.empty, counters.too_long, counters.overflow) == (1, 1, 1, 5)
    assert len(drain(b)) == QUEUE_MAX


def test_faults_come_from_the_seed():
    def run(seed):
        clock, net, a, b = switch(seed=seed, loss=0.3, duplicate=0.3, jitter_ms=50)
        for number in range(40):
            a.send(bytes([number]), ("192.0.2.2", 500), 500)
        clock.run(limit_ms=1000)
        return [bytes(got[0])[0] for got in drain(b)]

    first = run(1)
    assert first == run(1) != run(2)
    assert len(set(first)) < 40 and len(first) > len(set(first)) and first != sorted(first)


def test_names_and_a_record_of_what_was_sent():
    clock, net, a, b = switch()
    net.names["gw.example"] = "192.0.2.2"
    net.recording = True
    assert (a.resolve("gw.example"), a.resolve("192.0.2.9"), a.resolve("nobody")) == ("192.0.2.2", "192.0.2.9", None)
    net.inject(b"z", ("198.51.100.1", 9), ("192.0.2.1", 500))
    clock.run(limit_ms=1)
    assert drain(a) == [(bytearray(b"z"), ("198.51.100.1", 9), 500)]
    assert net.log == [(0, ("198.51.100.1", 9), ("192.0.2.1", 500), b"z")]
