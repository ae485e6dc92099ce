"""A responder with a pre-shared key for each peer: which one is taken, and what is said when there is none."""

import pytest

from host_tools import reasons
from tests.handshake import events
from tests.ike.test_rekey import agree, works
from tests.world import World, connection
from uike import event

ALICE, BOB, GW = (3, b"alice@example"), (3, b"bob@example"), (2, b"alice.example")
DN = bytes.fromhex("30153113301106035504030c0a") + b"dev device"
ROWS = (
    (None, bytearray(b"for any")),
    ((3, b"*@example"), bytearray(b"for the domain")),
    ((3, b"*"), bytearray(b"for every mail address")),
    (ALICE, bytearray(b"for alice")),
    ((2, b"*.example"), bytearray(b"for hosts")),
    ((9, DN), bytearray(b"for a subject")),
)


def wire(local_id, psk, rows, others=b""):
    theirs = connection(False, remote_id=None, psk=bytearray(others), psks=rows)
    return World(connection(True, local_id=local_id, psk=bytearray(psk)), theirs).connect()


@pytest.mark.parametrize(
    ("local_id", "psk"),
    [
        (ALICE, b"for alice"),
        ((3, b"ALICE@Example"), b"for alice"),
        (BOB, b"for the domain"),
        ((3, b"bob@elsewhere"), b"for every mail address"),
        (GW, b"for hosts"),
        ((9, DN), b"for a subject"),
        ((9, DN.replace(b"\x0c\x0a", b"\x13\x0a")), b"for a subject"),
        ((1, bytes((192, 0, 2, 7))), b"for any"),
        ((2, b"alice@example"), b"for any"),  # a name of another type
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_the_row_that_fits_best(local_id, psk, order):
    up = wire(local_id, psk, ROWS[::order])
    assert agree(up) == (1, 1) and works(up) and up.gateway.sa.peer_id == local_id


@pytest.mark.parametrize("psk", [b"for the domain", b"for any", b"for every mail address", b""])
def test_no_other_row_is_tried(psk):
    down = wire(ALICE, psk, ROWS)
    assert down.gateway.closed() == ["PSK_DIFFERS"] and down.board.closed() == ["PEER_SAID_AUTH_FAILED"]


def test_the_psk_of_the_connection_is_for_the_others():
    up = wire(BOB, b"a key for all", ROWS[3:4], b"a key for all")
    assert agree(up) == (1, 1)
    assert wire(ALICE, b"a key for all", ROWS[3:4], b"a key for all").gateway.closed() == ["PSK_DIFFERS"]


@pytest.mark.parametrize(
    ("local_id", "said"),
    [
        ((3, b"alcie@example"), ": alcie@example; the nearest that has one is alice@example"),
        ((2, b"alice.exampel"), ": alice.exampel; the nearest that has one is alice@example"),
        ((2, b"printer-17.branch.offices.example"), ": printer-17.branch.offices.exam; the nearest that has one is "),
        ((1, bytes((192, 0, 2, 7))), ": 192.0.2.7; the nearest that has one is "),
    ],
)
def test_none_for_that_peer(local_id, said):
    down = wire(local_id, b"for alice", (ROWS[3], (BOB, bytearray(b"for bob"))))
    assert down.gateway.closed() == ["NO_PSK_FOR_PEER"] and down.board.closed() == ["PEER_SAID_AUTH_FAILED"]
    assert not down.internal_errors()
    (closed,) = [each for each in events(down.gateway) if each.code == event.CLOSED]
    text, remedy = reasons.explain(closed)
    assert said in text and "psks" in remedy
    assert all(b"for alice" not in body and b"for bob" not in body for _, _, body in down.gateway.log)


def test_with_a_ppk():
    have = {"ppk": bytearray(b"a key that no quantum computer finds"), "ppk_id": b"ppk@example", "ppk_required": True}
    theirs = connection(False, remote_id=None, psk=bytearray(), psks=ROWS, **have)
    up = World(connection(True, local_id=ALICE, psk=bytearray(b"for alice"), **have), theirs).connect()
    assert agree(up) == (1, 1) and works(up)
