"""A proof that is almost one: another method, a part of the MAC, the MAC of somebody else. Only the whole one counts.

A shared key is the one method that there is, so a signature of any kind, good or bad, is refused before it is read."""

import pytest

from tests.attack.attacker import Insider, chain, opened, split, unproved
from tests.world import World, connection
from uike import iana

ROLES = ("board", "gateway")
METHODS = [method for method in range(256) if method != iana.AUTH_SHARED_KEY]
# What RFC 7427 puts in front of a signature: the length and the AlgorithmIdentifier, here of sha256WithRSAEncryption
DIGITAL = bytes.fromhex("0f300d06092a864886f70d01010b0500")


def proved_by(role, body, seed=1):
    """A World where that side's AUTH body is what `body(mine)` makes of it."""

    def change(exchange, response, first, raw):
        if exchange != iana.IKE_AUTH:
            return None
        return [(first, chain([(kind, body(data) if kind == iana.AUTH else data) for kind, data in split(first, raw)]))]

    wire = World(seed=seed)
    evil = Insider(wire, getattr(wire, role), change)
    wire.connect()
    assert evil.changed
    return wire, evil


def refused(wire, evil, why):
    """The other side believes nothing, says why, and has neither a Child SA nor, soon after, an IKE SA."""
    assert evil.target.closed() == [why] and not evil.target.said("ESTABLISHED") and not evil.target.said("CHILD_UP")
    assert not evil.target.endpoint.sad.inbound and not wire.internal_errors() and unproved(wire)
    wire.run(200_000)
    assert not wire.board.endpoint.sas and not wire.gateway.endpoint.sas
    return True


@pytest.mark.parametrize("role", ROLES)
def test_every_other_method(role):
    for method in METHODS:
        assert refused(*proved_by(role, lambda body, method=method: bytes((method,)) + body[1:]), "AUTH_METHOD_REFUSED")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("method", [iana.AUTH_RSA, iana.AUTH_ECDSA_256, iana.AUTH_DIGITAL_SIGNATURE])
@pytest.mark.parametrize("signature", [b"", DIGITAL, bytes(64), bytes(256), b"\xff" * 256, DIGITAL + bytes(256)])
def test_a_signature_is_no_proof(role, method, signature):
    """Empty ones (what a misread return code accepts), zeros, and a signature of the largest number that fits."""
    made = bytes((method, 0, 0, 0)) + signature
    assert refused(*proved_by(role, lambda body: made), "AUTH_METHOD_REFUSED")


WRONG = {
    "empty": lambda mac: b"",
    "first byte": lambda mac: mac[:1],
    "all but one": lambda mac: mac[:-1],
    "one more": lambda mac: mac + b"\0",
    "twice": lambda mac: mac + mac,
    "zeros": lambda mac: bytes(len(mac)),
    "backwards": lambda mac: mac[::-1],
    "very long": lambda mac: mac + bytes(1_500),
    "an ASN.1 octet string": lambda mac: bytes((4, len(mac))) + mac,
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("how", WRONG)
def test_not_the_whole_mac(role, how):
    assert refused(*proved_by(role, lambda body: body[:4] + WRONG[how](body[4:])), "PSK_DIFFERS")


@pytest.mark.parametrize("role", ROLES)
def test_every_bit_of_the_mac_counts(role):
    for bit in range(0, 256, 7):

        def flip(body, bit=bit):
            body = bytearray(body)
            body[4 + bit // 8] ^= 1 << bit % 8
            return bytes(body)

        assert refused(*proved_by(role, flip), "PSK_DIFFERS")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("size", range(4))
def test_a_payload_without_a_method(role, size):
    assert refused(*proved_by(role, lambda body: body[:size]), "BAD_AUTH_PAYLOAD")


@pytest.mark.parametrize("role", ROLES)
def test_the_reserved_bytes_say_nothing(role):
    wire, evil = proved_by(role, lambda body: body[:1] + b"\xff\xff\xff" + body[4:])
    assert evil.target.said("ESTABLISHED") and evil.target.said("CHILD_UP")


@pytest.mark.parametrize("identity", [False, True], ids=["", "with our identity"])
def test_our_own_proof_comes_back(identity):
    """The responder's answer has the AUTH payload that it was sent."""

    def reflect(exchange, response, first, raw):
        if exchange != iana.IKE_AUTH:
            return None
        asked, payloads = dict(split(*opened(wire.gateway.sa.open, wire.wire[2][1]))), dict(split(first, raw))
        payloads[iana.AUTH] = asked[iana.AUTH]
        payloads[iana.IDr] = asked[iana.IDi] if identity else payloads[iana.IDr]
        return [(first, chain(list(payloads.items())))]

    wire = World(connection(True, remote_id=None))
    evil = Insider(wire, wire.gateway, reflect)
    wire.connect()
    assert evil.changed and refused(wire, evil, "PSK_DIFFERS")


def test_a_proof_of_another_session():
    """The MAC covers both nonces and the first message: what was right once is wrong ever after."""
    kept = []
    proved_by("board", lambda body: kept.append(body) or body)
    wire, evil = proved_by("board", lambda body: kept[0], seed=2)
    assert kept[0] and refused(wire, evil, "PSK_DIFFERS")


@pytest.mark.parametrize("kind", [iana.CERT, iana.CERTREQ])
@pytest.mark.parametrize("role", ROLES)
def test_certificates_are_passed_over(kind, role):
    """Whatever they hold: nothing of them is read, and no address in them (Hash and URL) is fetched."""
    for body in (
        b"",
        b"\4",
        b"\4\x30\x82\xff\xff",
        b"\x0c" + bytes(20) + b"http://198.51.100.66/",
        b"\4" + bytes(1_200),
    ):

        def change(exchange, response, first, raw, body=body):
            return [(kind, chain([(kind, body), *split(first, raw)]))] if exchange == iana.IKE_AUTH else None

        wire = World()
        evil = Insider(wire, getattr(wire, role), change)
        wire.connect()
        assert evil.changed and evil.target.said("CHILD_UP") and not wire.internal_errors()
