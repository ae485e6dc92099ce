"""The console's commands that change SAs."""

import json
from types import SimpleNamespace

import pytest

from tests.ike.test_rekey import agree, tunnel, works
from uike import event
from uike.app import console


def typed(wire, line):
    """A line at the board's console, and what follows from it."""
    board = SimpleNamespace(now=lambda: wire.now)
    console.run(SimpleNamespace(endpoint=wire.board.endpoint, board=board), line)
    wire.settle()
    wire.run(wire.now + 1)


@pytest.mark.parametrize(("what", "event"), [("child", "CHILD_REKEYED"), ("ike", "IKE_REKEYED")])
def test_rekey(what, event):
    wire = tunnel()
    for count in (1, 2):
        typed(wire, json.dumps({"do": "rekey", "what": what}))
        assert len(wire.board.said(event)) == count
        wire.run(wire.now + 21_000)
        assert agree(wire) == (1, 1) and works(wire)


def test_delete_leaves_the_ike_sa():
    wire = tunnel()
    typed(wire, '{"do": "delete"}')
    assert agree(wire) == (1, 0)
    assert wire.board.said("CHILD_DOWN")[0][8] == 91 and not wire.board.closed()


@pytest.mark.parametrize("line", ['{"do": "rekey"}', '{"do": "rekey", "what": "all"}', '{"do": "dance"}', "[]"])
def test_what_makes_no_sense(line):
    wire = tunnel()
    with pytest.raises(ValueError):
        typed(wire, line)
    assert agree(wire) == (1, 1)


def test_the_last_crash_is_told():
    said, life = [], SimpleNamespace(crash=lambda: b"\x02\x03\x87x")
    appliance = SimpleNamespace(board=SimpleNamespace(life=life), trace=lambda *words: said.append(words))
    console.run(appliance, '{"do": "crash"}')
    assert said == [(event.BOOT, 0, b"\x02\x03\x87x")]


@pytest.mark.parametrize("life", [None, SimpleNamespace(crash=lambda: None)])
def test_no_crash_is_known(life):
    with pytest.raises(ValueError, match="none is known"):
        console.run(SimpleNamespace(board=SimpleNamespace(life=life)), '{"do": "crash"}')
