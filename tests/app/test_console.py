"""The console's commands that change SAs."""

import json
from types import SimpleNamespace

import pytest

from tests.ike.test_rekey import agree, tunnel, works
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
