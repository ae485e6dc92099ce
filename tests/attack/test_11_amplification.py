"""Nobody is hit by our answers: one small request never makes us send much, or often, to an address that it names."""

import pytest

from tests import world
from tests.attack.attacker import MARKER, first_request, sealed, split, throw, up
from tests.ike.test_front_door import read, with_cookie
from tests.world import BOARD, GATEWAY, World, connection
from uike import iana
from uike.wire import proposals
from uike.wire.message import HEADER, build, notify

VICTIM = ("203.0.113.80", 500)
NONCE = 16  # bytes by which ours may be longer than the one that we are given
CHILDLESS = 8  # bytes of the notify of RFC 6023
SUITES = {"cbc": (world.CBC, 31, 32), "gcm": (world.GCM, 19, 64), "chacha": (world.CHACHA, 14, 256)}
PUBLIC = {31: b"\x09" + bytes(31), 19: bytes.fromhex(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"), 14: bytes(255) + b"\x02"}  # fmt: skip


def answers(wire, request, port=500):
    throw(wire, wire.gateway, request, (VICTIM[0], port), port)
    out = wire.gateway.endpoint.outgoing()
    assert all(to == (VICTIM[0], port) for _, to, _ in out)
    return [bytes(datagram) for datagram, _, _ in out]


def smallest(suite, hashes=20, nonce=16, extra=()):
    """The shortest request that could be answered with keys."""
    row, group, _ = suite
    body = [
        (iana.SA, proposals.build([row], iana.PROTO_IKE)),
        (iana.KE, group.to_bytes(2, "big") + bytes(2) + PUBLIC[group]),
    ]
    body += [(iana.NONCE, bytes(range(nonce)))]
    for kind in (iana.NAT_DETECTION_SOURCE_IP, iana.NAT_DETECTION_DESTINATION_IP):
        body.append(notify(kind, bytes(hashes)))
    return bytes(build(b"attacker", bytes(8), iana.IKE_SA_INIT, iana.FLAG_INITIATOR, 0, body + list(extra)))


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("nonce", [16, 31, 32, 256])
@pytest.mark.parametrize("extra", [(), (notify(iana.IKEV2_FRAGMENTATION_SUPPORTED),)], ids=["", "fragments"])
def test_an_answer_with_keys_is_as_long_as_its_request(name, nonce, extra):
    wire = World(responder=connection(False, proposals=(SUITES[name][0],)))
    request = smallest(SUITES[name], nonce=nonce, extra=extra)
    for _ in range(5):  # and is the same for a repetition
        (answer,) = answers(wire, request)
        assert read(answer).body(iana.KE) and len(answer) == len(request) + 32 - nonce + CHILDLESS
        assert len(answer) <= len(request) + NONCE + CHILDLESS


@pytest.mark.parametrize("hashes", [0, 1, 19, 21, 200])
def test_notifies_of_nat_detection_have_their_size(hashes):
    """A hash is twenty bytes. Without them a request would be the shorter by forty; such a peer has no NAT traversal."""
    wire = World()
    (answer,) = answers(wire, smallest(SUITES["cbc"], hashes))
    assert read(answer).error() == (iana.NO_PROPOSAL_CHOSEN, b"") and not wire.gateway.endpoint.sas
    assert wire.gateway.closed() == ["NAT_T_UNSUPPORTED"]


def test_no_refusal_is_longer_than_its_cause():
    wire = World()
    seen = set()
    bodies = [
        [],
        [(iana.V, bytes(size)) for size in range(3)],
        [notify(iana.COOKIE, b"c" * 20)],
        [(iana.SA, b""), (iana.KE, b""), (iana.NONCE, b"")],
        [(iana.SA, b""), (iana.KE, b""), (iana.NONCE, bytes(16))],
        [(200, b"")],
    ]
    critical = [
        bytes((first, flags, 0, 4 + size)) + bytes(size) for first in (0,) for flags in (0x80,) for size in range(20)
    ]
    requests = [build(b"attacker", bytes(8), iana.IKE_SA_INIT, iana.FLAG_INITIATOR, 0, body) for body in bodies]
    for body in critical:
        request = build(b"attacker", bytes(8), iana.IKE_SA_INIT, iana.FLAG_INITIATOR, 0, []) + body
        request[16], request[24:28] = 200, len(request).to_bytes(4, "big")
        requests.append(request)
    whole = first_request(world.GCM)
    requests += [whole[:24] + size.to_bytes(4, "big") + whole[28:size] for size in range(HEADER, len(whole))]
    for request in requests:
        for answer in answers(wire, request):
            assert len(answer) <= len(request), request.hex()
            seen.add(read(answer).error()[0])
    assert seen == {iana.UNSUPPORTED_CRITICAL_PAYLOAD, iana.INVALID_SYNTAX} and not wire.gateway.endpoint.sas


@pytest.mark.parametrize("number", range(8))
def test_a_flood_in_the_name_of_a_victim(number):
    """Two answers with keys, and then cookies: all of them together are not longer than what caused them."""
    wire = World(responder=connection(False, cookie_threshold=(0, 3, 99)[number % 3]))
    sent = got = 0
    kinds = []
    for each in range(200):
        request = first_request(world.CBC, spi=(number << 8 | each + 1).to_bytes(8, "big"))
        made = answers(wire, request)
        sent, got = sent + len(request), got + sum(map(len, made))
        kinds.append([[kind for kind, _, _ in read(answer).payloads] for answer in made])
    keys = [row for row in kinds if row[0] != [iana.N]]
    assert len(keys) == (0 if number % 3 == 0 else 2) and all(len(row) == 1 for row in kinds)
    assert got <= sent * 0.3


def test_without_a_request_nothing_is_sent():
    """A half-open SA keeps silent to its end: only an initiator sends anything twice."""
    wire = World()
    answers(wire, smallest(SUITES["cbc"]))
    while wire.gateway.endpoint.next_deadline() is not None:
        wire.now = wire.gateway.endpoint.next_deadline()
        wire.gateway.endpoint.tick(wire.now)
        assert not wire.gateway.endpoint.outgoing()
    assert wire.now == 30_000 and wire.gateway.closed() == ["HALF_OPEN_TIMEOUT"]


@pytest.mark.parametrize("exchange", [iana.IKE_SA_INIT, iana.IKE_AUTH, iana.CREATE_CHILD_SA, iana.INFORMATIONAL, 200])
@pytest.mark.parametrize("version", [0x10, 0x20, 0x30, 0xF0])
def test_a_message_for_nobody(exchange, version):
    """An error in the clear: not longer than its cause, four a second, and none to an answer."""
    wire = World()
    for flags in (0, iana.FLAG_INITIATOR, iana.FLAG_RESPONSE, iana.FLAG_RESPONSE | iana.FLAG_INITIATOR):
        count = 0
        for size in range(0, 60):
            wire.now += 10
            request = build(b"attacker", b"whatever", exchange, flags, 9, [(iana.V, bytes(size))] if size else [])
            request[17] = version
            made = answers(wire, MARKER + request, 4500)
            count += len(made)
            assert all(len(answer) <= len(request) + 4 for answer in made)
        assert count <= 3 and (not count or not flags & iana.FLAG_RESPONSE)


def test_esp_and_keepalives_are_never_answered():
    wire = up()
    for data in (b"\xff", b"\0", b"", b"\x12\x34\x56\x78" * 30, wire.gateway.sa.children[0].spi_in + bytes(60)):
        assert answers(wire, data, 4500) == []


def test_a_captured_request_is_answered_at_no_profit():
    """Whoever saw it can send it again, in the name of a victim: it gets the answer that it had, about as long."""
    wire = up()
    asked = [row for row in wire.wire if row[0] == BOARD and row[2] == 4500][-1][1]
    for _ in range(50):
        (answer,) = answers(wire, asked, 4500)
        assert len(answer) <= len(asked)
    assert wire.gateway.sa.remote == (BOARD, 4500)
    # and an older one gets nothing
    throw(wire, wire.gateway, sealed(wire.board.sa, iana.INFORMATIONAL, False, wire.board.sa.send_id, 0, b""))
    wire.gateway.endpoint.outgoing()
    assert answers(wire, asked, 4500) == []


def test_a_cookie_returned_from_its_address_is_the_end_of_it():
    wire = World(responder=connection(False, cookie_threshold=0))
    request = first_request(world.CBC)
    (answer,) = answers(wire, request)
    cookie = read(answer).notify(iana.COOKIE)
    again = bytes(with_cookie(request, cookie))
    throw(wire, wire.gateway, again, (BOARD, 500), 500)
    ((answer, to, _),) = wire.gateway.endpoint.outgoing()
    assert to == (BOARD, 500) and [kind for kind, _ in split(answer[16], bytes(answer[HEADER:]))] == [iana.N]
    assert not wire.gateway.endpoint.sas and wire.gateway.address == GATEWAY
