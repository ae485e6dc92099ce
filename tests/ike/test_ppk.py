"""Postquantum preshared keys (RFC 8784): both sides, all rows of its tables, and what each end says of it."""

import hashlib
import hmac

import pytest

from tests.attack.attacker import Insider, chain, split
from tests.handshake import messages
from tests.ike.test_redirect import AWAY, Three
from tests.ike.test_rekey import agree, rekey_ike, tunnel, works
from tests.world import World, connection
from uike import iana
from uike.ike import ppk

PPK = bytearray(b"a key that no quantum computer finds")
HAVE = {"ppk": PPK, "ppk_id": b"ppk@example"}
MUST = {**HAVE, "ppk_required": True}
OTHER_ID = {"ppk_id": b"another"}
OTHER = {"ppk": bytearray(b"another one")}


def notifies(side, kind):
    """(sent, exchange, is a response, data) of each notify of that kind that a side traced."""
    found = []
    for out, data in messages(side):
        for payload, body in split(data[16], data[28:]):
            if payload == iana.N and body[2] << 8 | body[3] == kind:
                found.append((out, data[18], bool(data[19] & iana.FLAG_RESPONSE), body[4:]))
    return found


def keys(wire):
    """The keys that a PPK goes into, of both sides."""
    return [(bytes(side.sa.sk_d), bytes(side.sa.sk_pi), bytes(side.sa.sk_pr)) for side in (wire.board, wire.gateway)]


class Before:
    """What SK_d, SK_pi and SK_pr were before the PPK went into them."""

    def __init__(self, monkeypatch):
        self.seen = []
        mix = ppk._mix

        def watched(sa):
            kept = mix(sa)
            self.seen.append((sa.initiator, [bytes(key) for key in kept]))
            return kept

        monkeypatch.setattr(ppk, "_mix", watched)


def test_it_goes_into_three_keys(monkeypatch):
    # --> IKE_SA_INIT { SA, KE, Ni, N(USE_PPK) }     <-- { SA, KE, Nr, N(USE_PPK) }
    # --> IKE_AUTH { IDi, AUTH, N(PPK_IDENTITY), N(NO_PPK_AUTH), ... }     <-- { IDr, AUTH, N(PPK_IDENTITY), ... }
    before = Before(monkeypatch)
    wire = tunnel(dict(HAVE), dict(HAVE))
    assert agree(wire) == (1, 1) and works(wire)
    assert notifies(wire.board, iana.USE_PPK) == [(True, 34, False, b""), (False, 34, True, b"")]
    named = notifies(wire.board, iana.PPK_IDENTITY)
    assert named == [(True, 35, False, b"\x02ppk@example"), (False, 35, True, b"")]
    assert [each[1:3] for each in notifies(wire.board, iana.NO_PPK_AUTH)] == [(35, False)]
    ours, theirs = keys(wire)
    assert ours == theirs
    for _, old in before.seen:  # prf+ by another hand: T1 = prf(K, S | 0x01), and 32 bytes need no T2
        assert ours == tuple(hmac.new(PPK, key + b"\x01", hashlib.sha256).digest() for key in old)
    assert {initiator for initiator, _ in before.seen} == {True, False}
    assert not wire.board.rejected() and not wire.gateway.rejected()


@pytest.mark.parametrize("prf", [6, 7], ids=["sha384", "sha512"])
def test_keys_of_other_sizes(prf, monkeypatch):
    before = Before(monkeypatch)
    suite = ((1, 20, 256), (2, prf, 0), (4, 31, 0))
    wire = tunnel(dict(HAVE), dict(HAVE), proposals=(suite,))
    digest = {6: hashlib.sha384, 7: hashlib.sha512}[prf]
    assert keys(wire)[0] == tuple(hmac.new(PPK, key + b"\x01", digest).digest() for key in before.seen[0][1])
    assert agree(wire) == (1, 1) and works(wire)


# What the initiator has, what the responder has: whether they come up and with a PPK, and what each says
NO, OFF = {}, "PPK_NOT_OFFERED"
ID, NOT, DIFFERS, BOTH = "PPK_ID_UNKNOWN", "PPK_NOT_USED", "PPK_DIFFERS", "PPK_OR_KEY_DIFFERS"
REFUSED = "PEER_REFUSED_PPK"
TABLE = {
    "both may": (HAVE, HAVE, "with", [], []),
    "both must": (MUST, MUST, "with", [], []),
    "one must, the other may": (MUST, HAVE, "with", [], []),
    "one may, the other must": (HAVE, MUST, "with", [], []),
    "neither": (NO, NO, "without", [], []),
    "the responder has none, the initiator may": (HAVE, NO, "without", [OFF], []),
    "the responder has none, the initiator must": (MUST, NO, OFF, [OFF], []),
    "the initiator has none, the responder may": (NO, HAVE, "without", [], [OFF]),
    "the initiator has none, the responder must": (NO, MUST, "PEER_SAID_AUTH_FAILED", [], [OFF]),
    "another id, both may": (HAVE, {**HAVE, **OTHER_ID}, "without", [NOT], [ID]),
    "another id, the initiator must": (MUST, {**HAVE, **OTHER_ID}, REFUSED, [], [ID]),
    "another id, the responder must": (HAVE, {**MUST, **OTHER_ID}, REFUSED, [], [ID]),
    "other bytes, both may": (HAVE, {**HAVE, **OTHER}, REFUSED, [], [DIFFERS]),
    "other bytes, both must": (MUST, {**MUST, **OTHER}, REFUSED, [], [BOTH]),
    "another psk beside it": (HAVE, {**HAVE, "psk": bytearray(b"wrong")}, REFUSED, [], ["PSK_DIFFERS"]),
}


@pytest.mark.parametrize("case", TABLE)
def test_who_goes_on_without_it(case):
    ours, theirs, result, we_said, they_said = TABLE[case]
    wire = World(connection(True, **ours), connection(False, **theirs)).connect()
    if result in ("with", "without"):
        assert agree(wire) == (1, 1) and works(wire)
        assert (len(notifies(wire.board, iana.PPK_IDENTITY)) == 2) == (result == "with")
        assert wire.board.rejected() == we_said and wire.gateway.rejected() == they_said
    else:
        wire.run(wire.now + 60_000)
        assert wire.board.closed() == [result]
        assert not wire.board.said("CHILD_UP") and not wire.gateway.said("CHILD_UP")
        assert set(wire.board.rejected()) == set(we_said)
        assert wire.gateway.closed() == (they_said or ["HALF_OPEN_TIMEOUT"])
    assert not wire.internal_errors()


def change_auth(wire, sender, change):
    """What `sender` puts into IKE_AUTH is changed by itself, or by whoever has broken the key exchange."""

    def instead(exchange, response, first, raw):
        rows = change(split(first, raw))
        return [(rows[0][0], chain(rows))] if exchange == iana.IKE_AUTH else None

    Insider(wire, sender, instead)


def without(*kinds):
    return lambda rows: [row for row in rows if row[0] != iana.N or row[1][2] << 8 | row[1][3] not in kinds]


@pytest.mark.parametrize(
    ("theirs", "kinds", "said"),
    [
        ({**HAVE, **OTHER_ID}, (iana.NO_PPK_AUTH,), [ID]),  # nothing that it could verify
        (MUST, (iana.PPK_IDENTITY,), [NOT]),
        (MUST, (iana.PPK_IDENTITY, iana.NO_PPK_AUTH), [NOT]),
        (HAVE, (iana.PPK_IDENTITY,), ["PSK_DIFFERS"]),  # NO_PPK_AUTH alone proves nothing
        (HAVE, (iana.PPK_IDENTITY, iana.NO_PPK_AUTH), ["PSK_DIFFERS"]),
    ],
)
def test_an_initiator_that_leaves_something_out(theirs, kinds, said):
    wire = World(connection(True, **HAVE), connection(False, **theirs))
    change_auth(wire, wire.board, without(*kinds))
    wire.connect()
    assert wire.gateway.closed() == said
    assert not wire.gateway.said("CHILD_UP")


def test_a_responder_that_leaves_out_its_word():
    """Whoever must have a PPK ends it; whoever may sees that AUTH was made with other keys."""
    for ours, said in ((MUST, "PPK_NOT_USED"), (HAVE, "PSK_DIFFERS")):
        wire = World(connection(True, **ours), connection(False, **HAVE))
        change_auth(wire, wire.gateway, without(iana.PPK_IDENTITY))
        wire.connect()
        assert wire.board.closed() == [said] and not wire.board.said("CHILD_UP")


def test_an_opaque_id_is_a_name_like_another():
    def opaque(rows):
        return [(kind, body.replace(b"\x02ppk@example", b"\x01ppk@example")) for kind, body in rows]

    wire = World(connection(True, **MUST), connection(False, **MUST))
    change_auth(wire, wire.board, opaque)
    wire.connect()
    assert agree(wire) == (1, 1) and works(wire)


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x00ppk@example", b"\x03ppk@example", b"\x02ppk@exampl", bytes(200)])
def test_a_malformed_id_is_an_unknown_one(data):
    def other(rows):
        return [
            (kind, body[:4] + data if body[2:4] == iana.PPK_IDENTITY.to_bytes(2, "big") else body)
            for kind, body in rows
        ]

    wire = World(connection(True, **HAVE), connection(False, **MUST))
    change_auth(wire, wire.board, other)
    wire.connect()
    assert wire.gateway.closed() == [ID] and not wire.internal_errors()


def test_the_connection_of_the_peer_decides():
    """The responder says USE_PPK before it knows who asks; a peer whose connection has none goes on without."""
    plain = connection(False, remote_id=(2, b"dev.example"))
    other = connection(False, remote_id=(2, b"other.example"), **MUST)
    wire = World(connection(True, **HAVE), plain)
    wire.gateway.endpoint.connections = [plain, other]
    wire.connect()
    assert agree(wire) == (1, 1) and works(wire)
    assert wire.board.rejected() == [NOT] and wire.gateway.rejected() == [ID]
    assert notifies(wire.board, iana.USE_PPK)[1][:3] == (False, 34, True)


def test_rekeyed_and_negotiated_anew():
    """SK_d hands it down; an IKE SA from the start has it from the start."""
    wire = tunnel({**MUST, "reauth_ms": 100_000}, dict(MUST))
    rekey_ike(wire.board)
    wire.settle()
    ours, theirs = [side.endpoint.sas[-1] for side in (wire.board, wire.gateway)]
    assert ours.sk_d == theirs.sk_d and ours.sk_pi == theirs.sk_pi and works(wire)
    wire.run(120_000)
    assert wire.board.said("REAUTHENTICATED") and agree(wire) == (1, 1) and works(wire)
    assert len([each for each in notifies(wire.board, iana.PPK_IDENTITY) if not each[0]]) == 2


def test_childless():
    wire = tunnel({**MUST, "childless": True}, dict(MUST))
    assert agree(wire) == (1, 0) and keys(wire)[0] == keys(wire)[1]


def test_nothing_secret_in_the_trace():
    wire = World(connection(True, **HAVE), connection(False, **HAVE)).connect()
    for side in (wire.board, wire.gateway):
        assert all(bytes(PPK) not in body for _, _, body in side.log)
        (found,) = notifies(side, iana.NO_PPK_AUTH)
        assert found[3] == bytes(32)


@pytest.mark.parametrize("theirs", [HAVE, MUST], ids=["may", "must"])
def test_after_a_redirection(theirs):
    """The other gateway is held to the same: one without the PPK is not followed by a board that must have it."""
    wire = Three(board=MUST, gateway={**theirs, **AWAY}, other=theirs).connect()
    assert wire.board.closed() == ["REDIRECTED"] and wire.other.said("CHILD_UP")
    assert len(notifies(wire.other, iana.PPK_IDENTITY)) == 2
    wire = Three(board=MUST, gateway={**theirs, **AWAY}).connect()
    wire.run(wire.now + 60_000)
    assert wire.board.closed() == ["REDIRECTED", OFF] and not wire.other.said("CHILD_UP")
