"""Fields of payloads that RFC 7296 section 3 makes ignored, optional or empty; seen in whole exchanges."""

import struct

import pytest

from tests.attack.attacker import Insider, chain, errors, opened, sealed, split, throw, up, works
from tests.ike.test_rekey import agree, rekey_child, tunnel
from tests.world import ESP_CBC, World, connection
from uike import event, iana
from uike.wire import proposals
from uike.wire.message import notify
from uike.wire.selectors import host


def said(wire, side, exchange, response=True):
    """The payloads of that side's message of an exchange, from the wire."""
    other = wire.gateway if side is wire.board else wire.board
    for sender, datagram, port in wire.wire:
        if sender == side.address and port == 4500 and datagram[22] == exchange:
            if bool(datagram[23] & iana.FLAG_RESPONSE) == response:
                return split(*opened(other.sa.open, datagram))
    raise LookupError(exchange)


def changing(wire, role, wanted, payload):
    """That side's payloads of one message become what `payload(kind, body)` makes of each."""

    def change(exchange, response, first, raw):
        if exchange != wanted:
            return None
        rows = [payload(kind, body) for kind, body in split(first, raw)]
        return [(rows[0][0], chain(rows))]

    return Insider(wire, getattr(wire, role), change)


# -- 3.1, 3.2, 3.14: the chain ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*range(iana.SA, iana.EAP + 1), iana.SKF])
def test_no_payload_of_the_rfc_is_an_unknown_one(kind):
    """With its critical bit it is not refused as unknown: it is read, or not for this message, but known."""
    wire = up()
    evil = Insider(wire, wire.board)
    raw = bytes((0, 0x80, 0, 12)) + bytes(8)
    answers = evil.say(iana.INFORMATIONAL, kind, raw)
    told = errors(split(*opened(evil.sa.open, answers[0])))
    assert len(answers) == 1 and iana.UNSUPPORTED_CRITICAL_PAYLOAD not in told and not wire.internal_errors()


@pytest.mark.parametrize("kind", [iana.SK, iana.SKF])
def test_an_encrypted_payload_inside_another_is_not_opened(kind):
    wire = up()
    evil = Insider(wire, wire.board)
    inside = evil.sa.seal
    secret = chain([(iana.D, bytes((iana.PROTO_IKE, 0, 0, 0)))])
    for body in (secret, bytes(inside.iv_size) + secret + bytes(32)):
        assert evil.ask(iana.INFORMATIONAL, [(kind, body)]) == []
        evil.sa.send_id += 1
    assert wire.gateway.sa.state == event.STATE_ESTABLISHED and works(wire)


@pytest.mark.parametrize("kind", [iana.V, iana.N, iana.D, iana.SK])
def test_nothing_follows_the_encrypted_payload(kind):
    wire = up()
    before = wire.gateway.sa.receive_id
    data = bytearray(sealed(wire.board.sa, iana.INFORMATIONAL, False, before, 0, b""))
    data += chain([(kind, bytes(4))])
    data[28:32] = (len(data) - 4).to_bytes(4, "big")
    throw(wire, wire.gateway, data)
    assert wire.gateway.dropped() == ["PAYLOAD_LENGTH"] and wire.gateway.sa.receive_id == before
    assert not wire.gateway.endpoint.outgoing()


# -- 3.3.6: the group NONE -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1], ids=["NONE first", "NONE last"])
def test_the_group_none_beside_another(order):
    # --> CREATE_CHILD_SA { SA (31 or NONE), Ni, KEi (31), TSi, TSr }     <-- { SA, Nr, TSi, TSr }
    wire = tunnel()
    evil = Insider(wire, wire.board)
    own = evil.sa.children[0]
    groups = ((4, 31, 0), (4, 0, 0))[::order]
    payloads = [
        (iana.SA, proposals.build([(*ESP_CBC[:2], *groups, *ESP_CBC[2:])], iana.PROTO_ESP, b"\1evi")),
        (iana.NONCE, bytes(32)),
        (iana.KE, b"\0\x1f\0\0\x09" + bytes(31)),
        (iana.TSi, b"\1\0\0\0" + own.local_ts[0]),
        (iana.TSr, b"\1\0\0\0" + own.remote_ts[0]),
    ]
    answer = dict(evil.ask(iana.CREATE_CHILD_SA, payloads))
    assert iana.KE not in answer and iana.N not in answer
    ((_, _, _, chosen),) = proposals.parse(answer[iana.SA])
    assert tuple(chosen) == ESP_CBC and len(wire.gateway.sa.children) == 2
    # and a KE payload of nonsense is as good as any
    evil.sa.send_id += 1
    payloads[2] = (iana.KE, b"\xff")
    assert not errors(evil.ask(iana.CREATE_CHILD_SA, payloads)) and not wire.internal_errors()


@pytest.mark.parametrize("answered", [(4, 0, 0), None], ids=["NONE", "no group"])
def test_an_answer_of_none_to_an_offer_without_a_group(answered):
    def change(kind, body):
        if kind != iana.SA:
            return kind, body
        ((number, protocol, spi, rows),) = proposals.parse(body)
        return kind, proposals.build([(*rows, *([answered] if answered else []))], protocol, spi, number)

    wire = World()
    evil = changing(wire, "gateway", iana.IKE_AUTH, change)
    wire.connect()
    assert evil.changed == 1 and agree(wire) == (1, 1) and works(wire)


# -- 3.15, 2.19: configuration ---------------------------------------------------------------------------------------


def attributes(body):
    """[(type with its reserved bit, value)] of a CP payload."""
    at, found = 4, []
    while at < len(body):
        kind, size = struct.unpack_from(">HH", body, at)
        found.append((kind, bytes(body[at + 4 : at + 4 + size])))
        at += 4 + size
    return found


def configuration(kind, rows):
    return bytes((kind, 0, 0, 0)) + b"".join(struct.pack(">HH", each, len(value)) + value for each, value in rows)


@pytest.mark.parametrize("role", ["board", "gateway"])
def test_reserved_bits_of_a_configuration_are_ignored(role):
    """The three bytes after the type, and the bit before each attribute's: ours are zero."""

    def change(kind, body):
        if kind != iana.CP:
            return kind, body
        seen.append(body)
        rows = [(each | 0x8000, value) for each, value in attributes(body)]
        return kind, body[:1] + b"\xff\xff\xff" + configuration(0, rows)[4:]

    seen = []
    wire = World()
    evil = changing(wire, role, iana.IKE_AUTH, change)
    wire.connect()
    assert evil.changed == 1 and wire.board.sa.address == bytes((10, 9, 0, 1)) and works(wire)
    assert seen[0][1:4] == bytes(3) and not [each for each, _ in attributes(seen[0]) if each & 0x8000]


UNKNOWN = [(0x3FFF, b""), (0x7000, bytes(200)), (4, bytes(4)), (5, bytes(4)), (6, bytes(4)), (0, b"?")]


@pytest.mark.parametrize("role", ["board", "gateway"])
def test_unknown_attributes_are_ignored(role):
    def change(kind, body):
        if kind != iana.CP:
            return kind, body
        return kind, configuration(body[0], UNKNOWN + attributes(body) + UNKNOWN)

    wire = World()
    evil = changing(wire, role, iana.IKE_AUTH, change)
    wire.connect()
    assert evil.changed == 1 and wire.board.sa.address == bytes((10, 9, 0, 1)) and works(wire)
    if role == "board":
        given = dict(attributes(dict(said(wire, wire.gateway, iana.IKE_AUTH))[iana.CP]))
        assert not set(given) & {each for each, _ in UNKNOWN}


def test_several_servers_for_names():
    servers = tuple(bytes((10, 1, 0, each)) for each in (53, 54, 55))
    wire = World(responder=connection(False, dns=servers)).connect()
    (told,) = wire.board.said("ADDRESS")
    assert [value for kind, value in attributes(bytes(4) + told) if kind == iana.INTERNAL_IP4_DNS] == list(servers)
    assert works(wire)


@pytest.mark.parametrize("payload", [None, (iana.CFG_SET, []), (iana.CFG_REPLY, []), (iana.CFG_REQUEST, [])])
def test_nobody_is_given_an_address_that_he_did_not_ask_for(payload):
    """The gateway has a pool. A client without a request, or with one for nothing, gets no CFG_REPLY."""
    plain = {"virtual_ip": False, "local_ts": (host(bytes((10, 9, 0, 77))),)}
    wire = World(connection(True, **plain), connection(False, remote_ts=(host(bytes((10, 9, 0, 77))),)))
    if payload:

        def change(exchange, response, first, raw):
            rows = [*split(first, raw), (iana.CP, configuration(*payload))]
            return [(first, chain(rows))] if exchange == iana.IKE_AUTH else None

        Insider(wire, wire.board, change)
    wire.connect()
    answer = dict(said(wire, wire.gateway, iana.IKE_AUTH))
    assert iana.AUTH in answer and iana.TSi in answer
    wanted = configuration(iana.CFG_ACK, []) if payload and payload[0] == iana.CFG_SET else None
    assert answer.get(iana.CP) == wanted
    assert not wire.gateway.endpoint.leases and not wire.gateway.sa.address and agree(wire) == (1, 1)


# -- 2.21.2: a wrong proof in the response ---------------------------------------------------------------------------


def test_a_responder_that_proves_nothing_is_told_so():
    # --> IKE_AUTH { .. }     <-- { IDr, AUTH (wrong), .. }     --> INFORMATIONAL { N(AUTHENTICATION_FAILED), D }
    wire = World()
    evil = changing(
        wire, "gateway", iana.IKE_AUTH, lambda kind, body: (kind, body[:4] + bytes(32) if kind == iana.AUTH else body)
    )
    wire.connect()
    told = said(wire, wire.board, iana.INFORMATIONAL, False)
    assert told == [notify(iana.AUTHENTICATION_FAILED), (iana.D, bytes((iana.PROTO_IKE, 0, 0, 0)))]
    assert (
        evil.changed and wire.board.closed() == ["PSK_DIFFERS"] and wire.gateway.closed() == ["PEER_SAID_AUTH_FAILED"]
    )
    wire.run(60_000)
    assert not wire.board.endpoint.sas and not wire.gateway.endpoint.sas


@pytest.mark.parametrize("exchange", [iana.IKE_AUTH, iana.CREATE_CHILD_SA])
def test_a_malformed_answer_is_the_answer(exchange):
    """Its request is over: what ends the SA has the next message ID, and no better answer counts any more."""
    held = []

    def change(kind, response, first, raw):
        if kind != exchange or not response or held:
            return None
        held.append((first, raw))
        return [(first, raw[:-1]), (first, raw)]

    wire = World()
    evil = Insider(wire, wire.gateway, change)
    wire.connect()
    if exchange == iana.CREATE_CHILD_SA:
        rekey_child(wire.board)
        wire.settle()
    told = said(wire, wire.board, iana.INFORMATIONAL, False)
    why = [notify(iana.INVALID_SYNTAX)] if exchange == iana.IKE_AUTH else []
    assert told == [*why, (iana.D, bytes((iana.PROTO_IKE, 0, 0, 0)))]
    assert evil.changed == 1 and wire.board.closed() == ["PAYLOAD_LENGTH"]
    assert wire.board.dropped() == ["UNEXPECTED_RESPONSE"] and not wire.board.said("RETRANSMIT")
    wire.run(60_000)
    assert not wire.board.endpoint.sas and not wire.gateway.endpoint.sas


# -- 1.4.1: SPIs of what is half closed ------------------------------------------------------------------------------


def test_the_spi_of_a_retired_child_sa_is_not_used_again():
    wire = tunnel()
    old = wire.board.sa.children[0]
    rekey_child(wire.board)
    wire.settle()
    assert old.state == event.STATE_CHILD_RETIRED
    draws = [b"\xc0" + bytes(3), b"\0\0\0\x07", old.spi_in, b"\xff" + old.spi_in[1:], b"\0\1\2\3"]
    wire.board.endpoint.random = lambda n: draws.pop(0)
    taken = wire.board.endpoint.new_spi()
    assert taken not in (old.spi_in, bytes(4), b"\0\0\0\x07")
    assert taken == (b"\x3f" + old.spi_in[1:] if old.spi_in[0] != 0x3F else b"\0\1\2\3")
    wire.now += 6_000
    wire.board.endpoint.tick(wire.now)
    draws[:] = [old.spi_in]
    assert wire.board.endpoint.new_spi() == old.spi_in  # it is free now
