"""Names that nobody outside sees are spelled alike everywhere: arguments `a`, `b`, ..., private globals `A`, `B`, ...

MicroPython interns every such name and keeps it for ever, but one spelling costs once however often it is used. What a
function calls its arguments is its own affair unless a call gives them by name; what a module calls its private
functions and tables (`_name`) is its own affair unless another module, a string or an attribute says the same.
"""

import ast
import copy
import itertools

from host_tools import fold

_ARGUMENTS = "abcdefghijklmnopqrstuvwxyz"
_GLOBALS = [a + b for b in ("", *"0123456789") for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


class LocalNames:
    """What must stay in the modules `texts`, {where: folded source}."""

    def __init__(self, texts: dict[str, str]):
        self.keywords: set[str] = set()
        self._shared: set[str] = set()
        for where, text in texts.items():
            for node in ast.walk(ast.parse(text, where)):
                if isinstance(node, ast.keyword) and node.arg:
                    self.keywords.add(node.arg)
                elif isinstance(node, ast.Attribute):
                    self._shared.add(node.attr)
                elif isinstance(node, ast.ImportFrom):
                    self._shared.update(alias.name for alias in node.names)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    self._shared.update(node.value.split("."))

    def rename(self, source: str, path: str) -> str:
        """One of the modules with its own names respelled; lines keep their numbers."""
        tree = ast.parse(source, path)
        intended = copy.deepcopy(tree)
        edits = []
        for function, twin in zip(_outermost(tree), _outermost(intended), strict=True):
            mapping = self._arguments(function)
            edits += _respell(_inside(function), _inside(twin), mapping)
        mapping = self._globals(tree)
        edits += _respell(ast.walk(tree), ast.walk(intended), mapping)
        lines = source.encode().splitlines()
        for node, twin in zip(tree.body, intended.body, strict=True):
            if isinstance(node, _FUNCTIONS) and node.name in mapping:
                start = lines[node.lineno - 1].index(b"def ", node.col_offset) + 4
                edits.append((fold.stretch(node.lineno, start, len(node.name)), mapping[node.name]))
                twin.name = mapping[node.name]
        return fold.apply(source, path, intended, edits)

    def _arguments(self, function) -> dict[str, str]:
        """Own arguments of a function that is in no other one, to letters that mean nothing else in it."""
        used, tied = _names_and_ties(_inside(function))
        names = [each.arg for each in _own(function)]
        letters = iter([each for each in _ARGUMENTS if each not in used | tied and each not in names])
        free = [name for name in names if name not in tied | self.keywords and len(name) > 1]
        return dict(zip(free, letters, strict=False))

    def _globals(self, tree: ast.Module) -> dict[str, str]:
        """Private functions and tables of a module, to capital letters that mean nothing else in it."""
        names = []
        for node in tree.body:
            if isinstance(node, _FUNCTIONS):
                names.append(node.name)
            elif isinstance(node, ast.Assign) and not _is_const(node.value):
                names += [each.id for each in node.targets if isinstance(each, ast.Name)]
        used, tied = _names_and_ties(node for node in ast.walk(tree) if node not in tree.body)
        letters = iter([each for each in _GLOBALS if each not in used | tied and each not in names])
        free = [name for name in dict.fromkeys(names) if name[0] == "_" != name[1] and name not in tied | self._shared]
        bound = {each.id for function in _outermost(tree) for each in _inside(function) if _stores(each)}
        return dict(zip([name for name in free if name not in bound], letters, strict=False))


def _respell(nodes, twins, mapping: dict[str, str]):
    """Edits of the variables among the nodes, which are also changed in their twins."""
    for node, twin in zip(nodes, twins, strict=True):
        field = {ast.Name: "id", ast.arg: "arg"}.get(type(node))
        if field and getattr(node, field) in mapping:
            name = getattr(node, field)
            setattr(twin, field, mapping[name])
            yield fold.stretch(node.lineno, node.col_offset, len(name.encode())), mapping[name]


def _names_and_ties(nodes) -> tuple[set[str], set[str]]:
    """(variables, those of them that are not understood: bound by more than an assignment, or without a position)."""
    used, tied = set(), set()
    for node in nodes:
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.JoinedStr):
            tied.update(each.id for each in ast.walk(node) if isinstance(each, ast.Name))
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            tied.update(node.names)
        elif isinstance(node, ast.alias):
            tied.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, (*_DEFINITIONS, ast.ExceptHandler)):
            tied.add(node.name or "")
        if isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            tied.update(each.arg for each in _own(node))
    return used, tied


def _outermost(tree: ast.AST):
    """Functions that are in no other function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, _FUNCTIONS):
            yield node
        else:
            yield from _outermost(node)


def _own(function) -> list[ast.arg]:
    arguments = function.args
    rest = [each for each in (arguments.vararg, arguments.kwarg) if each]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest]


def _inside(function):
    """All that is evaluated in the function's own scope or below: not its defaults, annotations and decorators."""
    return itertools.chain(_own(function), *(ast.walk(statement) for statement in function.body))


def _stores(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)


def _is_const(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "const"
