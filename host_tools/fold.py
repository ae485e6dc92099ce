"""Folding: registry names become integers, so that a release carries none of them.

`iana.X`, `reason.X` and `event.X` become numbers, the imports of those modules go, and a private module-level
`_NAME = <integer expression>` becomes MicroPython's `const()`, which costs no RAM. The text is edited in place and
keeps its lines, so a traceback of the device points into the readable source. Docstrings and annotations need no
help: mpy-cross drops both. Whatever cannot be folded without doubt is a FoldError, never a silent misfold.
"""

import ast
from pathlib import Path

REGISTRIES = ("iana", "reason", "event")
PACKAGE = "uike"


class FoldError(Exception):
    """A source file uses a registry in a way that cannot be folded."""


class Registries:
    """The integers of the constant modules: {"iana": {"ENCR_AES_CBC": 12, ...}, ...}."""

    def __init__(self, package: Path):
        self.values = {}
        for name in REGISTRIES:
            path = package / f"{name}.py"
            if path.exists():
                self.values[name] = _integers(path)


def _integers(path: Path) -> dict[str, int]:
    found = {}
    for node in ast.parse(path.read_text(), str(path)).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, _evaluate(node.value, found)
            if value is None:
                raise FoldError(f"{path}:{node.lineno}: {name} is not an integer")
            if name in found:
                raise FoldError(f"{path}:{node.lineno}: {name} is given twice")
            found[name] = value
    return found


_OPERATORS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.LShift: lambda a, b: a << b,
    ast.RShift: lambda a, b: a >> b,
    ast.BitOr: lambda a, b: a | b,
    ast.BitAnd: lambda a, b: a & b,
    ast.BitXor: lambda a, b: a ^ b,
    ast.Pow: lambda a, b: a**b,
}


def _evaluate(node: ast.expr, names: dict[str, int]) -> int | None:
    """The integer that an expression of literals and known `names` stands for, or None."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Invert)):
        value = _evaluate(node.operand, names)
        if value is None:
            return None
        return -value if isinstance(node.op, ast.USub) else ~value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _evaluate(node.left, names), _evaluate(node.right, names)
        if left is None or right is None or isinstance(node.op, (ast.FloorDiv, ast.Mod)) and right == 0:
            return None
        if isinstance(node.op, (ast.LShift, ast.Pow)) and not 0 <= right <= 256 or min(left, right) < 0:
            return None
        return _OPERATORS[type(node.op)](left, right)
    return None


SMALL_INT_MAX = (1 << 30) - 1  # a larger integer is a heap object on a 32-bit MicroPython, better kept once


def literal(value: int) -> str:
    """Source text of an integer, safe in any expression."""
    return str(value) if value >= 0 else f"({value})"


def fold(source: str, path: str, registries: Registries) -> str:
    """The folded source. `path` is for error messages only. Raises FoldError, SyntaxError."""
    return _fold_private(_fold_registries(source, path, registries), path)


def _fail(path: str, node: ast.AST, text: str):
    raise FoldError(f"{path}:{getattr(node, 'lineno', '?')}: {text}")


class _Registry(ast.NodeTransformer):
    """Makes the tree a file should have after folding, and notes the edits that lead there."""

    def __init__(self, path: str, registries: Registries, imported: set[str]):
        self.path, self.registries, self.imported = path, registries, imported
        self.edits: list[tuple[ast.AST, str]] = []
        self._inside_string = 0

    def visit_ImportFrom(self, node):
        if not _imported_registries(node):
            return node
        rest = [alias for alias in node.names if alias.name not in REGISTRIES]
        new = ast.ImportFrom(node.module, rest, node.level) if rest else ast.Pass()
        self.edits.append((node, ast.unparse(new)))
        return new

    def visit_JoinedStr(self, node):
        self._inside_string += 1  # Python 3.11 gives no positions inside of one
        self.generic_visit(node)
        self._inside_string -= 1
        return node

    def visit_Attribute(self, node):
        if not (isinstance(node.value, ast.Name) and node.value.id in self.imported):
            return self.generic_visit(node)
        registry = node.value.id
        if not isinstance(node.ctx, ast.Load):
            _fail(self.path, node, f"{registry}.{node.attr} is assigned to")
        if self._inside_string:
            _fail(self.path, node, f"{registry}.{node.attr} inside an f-string: give it a variable first")
        if node.attr not in self.registries.values[registry]:
            _fail(self.path, node, f"{registry} has no name {node.attr}")
        text = literal(self.registries.values[registry][node.attr])
        self.edits.append((node, text))
        return ast.parse(text, mode="eval").body

    def visit_Name(self, node):
        if node.id in self.imported:
            _fail(self.path, node, f"{node.id} is used other than as {node.id}.NAME")
        return node


def _imported_registries(node: ast.AST) -> list[str]:
    """Registries that a statement imports in the one accepted way, `from uike import iana`."""
    if isinstance(node, ast.ImportFrom) and not node.level and node.module == PACKAGE:
        return [alias.name for alias in node.names if alias.name in REGISTRIES]
    return []


def _check_imports(tree: ast.Module, path: str) -> set[str]:
    """Names of the registries that a file imports; FoldError for every other way to get at one."""
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in [f"{PACKAGE}.{name}" for name in REGISTRIES]:
                    _fail(path, node, f"import {alias.name}: write `from {PACKAGE} import ...`")
        elif isinstance(node, ast.ImportFrom):
            leaf = (node.module or "").split(".")[-1]
            names = [alias for alias in node.names if alias.name in REGISTRIES]
            if leaf in REGISTRIES and (node.level or node.module == f"{PACKAGE}.{leaf}"):
                _fail(path, node, f"import the module, not its names: `from {PACKAGE} import {leaf}`")
            if names and node.level and not node.module:
                _fail(path, node, f"write `from {PACKAGE} import {names[0].name}`")
            if any(alias.asname for alias in names) and node.module == PACKAGE:
                _fail(path, node, "a registry is imported under its own name")
            imported.update(_imported_registries(node))
    for name, node in _bindings(tree):
        if name in imported and name not in _imported_registries(node):
            _fail(path, node, f"{name} has another meaning here, while this file imports the registry of that name")
    return imported


def _fold_registries(source: str, path: str, registries: Registries) -> str:
    tree = ast.parse(source, path)
    rewriter = _Registry(path, registries, _check_imports(tree, path))
    return apply(source, path, rewriter.visit(tree), rewriter.edits)


def _bindings(tree: ast.Module):
    """(name, node) for everything in a file that gives a name a meaning."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id, node
        elif isinstance(node, ast.arg):
            yield node.arg, node
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield (alias.asname or alias.name.split(".")[0]), node
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, node
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            for name in node.names:
                yield name, node
        elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
            yield node.name, node


def private_constants(tree: ast.Module, path: str) -> dict[str, tuple[ast.Assign, int]]:
    """Module-level `_NAME = <integer expression>` given once: name to (statement, value).

    mpy-cross replaces such a name in every scope of the file, so a second meaning of it is a FoldError.
    """
    bound: dict[str, list[ast.AST]] = {}
    for name, node in _bindings(tree):
        bound.setdefault(name, []).append(node)
    found: dict[str, tuple[ast.Assign, int]] = {}
    for node in tree.body:
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)):
            continue
        name = node.targets[0].id
        value = _evaluate(node.value, {key: entry[1] for key, entry in found.items()})
        if not name.startswith("_") or name.startswith("__") or value is None or abs(value) > SMALL_INT_MAX:
            continue
        others = [other for other in bound[name] if other is not node.targets[0]]
        if any(isinstance(other, ast.Global) for other in others):
            continue  # a function changes it: a variable
        if others:
            _fail(path, others[0], f"{name} is a constant of this file and has another meaning here")
        found[name] = node, value
    return found


def _fold_private(source: str, path: str) -> str:
    tree = ast.parse(source, path)
    edits = []
    for statement, value in private_constants(tree, path).values():
        text = f"const({literal(value)})"
        edits.append((statement.value, text))
        statement.value = ast.parse(text, mode="eval").body
    return apply(source, path, tree, edits)


def stretch(line: int, start: int, length: int) -> ast.Name:
    """`length` bytes of one line, as the place of an edit."""
    return ast.Name("", lineno=line, col_offset=start, end_lineno=line, end_col_offset=start + length)


def apply(source: str, path: str, tree: ast.Module, edits: list[tuple[ast.AST, str]]) -> str:
    """`source` with each edit's text in the place of its node; lines keep their numbers.

    The result is parsed again and must be exactly `tree`: this is what makes a misfold impossible.
    """
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    data = b"".join(lines)
    place = []
    for node, text in edits:
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        lost = data[start:end].count(b"\n")
        # Line ends that were inside of the node: after a statement they may follow it, in an expression they need ().
        statement = isinstance(node, ast.stmt)
        tail = b"\n" * lost if statement else b""
        new = text.encode() + tail if statement or not lost else b"(" + b"\n" * lost + text.encode() + b")"
        place.append((start, end, new))
    for start, end, new in sorted(place, reverse=True):
        data = data[:start] + new + data[end:]
    folded = data.decode()
    if ast.dump(ast.parse(folded, path)) != ast.dump(tree):
        raise FoldError(f"{path}: the folded text does not mean what was intended (a fault of the builder)")
    return folded
