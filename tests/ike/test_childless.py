"""An IKE SA without a Child SA (RFC 6023): the first packet makes one. The message sequence is in the comments."""

import pytest

from tests import world
from tests.handshake import messages
from tests.ike.test_rekey import PFS, agree, tunnel, works
from tests.ike.test_requirements import chain
from uike import iana, reason
from uike.ike import child, init
from uike.net import icmp
from uike.wire import message
from uike.wire.selectors import host

CHILD = {iana.SA, iana.TSi, iana.TSr}
GATEWAY_INSIDE = bytes((10, 1, 0, 1))


def sent(side):
    """(exchange, types of the payloads) of each message that a side has sent."""
    return [(data[18], [kind for kind, _, _ in chain(data)]) for out, data in messages(side) if out]


def ping(wire):
    return wire.board.endpoint.send_packet(icmp.request(wire.board.sa.address, GATEWAY_INSIDE, 7, 1, 56), wire.now)


@pytest.mark.parametrize("esp", [world.ESP_CBC, PFS], ids=["plain", "pfs"])
def test_the_first_packet_makes_the_child_sa(esp):
    # --> IKE_SA_INIT { SA, KE, Ni, N, N }     <-- { SA, KE, Nr, N(CHILDLESS_IKEV2_SUPPORTED), N, N }
    # --> IKE_AUTH { IDi, N, IDr, AUTH, CP }     <-- { IDr, AUTH, CP }
    wire = tunnel({"childless": True}, esp_proposals=(esp,))
    assert agree(wire) == (1, 0) and wire.board.sa.address == bytes((10, 9, 0, 1))
    for side in (wire.board, wire.gateway):
        assert len(side.said("ESTABLISHED")) == 1 and not side.said("CHILD_UP")
        assert not CHILD & set(sent(side)[1][1])
    # --> CREATE_CHILD_SA { SA, Ni, [KEi,] TSi, TSr }     <-- { SA, Nr, [KEr,] TSi, TSr }
    assert ping(wire)
    wire.settle()
    assert agree(wire) == (1, 1) and works(wire)
    exchange, kinds = sent(wire.board)[2]
    assert exchange == iana.CREATE_CHILD_SA and (iana.KE in kinds) == (esp is PFS)


def test_a_responder_that_does_not_say_so_gets_a_whole_ike_auth(monkeypatch):
    respond = init.respond
    word = message.notify(iana.CHILDLESS_IKEV2_SUPPORTED)
    monkeypatch.setattr(init, "respond", lambda sa, request: [row for row in respond(sa, request) if row != word])
    wire = tunnel({"childless": True})
    assert set(sent(wire.board)[1][1]) >= CHILD and agree(wire) == (1, 1)


def test_without_the_key_nothing_is_left_out():
    wire = tunnel()
    assert set(sent(wire.board)[1][1]) >= CHILD and agree(wire) == (1, 1)


def test_a_gateway_that_has_a_packet_first_asks_itself():
    inside = host(bytes((10, 9, 0, 1)))
    board = {"childless": True, "virtual_ip": False, "local_ts": (inside,)}
    wire = tunnel(board, {"pool": None, "dns": (), "remote_ts": (inside,)})
    packet = icmp.request(GATEWAY_INSIDE, inside[8:12], 7, 1, 56)
    # <-- CREATE_CHILD_SA { SA, Ni, TSi, TSr }     --> { SA, Nr, TSi, TSr }
    assert wire.gateway.endpoint.send_packet(packet, wire.now) == reason.ESP_NO_SA
    wire.settle()
    assert agree(wire) == (1, 1) and sent(wire.gateway)[2][0] == iana.CREATE_CHILD_SA
    assert wire.gateway.endpoint.send_packet(packet, wire.now) == 0
    wire.settle()
    assert wire.board.collect() == [bytes(packet)]


def test_the_child_sa_goes_and_comes_again():
    wire = tunnel({"childless": True})
    for count in (1, 2):
        wire.now += 11_000
        assert ping(wire)
        wire.settle()
        assert agree(wire) == (1, 1) and len(wire.board.said("CHILD_UP")) == count
        wire.board.endpoint.close_children(wire.now)
        wire.settle()
        assert agree(wire) == (1, 0)


@pytest.mark.parametrize("left", [{iana.SA}, {iana.TSi}, {iana.TSr}, {iana.SA, iana.TSi}, {iana.TSi, iana.TSr}])
def test_a_part_of_a_child_sa_is_refused(left, monkeypatch):
    # --> IKE_AUTH { IDi, AUTH, CP, SA }     <-- { N(INVALID_SYNTAX) }
    whole = child.Offer.payloads
    monkeypatch.setattr(child.Offer, "payloads", lambda offer: [row for row in whole(offer) if row[0] in left])
    wire = tunnel()
    assert wire.gateway.closed() == ["PAYLOAD_MISSING"] and wire.board.closed() == ["PEER_ERROR"]
    assert wire.board.said("CLOSED")[0][1:3] == bytes((0, iana.INVALID_SYNTAX)) and not wire.internal_errors()
