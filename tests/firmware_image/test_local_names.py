"""Arguments and private globals: spelled alike in all modules, unless somebody else may know them."""

import ast

from host_tools.local_names import LocalNames

SOURCE = '''"""Doc."""
_TABLE = (1, 2)
_SHARED = 5
_state = []


def _double(value, times=len(_TABLE)):
    return [value * each for each in range(times)]


def _by_name(first, *, named):
    return first + named


def work(value, table):
    inner = lambda value: value + _SHARED
    def deeper(table):
        return table + value
    return _double(value) + [inner(3), deeper(7), _by_name(1, named=2), table, _TABLE]


class Thing:
    _double = 4

    def method(self, value):
        global _state
        _state = _state + [value]
        return self._double, _double(value), len(_state), f"{value}"
'''
USE = "\nresult = work(5, 9), Thing().method(6), Thing().method(6)\n"


def renamed(source, **others):
    texts = {"x.py": source, **others}
    text = LocalNames(texts).rename(source, "x.py")
    assert text.count("\n") == source.count("\n")
    return text


def run(text):
    space = {}
    exec(compile(text + USE, "x.py", "exec"), space)
    return space["result"]


def arguments(text, name):
    (found,) = [node for node in ast.walk(ast.parse(text)) if getattr(node, "name", "") == name]
    return [each.arg for each in found.args.args]


def test_the_module_does_what_it_did():
    text = renamed(SOURCE)
    assert text != SOURCE and run(text) == run(SOURCE)


def test_arguments_go_by_position():
    text = renamed("def one(left, right):\n    return left\ndef two(other):\n    pass\n")
    assert arguments(text, "one") == ["a", "b"] and arguments(text, "two") == ["a"]
    assert "return a\n" in text


def test_a_letter_in_use_is_left_alone():
    text = renamed("a = 1\ndef one(left):\n    b = a\n    return left + b\n")
    assert arguments(text, "one") == ["c"]


def test_what_a_call_gives_by_name_stays():
    text = renamed("def one(left, right):\n    pass\n", other="import x\nx.one(1, right=2)\n")
    assert arguments(text, "one") == ["a", "right"]


def test_an_argument_that_an_inner_function_has_too_stays():
    assert arguments(renamed(SOURCE), "work") == ["value", "table"]


def test_an_argument_in_an_f_string_stays():
    assert arguments(renamed(SOURCE), "method") == ["a", "value"]


def test_private_globals_become_capitals():
    text = renamed("_TABLE = 1\ndef _work():\n    return _TABLE\n_all = _work\n")
    assert text == "A = 1\ndef B():\n    return A\nC = B\n"


def test_private_globals_that_others_name_stay():
    for other in ("from x import _TABLE\n", "import x\nx._TABLE\n", "NAME = '_TABLE'\n"):
        assert renamed("_TABLE = 1\n", other=other) == "_TABLE = 1\n"


def test_private_globals_that_a_function_hides_or_binds_stay():
    for function in ("def f():\n    _x = 2\n    return _x\n", "def f():\n    global _x\n    _x = 2\n"):
        assert "_x = 1\n" in renamed("_x = 1\n" + function)


def test_public_and_special_names_stay():
    assert renamed("TABLE = 1\n__all__ = ()\n") == "TABLE = 1\n__all__ = ()\n"
