"""Nobody comes in by a side door: exchanges out of turn, EAP where there is none, flags of the other role."""

import pytest

from tests.attack.attacker import (
    Insider,
    answer_to,
    chain,
    first_request,
    half_up,
    sealed,
    split,
    throw,
    unproved,
    up,
    works,
)
from tests.world import CBC, World
from uike import event, iana
from uike.wire import proposals
from uike.wire.message import build, notify

CHILD = [
    (iana.SA, proposals.build([((1, 12, 128), (3, 12, 0), (5, 0, 0))], iana.PROTO_ESP, b"evil")),
    (iana.NONCE, bytes(32)),
    (iana.TSi, b"\1\0\0\0\x07\0\0\x10\0\0\xff\xff\0\0\0\0\xff\xff\xff\xff"),
    (iana.TSr, b"\1\0\0\0\x07\0\0\x10\0\0\xff\xff\0\0\0\0\xff\xff\xff\xff"),
]
EARLY = [
    (iana.CREATE_CHILD_SA, CHILD),
    (iana.CREATE_CHILD_SA, [notify(iana.REKEY_SA, b"", 3, b"spi4"), *CHILD]),
    (iana.CREATE_CHILD_SA, [(iana.SA, proposals.build([CBC], iana.PROTO_IKE, b"12345678")), (iana.NONCE, bytes(32)),
                            (iana.KE, bytes((0, 31, 0, 0, 9)) + bytes(31))]),
    (iana.INFORMATIONAL, []),
    (iana.INFORMATIONAL, [(iana.D, bytes((1, 0, 0, 0)))]),
    (iana.INFORMATIONAL, [notify(iana.INITIAL_CONTACT)]),
]  # fmt: skip


@pytest.mark.parametrize(("exchange", "payloads"), EARLY, ids=str)
def test_before_authentication(exchange, payloads):
    wire = half_up()
    evil = Insider(wire, wire.board)
    answer = evil.ask(exchange, payloads)
    assert answer is None or [kind for kind, _ in answer] == [iana.N]
    assert unproved(wire) and not wire.gateway.said("ESTABLISHED") and not wire.internal_errors()


def test_ike_auth_twice():
    wire = World()
    asked = []

    def keep(exchange, response, first, raw):
        if exchange == iana.IKE_AUTH:
            asked.append((first, raw))

    evil = Insider(wire, wire.board, keep)
    wire.connect()
    sa, children = wire.gateway.sa, list(wire.gateway.sa.children)
    evil.say(iana.IKE_AUTH, *asked[0])
    assert len(wire.gateway.said("ESTABLISHED")) == 1 and not wire.internal_errors()
    assert wire.gateway.endpoint.sas == [sa] and all(child in children for child in sa.children)


def test_a_second_ike_sa_init_does_not_touch_the_first():
    wire = up()
    sa = wire.gateway.sa
    for spi_r in (bytes(8), sa.spi_r):
        data = bytearray(first_request(CBC, spi=sa.spi_i))
        data[8:16] = spi_r
        throw(wire, wire.gateway, data, port=500)
        wire.gateway.endpoint.outgoing()
    assert wire.gateway.sa is sa and sa.state == event.STATE_ESTABLISHED
    assert works(wire)


@pytest.mark.parametrize("code", [1, 2, 3, 4])
@pytest.mark.parametrize("beside", [False, True], ids=["instead of AUTH", "beside a wrong AUTH"])
def test_eap_is_refused(code, beside):
    """Without eap_password a message with it is never a proof."""
    eap = (iana.EAP, bytes((code, 1, 0, 4)))

    def change(exchange, response, first, raw):
        if exchange != iana.IKE_AUTH:
            return None
        payloads = [row for row in split(first, raw) if row[0] != iana.AUTH] + [eap]
        if beside:
            payloads.append((iana.AUTH, bytes((2, 0, 0, 0)) + bytes(32)))
        return [(payloads[0][0], chain(payloads))]

    for role in ("board", "gateway"):
        wire = World()
        evil = Insider(wire, getattr(wire, role), change)
        wire.connect()
        assert evil.changed and not evil.target.said("ESTABLISHED") and not evil.target.endpoint.sad.inbound
        assert evil.target.closed()[0] in ("PAYLOAD_MISSING", "PSK_DIFFERS") and not wire.internal_errors()


def test_our_own_messages_come_back():
    wire = up()
    for sender, datagram, port in list(wire.wire):
        side = wire.board if sender == wire.board.address else wire.gateway
        throw(wire, side, datagram, port=port)
        side.endpoint.outgoing()
    assert not [side for side in (wire.board, wire.gateway) if len(side.endpoint.sas) != 1 and side is wire.board]
    assert works(wire)


def test_a_response_to_what_was_not_asked():
    wire = up()
    for exchange in range(34, 38):
        for number in range(4):
            throw(wire, wire.board, sealed(wire.gateway.sa, exchange, True, number, 0, b""))
    assert set(wire.board.dropped()) == {"UNEXPECTED_RESPONSE"} and works(wire)


def test_nothing_is_answered_for_an_unknown_sa():
    wire = World()
    for exchange in range(34, 38):
        data = build(b"whatever", b"nobodys!", exchange, iana.FLAG_INITIATOR, 1, [])
        throw(wire, wire.gateway, bytes(4) + bytes(data))
    assert not wire.gateway.endpoint.outgoing() and answer_to(wire, first_request(CBC))
