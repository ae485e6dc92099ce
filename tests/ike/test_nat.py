"""NAT traversal (RFC 7296 section 2.23): who is behind a NAT, and whose address may change by itself."""

import pytest

from tests import world
from tests.ike.test_rekey import rekey_child, rekey_ike, works
from uike import iana
from uike.ike import exchange, natd
from uike.net import icmp

INSIDE, OUTSIDE, ELSEWHERE = "10.0.0.7", "198.51.100.7", "203.0.113.9"
PLAIN = {"dpd_delay_ms": 0, "nat_keepalive_ms": 0}


@pytest.fixture
def honest(monkeypatch):
    """Both sides send the hash of the address that they have, as other implementations do."""

    def notifies(sa, path=None):
        made = real(sa, path)
        own = natd._hash(sa, sa.spi_i + sa.spi_r, (path or sa).local)
        return [(iana.N, made[0][1][:4] + own), made[1]]

    real = natd.notifies
    monkeypatch.setattr(natd, "notifies", notifies)


def tunnel(inside=world.BOARD, mobike=False, seen_at=world.GATEWAY, **changes):
    """A board at `inside`, which the world sees at 192.0.2.2; a gateway that the board knows as `seen_at`."""
    fields = {**PLAIN, "mobike": mobike, **changes}
    wire = world.World(world.connection(True, **fields), world.connection(False, **fields))
    wire.gateway.address = seen_at
    wire.board.endpoint.connect(wire.board.endpoint.connections[0], inside, seen_at, 0)
    wire.settle()
    return wire


def esp(wire, side):
    """An ESP packet of that side, not delivered yet."""
    inner, outer = wire.board.sa.address, bytes((10, 1, 0, 1))
    pair = (inner, outer) if side is wire.board else (outer, inner)
    assert side.endpoint.send_packet(icmp.request(*pair, 7, 1, 56), wire.now) == 0
    ((datagram, _, _),) = side.endpoint.outgoing()
    return bytes(datagram)


def liveness(wire, side):
    """An INFORMATIONAL request of that side, not delivered yet."""

    def task():
        yield (iana.INFORMATIONAL, [])

    exchange.start(side.sa, task(), wire.now)
    ((datagram, _, _),) = side.endpoint.outgoing()
    return bytes(datagram)


def arrives(wire, side, datagram, source, port=4500):
    side.endpoint.receive(bytearray(datagram), (side.address, 4500), (source, port), wire.now)


@pytest.mark.parametrize("inside", [world.BOARD, INSIDE])
def test_both_hashes_are_checked_and_reported(honest, inside):
    # --> IKE_SA_INIT { .., N(NATD_S), N(NATD_D) }     <-- { .., N(NATD_S), N(NATD_D) }
    wire = tunnel(inside)
    behind = inside == INSIDE
    # we are behind one, the peer is behind one, the peer speaks NAT-T
    assert wire.board.said("NAT") == [bytes((behind, 0, 1))]
    assert wire.gateway.said("NAT") == [bytes((0, behind, 1))]
    for side in (wire.board, wire.gateway):
        assert side.sa.local[1] == side.sa.remote[1] == 4500  # with a NAT or without
    assert works(wire)


def test_to_each_other_we_seem_to_be_behind_one():
    wire = tunnel()
    assert wire.board.said("NAT") == wire.gateway.said("NAT") == [bytes((0, 1, 1))]
    assert not wire.board.sa.behind_nat and not wire.gateway.sa.behind_nat  # so neither sends keepalives


def test_a_gateway_behind_a_nat_sees_itself_elsewhere(honest):
    wire = world.World(world.connection(True, **PLAIN), world.connection(False, **PLAIN))
    wire.board.endpoint.connect(wire.board.endpoint.connections[0], world.BOARD, world.GATEWAY, 0)
    ((datagram, _, _),) = wire.board.endpoint.outgoing()
    # its NAT forwards port 500 of 192.0.2.1 to 10.5.0.1
    wire.gateway.endpoint.receive(bytearray(datagram), ("10.5.0.1", 500), (world.BOARD, 500), 0)
    assert wire.gateway.said("NAT") == [bytes((1, 0, 1))]


@pytest.mark.parametrize("kind", [esp, liveness])
@pytest.mark.parametrize("rekeyed", [None, "board", "gateway"])
def test_a_new_mapping_of_the_nat_is_followed(kind, rekeyed):
    wire = tunnel(INSIDE)
    if rekeyed:  # who is initiator in the IKE SA does not matter, but in the connection
        rekey_ike(getattr(wire, rekeyed))
        wire.settle()
        wire.run(25_000)
    arrives(wire, wire.gateway, kind(wire, wire.board), OUTSIDE, 61_000)
    assert wire.gateway.sa.remote == (OUTSIDE, 61_000)
    old, new = bytes((192, 0, 2, 2)) + b"\x11\x94", bytes((198, 51, 100, 7)) + (61_000).to_bytes(2, "big")
    here = bytes((192, 0, 2, 1)) + b"\x11\x94"
    assert wire.gateway.said("ADDRESS_CHANGED") == [here + old + here + new]
    wire.gateway.endpoint.outgoing()
    packet = icmp.request(bytes((10, 1, 0, 1)), wire.board.sa.address, 7, 1, 56)
    assert wire.gateway.endpoint.send_packet(packet, wire.now) == 0
    ((_, to, _),) = wire.gateway.endpoint.outgoing()
    assert to == (OUTSIDE, 61_000)


@pytest.mark.parametrize("kind", [esp, liveness])
def test_a_replay_moves_nothing(kind):
    wire = tunnel(INSIDE)
    datagram = kind(wire, wire.board)
    arrives(wire, wire.gateway, datagram, world.BOARD)
    arrives(wire, wire.gateway, datagram, ELSEWHERE)
    assert wire.gateway.sa.remote == (world.BOARD, 4500) and not wire.gateway.said("ADDRESS_CHANGED")


@pytest.mark.parametrize("kind", [esp, liveness])
def test_a_forgery_moves_nothing(kind):
    wire = tunnel(INSIDE)
    datagram = bytearray(kind(wire, wire.board))
    datagram[-1] ^= 1
    arrives(wire, wire.gateway, datagram, ELSEWHERE)
    assert wire.gateway.sa.remote == (world.BOARD, 4500)
    assert wire.gateway.dropped() == [{esp: "ESP_BAD_ICV", liveness: "BAD_ICV"}[kind]]


def test_an_old_packet_that_was_held_back_moves_nothing():
    wire = tunnel(INSIDE)
    old, new = esp(wire, wire.board), esp(wire, wire.board)
    arrives(wire, wire.gateway, new, OUTSIDE)
    arrives(wire, wire.gateway, old, ELSEWHERE)
    assert wire.gateway.sa.remote[0] == OUTSIDE and len(wire.gateway.collect()) == 2  # it is taken all the same


def test_a_late_packet_of_a_child_sa_that_has_gone_moves_nothing():
    wire = tunnel(INSIDE)
    late = esp(wire, wire.board)
    rekey_child(wire.board)
    wire.settle()
    arrives(wire, wire.gateway, late, ELSEWHERE)
    assert wire.gateway.sa.remote[0] == world.BOARD and len(wire.gateway.collect()) == 1


def test_a_response_is_followed_and_its_replay_is_not():
    wire = tunnel(INSIDE)
    request = liveness(wire, wire.gateway)
    arrives(wire, wire.board, request, world.GATEWAY)
    ((answer, _, _),) = wire.board.endpoint.outgoing()
    arrives(wire, wire.gateway, answer, OUTSIDE)
    arrives(wire, wire.gateway, answer, ELSEWHERE)
    assert wire.gateway.sa.remote[0] == OUTSIDE and not wire.gateway.sa.task


@pytest.mark.parametrize("kind", [esp, liveness])
@pytest.mark.parametrize("inside", [world.BOARD, INSIDE])
def test_an_initiator_stays_with_its_gateway(kind, inside):
    wire = tunnel(inside)
    arrives(wire, wire.board, kind(wire, wire.gateway), ELSEWHERE)
    assert wire.board.sa.remote == (world.GATEWAY, 4500) and not wire.board.said("ADDRESS_CHANGED")


@pytest.mark.parametrize("kind", [esp, liveness])
def test_with_mobike_only_its_own_message_moves_a_peer(kind):
    wire = tunnel(INSIDE, mobike=True)
    arrives(wire, wire.gateway, kind(wire, wire.board), ELSEWHERE)
    assert wire.gateway.sa.remote == (world.BOARD, 4500)


@pytest.mark.parametrize(
    ("behind", "peer_behind", "follows"), [(0, 0, True), (0, 1, True), (1, 1, True), (1, 0, False)]
)
@pytest.mark.parametrize("kind", [esp, liveness])
def test_the_rule_of_a_responder(kind, behind, peer_behind, follows):
    wire = tunnel()
    wire.gateway.sa.behind_nat, wire.gateway.sa.peer_behind_nat = bool(behind), bool(peer_behind)
    arrives(wire, wire.gateway, kind(wire, wire.board), OUTSIDE)
    assert (wire.gateway.sa.remote[0] == OUTSIDE) == follows
