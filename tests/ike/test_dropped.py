"""What one side says of packets and messages of the other that it does not take: RFC 7296 sections 1.5, 2.3, 3.10.1."""

import pytest

from tests import world
from tests.handshake import messages
from tests.ike.test_info import ask, both, give, other, sealed
from tests.ike.test_rekey import tunnel, works
from tests.ike.test_requirements import chain
from uike import iana, reason
from uike.ipsec import packet as esp
from uike.net import icmp

OUTSIDE = bytes((10, 77, 0, 1))


def forbidden(wire, side, size=56):
    """(datagram, inner packet) of the other side, which the Child SA of `side` does not allow."""
    peer = other(wire, side)
    child = peer.sa.children[0]
    packet = icmp.request(OUTSIDE, wire.board.sa.address, 7, 1, size)
    return bytes(esp.encapsulate(child, packet, len(packet), peer.endpoint.random)), packet


def stray(seed=1):
    return b"\x3a\xbb\xcc" + bytes((seed,)) + bytes(60)


def said(side):
    """Bodies of the notifies in all INFORMATIONAL requests that a side has sent."""
    requests = [data for out, data in messages(side) if out and not data[19] & iana.FLAG_RESPONSE]
    return [
        body for data in requests if data[18] == iana.INFORMATIONAL for kind, _, body in chain(data) if kind == iana.N
    ]


@both
@pytest.mark.parametrize("esp_proposal", [world.ESP_CBC, world.ESP_GCM], ids=["cbc", "gcm"])
@pytest.mark.parametrize("size", [0, 56])
def test_a_packet_that_the_selectors_forbid(role, esp_proposal, size):
    wire = tunnel(esp_proposals=(esp_proposal,))
    side, peer = getattr(wire, role), other(wire, getattr(wire, role))
    datagram, packet = forbidden(wire, side, size)
    # ESP { packet } -->     <-- INFORMATIONAL { N(INVALID_SELECTORS, its start) }     { } -->
    side.endpoint.receive(bytearray(datagram), (side.address, 4500), (peer.address, 4500), wire.now)
    wire.settle()
    assert side.dropped() == ["ESP_SELECTORS"]
    spi = side.sa.children[0].spi_in
    assert said(side) == [bytes((iana.PROTO_ESP, 4, 0, iana.INVALID_SELECTORS)) + spi + bytes(packet[:64])]
    assert peer.rejected() == ["PEER_SAID_INVALID_SELECTORS"] and works(wire)


@both
def test_an_esp_packet_of_an_unknown_spi(role):
    wire = tunnel()
    side, peer = getattr(wire, role), other(wire, getattr(wire, role))
    # ESP -->     <-- INFORMATIONAL { N(INVALID_SPI) }     { } -->
    side.endpoint.receive(bytearray(stray()), (side.address, 4500), (peer.address, 4500), wire.now)
    wire.settle()
    assert said(side) == [bytes((0, 0, 0, iana.INVALID_SPI)) + stray()[:4]]
    assert peer.rejected() == ["PEER_SAID_INVALID_SPI"] and works(wire)


@both
def test_a_message_id_ahead_of_the_window(role):
    wire = tunnel()
    side, peer = getattr(wire, role), other(wire, getattr(wire, role))
    ahead = side.sa.receive_id + 3
    # --> INFORMATIONAL, ID 4     <-- INFORMATIONAL { N(INVALID_MESSAGE_ID, 4) }, a request     --> { }
    side.endpoint.receive(bytearray(sealed(peer, ahead)), (side.address, 4500), (peer.address, 4500), wire.now)
    wire.settle()
    assert side.dropped() == ["WRONG_MESSAGE_ID"]
    assert said(side) == [bytes((0, 0, 0, iana.INVALID_MESSAGE_ID)) + ahead.to_bytes(4, "big")]
    assert peer.rejected() == ["PEER_SAID_INVALID_MESSAGE_ID"] and works(wire)


@pytest.mark.parametrize("what", ["behind", "forged"])
def test_an_old_or_forged_message_id_is_not_told_of(what):
    wire = tunnel()
    for _ in range(3):
        ask(wire.board, wire, [])
    number = wire.gateway.sa.receive_id + (-2 if what == "behind" else 3)
    datagram = bytearray(sealed(wire.board, number))
    datagram[-1] ^= what == "forged"
    assert give(wire, wire.gateway, datagram) == []
    assert wire.gateway.dropped() == ["WRONG_MESSAGE_ID"]


@both
def test_not_often(role):
    wire = tunnel()
    side, peer = getattr(wire, role), other(wire, getattr(wire, role))
    datagrams = [stray(), forbidden(wire, side)[0], sealed(peer, side.sa.receive_id + 5)]
    for at in (0, 4_999, 5_000, 9_999):
        wire.now = at
        for datagram in datagrams:
            side.endpoint.receive(bytearray(datagram), (side.address, 4500), (peer.address, 4500), at)
            wire.settle()
    assert len(said(side)) == 2


@pytest.mark.parametrize("from_where", [("198.51.100.7", 4500), (world.BOARD, 4501)])
def test_a_stranger_is_told_nothing(from_where):
    wire = tunnel()
    wire.gateway.endpoint.receive(bytearray(stray()), (world.GATEWAY, 4500), from_where, wire.now)
    assert wire.gateway.endpoint.outgoing() == [] and wire.gateway.dropped() == ["ESP_UNKNOWN_SPI"]


def test_without_an_ike_sa_nothing_is_said():
    wire = world.World()
    wire.gateway.endpoint.receive(bytearray(stray()), (world.GATEWAY, 4500), (world.BOARD, 4500), 0)
    assert wire.gateway.endpoint.outgoing() == []


def test_other_drops_are_nobodys_business():
    wire = tunnel()
    datagram = bytearray(forbidden(wire, wire.gateway)[0])
    datagram[-1] ^= 1
    assert give(wire, wire.gateway, datagram) == [] and wire.gateway.dropped() == ["ESP_BAD_ICV"]
    assert wire.gateway.endpoint.drops == {reason.ESP_BAD_ICV: 1}
