"""Certificates between two engines: who is believed, and what each failure is called."""

import pytest
from cryptography.hazmat.primitives import serialization

from tests.pki.authority import DAY, T0, Authority, key
from tests.world import World, connection
from uike import iana
from uike.pki import name

NOW = T0 + DAY
KINDS = ["p256", "p384", "ed25519", "rsa2048"]
CA = Authority()
OTHER = Authority("C=DE, O=Example, CN=Other", number=5)
DN = (iana.ID_DER_ASN1_DN, name.parse("C=DE, O=Example, CN=gw"))


def private(kind, number):
    return key(kind, number).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def shown(kind="p256", number=100, host="gw.example", ca=CA, chain=(), **options):
    """cert and key of one side."""
    return {
        "cert": (ca.issue(kind=kind, number=number, names=(host,), **options), *chain),
        "key": private(kind, number),
    }


def world(ours=None, theirs=None, now=NOW, **both):
    sides = {"psk": b"", "cacerts": (CA.der,), **both}
    board = {**sides, **shown(number=101, host="dev.example"), **(ours or {})}
    gateway = {**sides, **shown(), **(theirs or {})}
    made = World(connection(True, **board), connection(False, **gateway))
    for side in (made.board, made.gateway):
        side.endpoint.clock = lambda: now
    return made


def up(wire):
    wire.connect()
    return [len(side.endpoint.sad.outbound) for side in (wire.board, wire.gateway)] == [1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key(kind):
    wire = world(shown(kind, 101, "dev.example"), shown(kind))
    assert up(wire) and not wire.internal_errors()


def test_two_kinds_and_an_intermediate():
    below = Authority("C=DE, O=Example, CN=Middle", CA, number=2)
    wire = world(shown("ed25519", 101, "dev.example"), shown("rsa2048", ca=below, chain=(below.der,)))
    assert up(wire)


def test_a_certificate_on_one_side_and_a_key_on_the_other():
    wire = world({"cert": (), "key": b"", "psk": b"secret"}, {"cacerts": (), "psk": b"secret"})
    assert up(wire)


def test_the_subject_as_the_identity():
    wire = world({"remote_id": DN}, {"local_id": DN})
    assert up(wire)


def test_nothing_that_was_loaded_stays_after_it():
    wire = world()
    assert up(wire) and not wire.board.endpoint.loaded and not wire.gateway.endpoint.loaded


REFUSED = {
    "expired": ("CERTIFICATE_EXPIRED", {"theirs": shown(days=0)}),
    "not valid yet": ("CERTIFICATE_NOT_YET_VALID", {"theirs": shown(start=T0 + 10 * DAY)}),
    "another name": ("CERTIFICATE_IDENTITY", {"theirs": shown(host="other.example")}),
    "another CA": ("MISSING_ISSUER", {"theirs": shown(ca=OTHER)}),
    "none": ("AUTH_METHOD_REFUSED", {"theirs": {"cert": (), "key": b"", "psk": b"x"}}),
    "another key": ("SIGNATURE_DIFFERS", {"theirs": {"key": private("p256", 7)}}),
    "a key of another kind": ("SIGNATURE_DIFFERS", {"theirs": {"key": private("ed25519", 7)}}),
    "no clock": ("CLOCK_NOT_SET", {"now": None}),
    "no DER": ("BAD_DER", {"theirs": {"cert": (b"\x30\x03abc",)}}),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused(why):
    expected, changes = REFUSED[why]
    wire = world(**changes) if why != "no clock" else world(now=None)
    if why == "no clock":
        wire.gateway.endpoint.clock = lambda: NOW  # it takes ours; we do not take its
    assert not up(wire)
    assert wire.board.closed() == [expected], (wire.board.closed(), wire.gateway.closed())
    assert not wire.internal_errors() and not wire.board.endpoint.sad.outbound


def test_without_a_clock_if_that_is_allowed():
    wire = world(now=None, require_time=False)
    assert up(wire)


def test_the_responder_refuses_a_stranger_s():
    wire = world(shown(number=101, host="dev.example", ca=OTHER))
    assert not up(wire)
    assert wire.gateway.closed() == ["MISSING_ISSUER"] and wire.board.closed() == ["PEER_SAID_AUTH_FAILED"]


def test_no_key_is_in_the_trace():
    wire = world()
    assert up(wire)
    secret = key("p256", 101).private_numbers().private_value.to_bytes(32, "big")
    for side in (wire.board, wire.gateway):
        assert not [body for _, _, body in side.log if secret in body]
