"""`tests/COVERAGE.md`: every row names tests that exist, or says why there is none."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).with_name("COVERAGE.md")
LEVELS = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY")
REASONS = ("not applicable: ", "not implemented: ", "open: ")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(text):
    """(line number, cells) of the table's rows: those that do not begin with its heading or its rule."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("|") and not line.startswith(("| section", "|---")):
            found.append((number, [cell.strip() for cell in line.strip("|").split("|")]))
    return found


@cache
def names_in(path):
    """Names of the test functions of a file; empty when there is no such file."""
    if not (ROOT / path).exists():
        return frozenset()
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def flaw(cells):
    """What is wrong with a row; None when nothing is."""
    if len(cells) != 4 or not all(cells):
        return "not four cells"
    section, level, _, shown = cells
    if not re.fullmatch(r"\d+(\.\d+)*", section) or level not in LEVELS:
        return f"section {section!r}, level {level!r}"
    named = TEST.findall(shown)
    missing = [f"{path}::{name}" for path, name in named if name not in names_in(path)]
    if missing:
        return f"no such test: {', '.join(missing)}"
    left = TEST.sub("", shown).replace(",", "").strip()
    if named and not left:
        return None
    if not named and shown.startswith(REASONS) and len(shown.split(": ", 1)[1]) > 3:
        return None
    return f"neither tests nor a reason: {shown!r}"


def test_every_row_has_tests_that_exist_or_a_reason():
    table = rows(TABLE.read_text())
    flaws = [f"COVERAGE.md:{number}: {flaw(cells)}" for number, cells in table if flaw(cells)]
    assert not flaws, "\n".join(flaws)
    assert len(table) > 200


@pytest.mark.parametrize(
    "row",
    [
        "| 1 | MUST | three cells |",
        "| 1 | SHALL | another level | `tests/test_layers.py::test_no_arrow_points_up` |",
        "| one | MUST | no section | `tests/test_layers.py::test_no_arrow_points_up` |",
        "| 1 | MUST | no such test | `tests/test_layers.py::test_nothing` |",
        "| 1 | MUST | no such file | `tests/test_nothing.py::test_no_arrow_points_up` |",
        "| 1 | MUST | neither | because |",
        "| 1 | MUST | no reason | open: |",
        "| 1 | MUST | a test and words | `tests/test_layers.py::test_no_arrow_points_up` and more |",
    ],
)
def test_a_bad_row_is_found(row):
    ((_, cells),) = rows(row)
    assert flaw(cells)


def test_a_good_row_is_not():
    ((_, cells),) = rows("| 2.1 | MUST | this | `tests/test_layers.py::test_no_arrow_points_up` |")
    assert flaw(cells) is None
