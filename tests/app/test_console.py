"""The console's commands that change SAs."""

import json
from types import SimpleNamespace

import pytest

from tests.ike.test_rekey import agree, tunnel, works
from uike import event, reason
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


class Life:
    def __init__(self):
        self.done = []

    def restart(self, why):
        self.done.append(("restart", why))

    def erase(self):
        self.done.append("erase")

    def crash(self):
        return self.told


@pytest.mark.parametrize(
    ("line", "said", "done"),
    [
        ('{"do": "restart"}', None, [("restart", reason.RESTART_ASKED)]),
        ('{"do": "erase", "sure": true}', None, ["erase"]),
        ('{"do": "erase"}', "for ever", []),
        ('{"do": "erase", "sure": 1}', "for ever", []),
        ('{"do": "crash"}', "none is known", []),
    ],
)
def test_what_concerns_the_board(line, said, done):
    life = Life()
    life.told = None
    appliance = SimpleNamespace(board=SimpleNamespace(life=life))
    if said:
        with pytest.raises(ValueError, match=said):
            console.run(appliance, line)
    else:
        console.run(appliance, line)
    assert life.done == done
    appliance.board.life = None
    with pytest.raises(ValueError, match="not on this platform"):
        console.run(appliance, line)


def test_the_last_crash_is_told():
    life, said = Life(), []
    life.told = b"\x02\x03\x87x"
    appliance = SimpleNamespace(board=SimpleNamespace(life=life), trace=lambda *words: said.append(words))
    console.run(appliance, '{"do": "crash"}')
    assert said == [(event.BOOT, 0, life.told)]
