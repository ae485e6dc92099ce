"""Shortening: what is renamed, what stays, what is refused, and that the text keeps its meaning and its lines."""

import ast

import pytest

from host_tools import fold, image, shorten
from host_tools.fold import FoldError
from host_tools.shorten import Names

SOURCE = '''\
"""A file that uses a name in every way."""

from uike.other import helper_function as _aid, long_function

_SIZE = const(4)
_total = 0


class Refused(ValueError):
    pass


class Tally:
    kind_of_counter = "spelled"

    def __init__(self, first_number, *more_numbers, keyword_only=3):
        self.state_of_things, self.spelled = first_number + sum(more_numbers), keyword_only

    def add_to_it(self, \u00e9tat, amount_added):
        global _total
        _total += amount_added
        self \\
            .state_of_things += amount_added
        return [amount_added for amount_added in (self.state_of_things, _SIZE)]


def everything(first_number):
    counter = Tally(first_number, 1, keyword_only=long_function(first_number=2) + _aid())
    shown = counter.add_to_it("\u00e9", 5)
    try:
        raise Refused(first_number)
    except (ValueError, TypeError) as error_text:
        text = str(error_text)
    inner = lambda amount_added=7: amount_added + counter.spelled
    return shown, _total, text, inner(), sorted([3, 1], key=lambda first_number: -first_number), getattr(counter, "spelled")
'''
OTHER = "def long_function(first_number):\n    return first_number\n\n\ndef helper_function():\n    return 4\n"
EXPECTED = ([14, 4], 5, "8", 13, [3, 1], 6)


@pytest.fixture
def names():
    return Names({"x.py": SOURCE, "other.py": OTHER}, ["uike.other", "uike.x"])


def run(source, other, entry):
    """What `entry` gives in a Python that has the two files."""
    library = {}
    exec(other, library)
    taken = ast.parse(source).body[1].names
    space = {"const": lambda value: value, **{a.asname or a.name: library[a.name] for a in taken}}
    body = source.replace(source.splitlines()[2], "", 1)
    exec(body, space)
    return space[entry](8)


def test_a_shortened_program_does_the_same(names):
    assert run(SOURCE, OTHER, "everything") == EXPECTED
    short, other = names.shorten(SOURCE, "x.py"), names.shorten(OTHER, "other.py")
    assert run(short, other, names.mapping["everything"]) == EXPECTED
    for name in ("first_number", "add_to_it", "state_of_things", "_total", "Tally", "helper_function", "_aid"):
        assert name in names.mapping and name not in short + other


def test_lines_keep_their_numbers(names):
    assert names.shorten(SOURCE, "x.py").count("\n") == SOURCE.count("\n")


def test_what_something_outside_may_know_stays(names):
    for name in ("spelled", "Refused", "_SIZE", "sum", "key", "uike", "other", "__init__", "self", "text"):
        assert name not in names.mapping


def _variables(text):
    """How many a file has."""
    tree = ast.parse(text)
    members = [each for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for each in ast.walk(node)]
    members = [each for each in members if isinstance(each, ast.Assign) and each.col_offset == 4]
    members = {target for each in members for target in each.targets}
    return len({node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in members})


def test_no_two_names_that_can_meet_become_one(names):
    real = image.device_names()
    for each in (names, real):
        for space in (each.variables, each.members):
            assert all(each.mapping[old] == new for new, group in space.items() for old in group)
        assert all(len(group) == 1 for group in each.members.values())
        assert set().union(*each.variables.values(), *each.members.values()) == set(each.mapping)
    registries = fold.Registries(image.FIRMWARE / fold.PACKAGE)
    for where in image.sources(image.FIRMWARE, "vm", None, None).values():
        text = fold.fold(where.read_text(), str(where), registries)
        assert _variables(real.shorten(text, str(where))) == _variables(real._local.rename(text, str(where))), where
    assert len(set(real.mapping.values())) < len(real.mapping) * 0.6


def test_a_class_looks_among_its_own_members_first():
    source = "first = 1\nclass Holder:\n    member = 2\n    def give_it(self, given=first):\n        return given\n"
    names = Names({"x.py": source + "    other = first\n"}, [])
    assert len({names.mapping[name] for name in ("first", "member", "give_it", "other")}) == 4


def test_a_new_name_is_used_for_nothing_else():
    names = Names({"x.py": "acos = 1\n\n\ndef f(some_argument):\n    return asin, f.atan, some_argument\n"}, [])
    assert not {"acos", "asin", "atan", "f"} & set(names.mapping.values()) and "acos" not in names.mapping


def test_symbols_lead_back(names):
    assert "add_to_it" in names.symbols[names.mapping["add_to_it"]].split("/")
    assert "Endpoint" in {name for names in image.build().symbols.values() for name in names.split("/")}


@pytest.mark.parametrize("name", sorted(shorten._REFLECTION))
def test_names_are_not_looked_at(name):
    with pytest.raises(FoldError, match=f"x.py:2: {name}"):
        Names({"x.py": f"def function():\n    return {name}()\n"}, [])


def test_a_class_from_something_unknown_is_refused():
    with pytest.raises(FoldError, match="a class from dict"):
        Names({"x.py": "class Table(dict):\n    pass\n"}, [])


def test_names_in_an_f_string_stay():
    names = Names({"x.py": "def function(argument_one, argument_two):\n    return f'{argument_one}'\n"}, [])
    assert "argument_one" not in names.mapping and len(names.mapping) == 1


def test_a_guest_may_import_what_no_file_has_both_of():
    texts = {"one.py": "def first_function():\n    return 1\n", "two.py": "def other_function():\n    return 2\n"}
    names = Names(texts, ["uike.one", "uike.two"])
    assert names.mapping["first_function"] == names.mapping["other_function"]
    guest = "from uike.one import first_function\nfrom uike.two import other_function\n"
    guest += "result = first_function() - other_function()\n"
    text = names.shorten(guest, "guest.py")
    new = names.mapping["first_function"]
    assert f"from uike.two import {new} as other_function_\n" in text
    assert text.endswith(f"result = {new}() - other_function_()\n")
    with pytest.raises(FoldError, match="other_function in an f-string"):
        names.shorten(guest + "print(f'{other_function}')\n", "guest.py")
    with pytest.raises(FoldError, match="other_function is first_function on the device"):
        names.shorten("def other_function():\n    return first_function\ndef first_function():\n    pass\n", "guest.py")


def test_a_guest_whose_names_would_meet_others_is_refused(names):
    new = names.mapping["Tally"]
    assert names.shorten(f"from uike.x import Tally\n{new} = Tally\n", "guest.py").endswith(f"\n{new}_ = {new}\n")
    with pytest.raises(FoldError, match=f"{new} is Tally"):
        names.shorten(f"from uike.x import Tally\n{new} = Tally\nprint(Tally=1)\ndef {new}():\n    pass\n", "guest.py")
    new = names.mapping["add_to_it"]
    with pytest.raises(FoldError, match=f"{new} is add_to_it"):
        names.shorten(f"class Mine:\n    def {new}(self):\n        pass\n", "guest.py")
    with pytest.raises(FoldError, match="add_to_it has another name"):
        names.shorten("print(getattr(1, 'add_to_it'))\n", "guest.py")
    with pytest.raises(FoldError, match="f-string"):
        names.shorten("def f(first_number):\n    return f'{first_number}'\n", "guest.py")


def test_a_guest_module_of_a_mapped_name_is_imported_as_its_new_name(names):
    new = names.mapping["first_number"]
    assert names.shorten("import first_number\nx = first_number\n", "g.py") == (
        f"import first_number as {new}\nx = {new}\n"
    )
