"""Relays without a network: limits on connections, rates and silence; what the local network does to them."""

import struct
from types import SimpleNamespace

from tests.net.wire import THEIRS, Wire
from uike import event, reason
from uike.app.relay import LanStream, TcpRelay
from uike.app.relay_udp import UdpRelay

CLIENT = ("192.0.2.7", 5_000)


class Lan:
    """The local network: `waiting` clients, and for each handle what comes and what was sent."""

    def __init__(self):
        self.waiting, self.comes, self.sent, self.closed, self.listening = [], {}, {}, [], None
        self.room = 10_000
        self.refuses = False

    def listen(self, address, port):
        if self.refuses:
            raise OSError(98)
        self.listening = (address, port)
        return "listener"

    def accept(self, handle):
        return self.waiting.pop(0) if self.waiting else None

    def connect(self, address, port):
        return "made"

    bind = connect

    def receive(self, handle, most):
        found = self.comes.get(handle, [])
        if not found:
            return None
        if found[0] is OSError:
            raise OSError(104)
        data = found.pop(0)
        if len(data) > most:
            found.insert(0, data[most:])
        return data[:most]

    def send(self, handle, data):
        count = min(self.room, len(data))
        self.sent[handle] = self.sent.get(handle, b"") + data[:count]
        return count

    def receive_from(self, handle):
        found = self.comes.get(handle, [])
        return found.pop(0) if found else None

    def send_to(self, handle, data, where):
        self.sent.setdefault(handle, []).append((data, where))

    def close(self, handle):
        self.closed.append(handle)


class World:
    """A relay to port 80 behind a wire, where a listener of ours is."""

    def __init__(self, make=TcpRelay, to=THEIRS, side="lan", protocol="tcp", connections=2, rate=0, idle_ms=60_000):
        self.wire = Wire(latency_ms=1)
        self.lan = Lan()
        self.told = []
        relays = SimpleNamespace(
            lan=self.lan,
            tunnel=SimpleNamespace(stack=self.wire.ours),
            trace=lambda code, sa, body: self.told.append((code, bytes(body))),
        )
        self.listener = self.wire.theirs.tcp().listen(80, 8)
        self.relay = make(relays, 3, ((bytes(4), 1883), (to, 80), side, protocol, connections, rate, idle_ms))

    def run(self, ms):
        for _ in range(ms // 10):
            self.wire.now += 10
            self.relay.tokens = min(self.relay.rate, self.relay.tokens + self.relay.rate // 100)
            self.relay.tick(self.wire.now)
            now = self.wire.now
            self.wire.run(lambda now=now: self.wire.now >= now + 5, 5)
            self.wire.now = now

    def closed(self):
        """(reason, bytes from the client, bytes to it) of each pair that ended."""
        rows = [body for code, body in self.told if code == event.RELAY_CLOSED]
        return [(row[7], *struct.unpack(">II", row[8:])) for row in rows]

    def come(self, handle, *data):
        self.lan.waiting.append((handle, CLIENT))
        self.lan.comes[handle] = list(data)


def test_data_both_ways_and_an_orderly_end():
    world = World()
    world.come(1, b"x" * 1_500)
    world.run(200)
    theirs = world.listener.accept()
    assert theirs.read(2_000) == b"x" * 1_500 and world.lan.listening == ("0.0.0.0", 1883)
    theirs.write(b"y" * 700)
    theirs.finish()
    world.run(200)
    assert world.lan.sent[1] == b"y" * 700 and world.lan.closed == [1]
    assert world.closed() == [(0, 1_500, 700)]
    opened = [body for code, body in world.told if code == event.RELAY_OPENED]
    assert opened == [b"\x03" + bytes((192, 0, 2, 7)) + b"\x13\x88" + THEIRS + b"\0\x50"]


def test_what_the_local_network_does_not_take_now_waits():
    world = World()
    world.come(1)
    world.run(100)
    world.lan.room = 100
    theirs = world.listener.accept()
    theirs.write(b"z" * 2_000)
    theirs.finish()
    world.run(100)
    assert 0 < len(world.lan.sent[1]) < 2_000 and not world.closed()
    world.run(400)
    assert world.lan.sent[1] == b"z" * 2_000 and world.closed() == [(0, 0, 2_000)]


def test_connections_are_limited():
    world = World(connections=2)
    for handle in range(4):
        world.come(handle)
    world.run(200)
    assert len(world.relay.pairs) == 2 and world.lan.closed == [2, 3]
    refused = [body for code, body in world.told if code == event.RELAY_REFUSED]
    assert [row[1] for row in refused] == [reason.NET_FULL] * 2


def test_the_rate_is_limited():
    world = World(rate=1_000)
    world.come(1, b"x" * 4_000)
    world.run(1_000)
    theirs = world.listener.accept()
    assert 900 <= theirs.readable() <= 1_100
    world.run(1_000)
    assert 1_900 <= theirs.readable() <= 2_100


def test_silence_ends_a_connection():
    world = World(idle_ms=500)
    world.come(1)
    world.run(400)
    assert not world.closed()
    world.run(200)
    assert world.closed() == [(reason.TCP_TIMEOUT, 0, 0)] and world.lan.closed == [1]


def test_a_broken_end():
    world = World()
    world.come(1, b"some", OSError)
    world.run(200)
    assert world.closed() == [(reason.RELAY_BROKEN, 4, 0)] and world.lan.closed == [1]
    world.come(2)
    world.run(100)
    world.listener.accept().abort(0)  # the first is gone
    world.run(100)
    assert world.closed()[1:] == [(reason.TCP_RESET, 0, 0)] and world.lan.closed == [1, 2]


def test_no_way_to_the_target():
    world = World(to=bytes((10, 77, 0, 1)))
    world.come(1)
    world.run(20)
    assert [body[1] for code, body in world.told if code == event.RELAY_REFUSED] == [reason.NET_UNREACHABLE]
    assert world.lan.closed == [1]


def test_listening_is_tried_again():
    world = World()
    world.lan.refuses = True
    world.run(50)
    world.lan.refuses = False
    world.come(1)
    world.run(50)
    assert len(world.relay.pairs) == 1


def test_a_stream_of_the_local_network_that_broke_does_nothing_more():
    lan = Lan()
    lan.comes[1] = [OSError]
    stream = LanStream(lan, 1)
    assert stream.read(100) == b"" and stream.why == reason.RELAY_BROKEN
    assert stream.writable() == 0 and stream.read(100) == b""


def test_udp_peers_are_few_and_are_forgotten():
    world = World(UdpRelay, protocol="udp", connections=2, idle_ms=1_000)
    there = world.wire.theirs.udp().open(80)
    for number in range(4):
        world.lan.comes["made"] = [(b"%d" % number, ("192.0.2.7", 5_000 + number))]
        world.run(20)
    assert [there.read()[0] for _ in range(4)] == [b"0", b"1", b"2", b"3"]
    assert sorted(peer[1] for peer in world.relay.pairs) == [5_002, 5_003]
    world.run(1_200)
    assert not world.relay.pairs and not world.wire.ours.udp().sockets
