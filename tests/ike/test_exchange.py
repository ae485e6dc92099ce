"""Message IDs, retransmission, liveness: what lies below every exchange."""

import pytest

from tests import world
from tests.world import World, connection
from uike import event


class Loss:
    """Drops the datagrams whose number, counted from 1 per sender, is listed."""

    def __init__(self, wire, board=(), gateway=()):
        self.drops = {id(wire.board): board, id(wire.gateway): gateway}
        self.count = {id(wire.board): 0, id(wire.gateway): 0}

    def __call__(self, sender, datagram, port):
        self.count[id(sender)] += 1
        return [] if self.count[id(sender)] in self.drops[id(sender)] else [datagram]


@pytest.mark.parametrize(
    ("board", "gateway"), [((1,), ()), ((), (1,)), ((2,), ()), ((), (2,)), ((1, 3), (1, 3)), ((1, 2, 4), (2,))]
)
def test_lost_messages_are_sent_again(board, gateway):
    wire = World()
    wire.filter = Loss(wire, board, gateway)
    wire.connect()
    wire.run(25_000)
    assert wire.board.sa.state == wire.gateway.sa.state == event.STATE_ESTABLISHED
    assert len(wire.gateway.endpoint.sas) == 1
    assert wire.board.said("RETRANSMIT")
    assert not wire.internal_errors()


def test_every_message_twice_changes_nothing():
    wire = World()
    wire.filter = lambda sender, datagram, port: [datagram, datagram]
    wire.connect()
    assert len(wire.gateway.endpoint.sas) == len(wire.gateway.said("CHILD_UP")) == 1
    assert "RETRANSMITTED_REQUEST" in wire.gateway.dropped()
    assert "UNEXPECTED_RESPONSE" in wire.board.dropped()
    responses = [datagram for sender, datagram, _ in wire.wire if sender == world.GATEWAY]
    assert responses[0] == responses[1] and responses[2] == responses[3]  # the cached ones, bit for bit


def test_no_answer_backs_off_and_gives_up():
    wire = World(connection(True, retransmit_tries=5))
    wire.filter = lambda sender, datagram, port: []
    times = []
    send = wire.board.endpoint.outgoing

    def outgoing():
        out = send()
        times.extend([wire.now] * len(out))
        return out

    wire.board.endpoint.outgoing = outgoing
    wire.connect()
    wire.run(300_000)
    assert wire.board.closed() == ["NO_ANSWER"]
    waits = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert len(waits) == 4
    for i, wait in enumerate(waits):
        assert 2_000 << i <= wait <= (2_000 << i) * 9 // 8
    assert len(set(datagram for _, datagram, _ in wire.wire)) == 1


def test_liveness_after_silence_and_verdict_when_the_peer_is_gone():
    wire = World().connect()
    wire.run(29_999)
    assert not wire.board.said("LIVENESS")
    # --> INFORMATIONAL { }     <-- { }
    wire.run(35_000)
    assert wire.board.said("LIVENESS") == [(30).to_bytes(4, "big")]
    assert wire.board.sa.state == event.STATE_ESTABLISHED
    wire.filter = lambda sender, datagram, port: []
    wire.run(200_000)
    assert wire.board.closed() == ["PEER_DEAD"] and wire.gateway.closed() == ["PEER_DEAD"]
    assert not wire.board.endpoint.sad.inbound and all(lease[2] is None for lease in wire.gateway.endpoint.leases)


def test_half_open_sa_is_forgotten():
    wire = World()
    wire.filter = lambda sender, datagram, port: [datagram] if port == 500 else []
    wire.connect()
    assert wire.gateway.sa.state == event.STATE_AUTH
    wire.run(31_000)
    assert wire.gateway.closed() == ["HALF_OPEN_TIMEOUT"]
    assert not wire.gateway.endpoint.sas


def test_half_open_sas_have_a_limit():
    wire = World(responder=connection(False, cookie_threshold=20))
    for i in range(20):
        side = world.Side(world.BOARD, [connection(True)], i)
        side.endpoint.connect(side.endpoint.connections[0], world.BOARD, world.GATEWAY, 0)
        ((datagram, _, _),) = side.endpoint.outgoing()
        wire.gateway.endpoint.receive(bytes(datagram), (world.GATEWAY, 500), (f"198.51.100.{i}", 500), 0)
    assert len(wire.gateway.endpoint.sas) == 6
    assert wire.gateway.dropped().count("TOO_MANY_HALF_OPEN") == 14
    wire.gateway.endpoint.outgoing()
    wire.run(31_000)
    assert not wire.gateway.endpoint.sas


def test_close_waits_for_the_running_exchange():
    # --> INFORMATIONAL { } lost; the Delete must not take its message ID
    wire = World().connect()
    wire.filter = lambda sender, datagram, port: []
    wire.run(30_500)
    assert wire.board.sa.task
    wire.board.endpoint.close(None, wire.now)
    wire.filter = lambda sender, datagram, port: [datagram]
    wire.run(45_000)
    assert wire.board.closed() == ["DELETED_BY_US"]
    assert wire.gateway.closed() == ["DELETED_BY_PEER"]
    assert not wire.board.endpoint.sas


def test_nat_keepalive_only_from_behind_the_nat():
    wire = World()
    # a NAT: the gateway sees another source address than the board has
    inside, outside = "10.0.0.7", world.BOARD
    wire.board.endpoint.connect(wire.board.endpoint.connections[0], inside, world.GATEWAY, 0)
    wire.board.address = outside
    wire.settle()
    assert wire.board.sa.behind_nat and not wire.gateway.sa.behind_nat
    wire.wire.clear()
    wire.run(21_000)
    assert [datagram for _, datagram, port in wire.wire if port == 4500 and len(datagram) == 1] == [b"\xff"]
    assert not wire.gateway.dropped()


def test_an_sa_that_memory_does_not_do_to_end_is_ended_later(monkeypatch):
    wire = World()
    wire.connect()
    endpoint, sa = wire.board.endpoint, wire.board.sa
    end, left = type(endpoint).end, [None] * 2

    def starve(*arguments):
        if left:
            left.pop()
            raise MemoryError
        return end(*arguments)

    def step():
        raise MemoryError

    monkeypatch.setattr(type(endpoint), "end", starve)
    endpoint.guard(sa, step)
    assert sa in endpoint.sas and endpoint.trace and not left
    wire.run(wire.now + 50)
    assert sa in endpoint.sas
    wire.run(wire.now + 200)
    assert sa not in endpoint.sas
