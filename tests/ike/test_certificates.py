"""Certificates between two engines: who is believed, and what each failure is called."""

import pytest
from cryptography.hazmat.primitives import serialization

from tests.pki.authority import DAY, T0, Authority, key
from tests.world import World, connection
from uike import iana
from uike.pki import name, path

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


LISTS = {
    "revoked": CA.revoke(1),
    "current": CA.revoke(9),
    "stale": CA.revoke(9, start=T0 - 60 * DAY),
    "revoked long ago": CA.revoke(1, start=T0 - 60 * DAY),
    "another's": OTHER.revoke(1),
}


def listed(which, revocation=path.IF_CRL):
    return {"ours": {**shown(number=101, host="dev.example"), "crls": (LISTS[which],), "revocation": revocation}}


REFUSED = {
    "revoked": ("CERTIFICATE_REVOKED", listed("revoked")),
    "a stale list": ("CRL_STALE", listed("stale")),
    "revoked in a stale list": ("CERTIFICATE_REVOKED", listed("revoked long ago", path.RELAXED)),
    "no list of its CA": ("REVOCATION_UNKNOWN", listed("another's", path.STRICT)),
    "a list that is none": ("BAD_DER", {"ours": {**shown(number=101, host="dev.example"), "crls": (b"0\3abc",)}}),
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


@pytest.mark.parametrize(
    ("which", "revocation"),
    [("current", path.STRICT), ("stale", path.RELAXED), ("another's", path.IF_CRL)],
)
def test_lists_that_are_good_enough(which, revocation):
    assert up(world(**listed(which, revocation)))


class Store:
    """A board's store; `broken` ones keep nothing."""

    def __init__(self, known=None, broken=False):
        self.blobs = {} if known is None else {"known.time": known.to_bytes(4, "big")}
        self.broken = broken
        self.writes = 0

    def read(self, name):
        return self.blobs.get(name)

    def write(self, name, data):
        if self.broken:
            raise OSError(28)
        self.writes += 1
        self.blobs[name] = bytes(data)

    def known(self):
        return int.from_bytes(self.blobs["known.time"], "big") if self.blobs else None


def timed(known, clock, required=False, **options):
    """Whether the board takes the gateway's certificate, why not and by how much; and its store."""
    wire = world({**shown(number=101, host="dev.example"), "require_time": required}, shown(**options))
    wire.board.endpoint.store = store = known if isinstance(known, Store) else Store(known)
    wire.board.endpoint.clock = lambda: clock
    wire.gateway.endpoint.connections[0].require_time = False
    wire.gateway.endpoint.clock = None
    taken = up(wire)
    seconds = int.from_bytes(wire.board.said("CLOSED")[0][9:13], "big") if not taken else 0
    return taken, wire.board.closed(), seconds, store


LAST = T0 + 365 * DAY  # of the gateway's certificate


@pytest.mark.parametrize(
    ("known", "clock", "required", "why", "seconds"),
    [
        (None, None, True, "CLOCK_NOT_SET", None),
        (T0, None, True, "CLOCK_NOT_SET", None),
        (T0 + 3 * DAY, T0, True, "CLOCK_BEHIND", 3 * DAY),
        (LAST + 7, None, False, "EXPIRED_AT_KNOWN_TIME", 7),
        (LAST + 2 * DAY, T0, False, "EXPIRED_AT_KNOWN_TIME", 2 * DAY),
        (LAST + 7, LAST - 3, True, "CERTIFICATE_EXPIRED", 7),  # within a day the later of both counts
        (T0, LAST + 9, False, "CERTIFICATE_EXPIRED", 9),
        (T0 - 9, T0 - 5, True, "CERTIFICATE_NOT_YET_VALID", 5),
    ],
)
def test_the_time_that_is_known_for_certain_refuses(known, clock, required, why, seconds):
    taken, closed, late, store = timed(known, clock, required)
    assert (taken, closed) == (False, [why]) and seconds in (None, late)
    assert not store.writes


@pytest.mark.parametrize(
    ("known", "clock", "after"),
    [
        (None, None, None),  # nobody knows: nothing is learned, from the certificate's dates neither
        (T0 + 5, None, T0 + 5),
        (T0 + 3 * DAY, T0, T0 + 3 * DAY),  # a clock that is behind teaches nothing
        (None, NOW, NOW),
        (NOW - DAY, NOW, NOW),
        (NOW - DAY + 1, NOW, NOW - DAY + 1),  # flash wears: once a day
    ],
)
def test_what_is_learned_of_the_time(known, clock, after):
    taken, _, _, store = timed(known, clock)
    assert taken and store.known() == after
    assert store.writes == (after != known)


def test_time_is_not_learned_when_the_signature_is_wrong_or_the_store_is_full():
    wire = world(theirs={"key": private("p256", 7)})
    wire.board.endpoint.store = store = Store()
    assert not up(wire) and not store.writes
    taken, _, _, store = timed(Store(broken=True), NOW)
    assert taken and not store.blobs


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
