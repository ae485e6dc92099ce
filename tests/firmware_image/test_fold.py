"""Folding: what becomes a number, what is refused, and that the text keeps its meaning and its lines."""

import ast

import pytest

from host_tools.fold import FoldError, Registries, fold


@pytest.fixture
def registries(tmp_path):
    (tmp_path / "iana.py").write_text(
        '"""Numbers."""\n\nSA = 33\nNEGATIVE = -2\nFLAGS = 0x08 | 0x20\nLARGE = 1 << 40\n'
    )
    (tmp_path / "reason.py").write_text("NONE = 0\n")
    (tmp_path / "event.py").write_text("MESSAGE = 1\n")
    return Registries(tmp_path)


def run(source, registries):
    """What a folded source computes, in a Python that knows `const` but no registry."""
    space = {"const": lambda value: value}
    exec(compile(fold(source, "x.py", registries), "x.py", "exec"), space)
    return space


def test_names_become_numbers_and_the_imports_go(registries):
    folded = fold("from uike import iana, reason\nx = iana.SA + reason.NONE\n", "x.py", registries)
    assert folded == "pass\nx = 33 + 0\n"


def test_other_names_of_the_same_import_stay(registries):
    folded = fold("from uike import VERSION, iana\nx = iana.SA\n", "x.py", registries)
    assert folded == "from uike import VERSION\nx = 33\n"


def test_lines_keep_their_numbers(registries):
    source = "from uike import (\n    iana,\n    reason,\n)\n\nx = [\n    iana.SA,\n    iana\n    .SA,\n]\ny = (\n    iana\n    .SA\n)\n"
    folded = fold(source, "x.py", registries)
    assert folded.count("\n") == source.count("\n")
    assert run(source, registries)["x"] == [33, 33]
    assert ast.parse(folded).body[-1].lineno == ast.parse(source).body[-1].lineno


def test_an_import_inside_a_function_may_be_all_there_is(registries):
    assert run("def f():\n    from uike import iana\n\n\nx = f()\n", registries)["x"] is None


def test_negative_and_computed_values(registries):
    space = run(
        "from uike import iana\nx = 1-iana.NEGATIVE\ny = iana.FLAGS\nz = iana.LARGE\nw = iana.NEGATIVE ** 2\n",
        registries,
    )
    assert (space["x"], space["y"], space["z"], space["w"]) == (3, 0x28, 1 << 40, 4)


def test_bytes_of_other_alphabets_before_a_name_do_not_shift_it(registries):
    assert run('from uike import iana\nx = ("\u00e9\u4e2d", iana.SA)\n', registries)["x"] == ("\u00e9\u4e2d", 33)


def test_private_constants_become_const_and_see_each_other(registries):
    source = "from uike import iana\n_A = iana.SA + 1\n_B = _A * 2 - 1\n_C = 1 << 30\n_d = 'text'\nPUBLIC = 5\n__dunder__ = 6\n"
    folded = fold(source, "x.py", registries)
    assert folded == ("pass\n_A = const(34)\n_B = const(67)\n_C = 1 << 30\n_d = 'text'\nPUBLIC = 5\n__dunder__ = 6\n")


def test_a_private_name_that_changes_is_a_variable(registries):
    source = "_count = 0\n\n\ndef f():\n    global _count\n    _count += 1\n"
    assert fold(source, "x.py", registries) == source


def test_a_file_that_does_not_import_a_registry_may_use_its_name(registries):
    source = "def f(event):\n    return event.MESSAGE\n"
    assert fold(source, "x.py", registries) == source


@pytest.mark.parametrize(
    "source",
    [
        "x = iana.NOT_THERE",
        "def f(iana):\n    return iana.SA",
        "def f():\n    iana = 5\n    return iana",
        "for iana in x:\n    pass",
        "try:\n    pass\nexcept OSError as iana:\n    pass",
        "import iana",
        "class iana:\n    pass",
        "f = lambda iana: iana.SA",
        "x = [iana for iana in y]",
        "with a as iana:\n    pass",
        "x = iana",
        "x = getattr(iana, 'SA')",
        "iana.SA = 5",
        "del iana.SA",
        "x = f'{iana.SA}'",
    ],
)
def test_what_cannot_be_folded_without_doubt_is_refused(registries, source):
    with pytest.raises(FoldError, match=r"x\.py:\d+: .*iana"):
        fold("from uike import iana\n" + source + "\n", "x.py", registries)


@pytest.mark.parametrize(
    "source",
    [
        "import uike.iana",
        "from uike.iana import SA",
        "from uike import iana as numbers",
        "from . import iana",
        "from .iana import SA",
    ],
)
def test_other_ways_to_import_a_registry_are_refused(registries, source):
    with pytest.raises(FoldError, match="x.py:1"):
        fold(source + "\n", "x.py", registries)


@pytest.mark.parametrize(
    "source",
    [
        "_A = 1\n_A = 2",
        "_A = 1\n\n\ndef f(_A):\n    return _A",
        "_A = 1\n\n\ndef f():\n    _A = 2\n    return _A",
        "_A = 1\n\n\nclass C:\n    _A = 2",
        "_A = 1\n\n\ndef f():\n    for _A in range(3):\n        pass",
    ],
)
def test_a_private_constant_has_one_meaning_in_its_file(registries, source):
    with pytest.raises(FoldError, match="_A .* another meaning"):
        fold(source + "\n", "x.py", registries)


def test_a_registry_holds_integers_only_and_each_name_once(tmp_path):
    (tmp_path / "iana.py").write_text("SA = 'x'\n")
    with pytest.raises(FoldError, match="not an integer"):
        Registries(tmp_path)
    (tmp_path / "iana.py").write_text("SA = 1\nSA = 2\n")
    with pytest.raises(FoldError, match="twice"):
        Registries(tmp_path)
