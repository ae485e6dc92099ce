"""Nothing that a peer sends may meet an `assert`, or a handler that hides what it catches."""

import ast
import random
from pathlib import Path

import pytest

import uike
from tests.attack.attacker import STRANGER, Insider, throw, up, works

SOURCES = sorted(Path(uike.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_assert_and_no_bare_except(path):
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Assert), node.lineno
        assert not isinstance(node, ast.ExceptHandler) or node.type is not None, node.lineno


def test_no_plaintext_under_the_right_keys_is_an_error_of_ours():
    draw = random.Random(9)
    wire = up()
    for _ in range(1_500):
        evil = Insider(wire, draw.choice((wire.board, wire.gateway)))
        raw = draw.randbytes(draw.choice((0, 1, 3, 4, 5, 8, 40, 300)))
        evil.say(draw.randrange(34, 38), draw.randrange(256), raw, draw.random() < 0.3)
        throw(wire, evil.target, raw, STRANGER, draw.choice((500, 4500)))
        assert not wire.internal_errors()
        if len({(tuple(sa.state for sa in side.endpoint.sas)) for side in (wire.board, wire.gateway)}) != 1:
            wire = up()
        elif not wire.board.endpoint.sas:
            wire = up()
        else:
            evil.sa.send_id = evil.target.sa.receive_id
    assert works(up())
