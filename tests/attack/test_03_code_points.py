"""Private and unknown numbers from the wire: payload types, groups, transforms, notifies, protocols."""

import pytest

from tests.attack.attacker import Insider, answer_to, chain, errors, first_request, up, works
from tests.world import CBC, World
from uike import iana
from uike.wire.message import notify

SAMPLE = sorted({*range(64), *range(250, 262), 1023, 1024, 1025, 1030, 16383, 16384, 32767, 32768, 65535})
KNOWN = {*range(iana.SA, iana.EAP + 1), iana.SKF}


def test_every_payload_type_in_the_clear():
    for kind in range(1, 256):
        for critical in (0, 0x80):
            wire = World()
            request = bytearray(first_request(CBC))
            request[16], body = kind, bytes((iana.SA, critical, 0, 12)) + bytes(8)
            request[28:28] = body
            request[24:28] = len(request).to_bytes(4, "big")
            answer = answer_to(wire, request)
            assert not wire.internal_errors(), kind
            if kind not in KNOWN:
                assert errors(answer) == ([iana.UNSUPPORTED_CRITICAL_PAYLOAD] if critical else []), kind


def test_every_payload_type_under_protection():
    wire = up()
    for kind in range(1, 256):
        for critical in (0, 0x80):
            evil = Insider(wire, wire.board)
            raw = bytes((0, critical, 0, 12)) + bytes(8)
            evil.say(iana.INFORMATIONAL, kind, raw)
            assert not wire.internal_errors(), kind
            if not wire.gateway.endpoint.sas or wire.gateway.sa.state != wire.board.sa.state:
                wire = up()  # nonsense that was signed ends its SA
            else:
                evil.sa.send_id = evil.target.sa.receive_id
    assert wire.board.sa


@pytest.mark.parametrize("type_", range(0, 17))
def test_transforms(type_):
    wire = World()
    for ident in SAMPLE:
        row = (*[each for each in CBC if each[0] != type_], (type_, ident, 128 if type_ == 1 else 0))
        if row[-1] in CBC:
            continue
        answer = answer_to(wire, first_request(row))
        assert errors(answer) == [iana.NO_PROPOSAL_CHOSEN], (type_, ident)
    assert not wire.gateway.endpoint.sas and not wire.internal_errors()


def test_groups():
    wire = World()
    for group in SAMPLE:
        if group != 31:
            answer = answer_to(wire, first_request(CBC, group))
            assert errors(answer) == [iana.INVALID_KE_PAYLOAD], group
    assert not wire.gateway.endpoint.sas and not wire.internal_errors()


@pytest.mark.parametrize("role", ["board", "gateway"])
def test_notifies_under_protection(role):
    wire = up()
    evil = Insider(wire, getattr(wire, role))
    ends = iana.AUTHENTICATION_FAILED
    for kind in sorted({*SAMPLE, *range(16384, 16450)} - {ends}):
        for data in (b"", b"\0", bytes(8)):
            assert evil.ask(iana.INFORMATIONAL, [notify(kind, data)]) is not None, kind
            evil.sa.send_id += 1
    assert works(wire)
    evil.ask(iana.INFORMATIONAL, [notify(ends)])
    assert evil.target.closed() == ["PEER_SAID_AUTH_FAILED"]


@pytest.mark.parametrize("size", [0, 4, 8])
def test_protocols_of_a_rekeying_and_of_a_delete(size):
    wire = up()
    evil = Insider(wire, wire.board)
    for protocol in range(256):
        spi = b"\x77" * size
        offer = [notify(iana.REKEY_SA, b"", protocol, spi), (iana.SA, b""), (iana.NONCE, bytes(32))]
        answer = evil.ask(iana.CREATE_CHILD_SA, [*offer, (iana.TSi, bytes(4)), (iana.TSr, bytes(4))])
        assert answer is not None and errors(answer), protocol
        if not wire.gateway.endpoint.sas or wire.gateway.sa.state != wire.board.sa.state:
            wire = up()
            evil = Insider(wire, wire.board)
            continue
        evil.sa.send_id += 1
        if protocol == iana.PROTO_IKE:
            continue
        body = bytes((protocol, size, 0, 1)) + spi
        evil.say(iana.INFORMATIONAL, iana.D, chain([(iana.D, body)]))
        assert not wire.internal_errors(), protocol
        if not wire.gateway.endpoint.sas or wire.gateway.sa.state != wire.board.sa.state:
            wire = up()
            evil = Insider(wire, wire.board)
        else:
            evil.sa.send_id = evil.target.sa.receive_id
    assert not wire.internal_errors()
