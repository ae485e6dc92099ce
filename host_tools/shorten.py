"""Shortening: the firmware's own names become names that every MicroPython image holds in its flash already.

Each name in an `.mpy` is interned on the device and never freed. So one mapping for a whole image, name to name, takes
the place of the firmware's own: first the names of `device_names.txt` that the image uses for nothing else, which cost
no RAM, then short ones. Every occurrence of a name is renamed alike, in whatever scope, and no two names that can meet
become one, so no scope needs to be understood. A name stays when something outside the image may know it: names of
MicroPython and its modules, of modules of ours, whatever a string spells, exceptions (the device reports them by name)
and `PUBLIC`. The host gets the way back as `Names.symbols`.
"""

import ast
import builtins
import collections
import copy
import itertools
import keyword
import re
from pathlib import Path

from host_tools import fold
from host_tools.local_names import LocalNames

PUBLIC = frozenset({"Datagrams", "VERSION", "finish", "self", "serve", "up"})  # what a program may use, or has itself
DATA = Path(__file__).with_name("device_names.txt")
_SPELLED = re.compile(r"\w+(\.\w+)*")
_REFLECTION = frozenset({"dir", "eval", "exec", "globals", "locals", "vars"})
_BY_NAME = frozenset({"delattr", "getattr", "hasattr", "setattr"})
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _device_names() -> tuple[list[str], set[str]]:
    """(names that cost nothing on any device, all names that something foreign may have)."""
    groups = [[], []]
    for line in DATA.read_text().splitlines():
        if line.startswith("["):
            group = groups[line == "[foreign]"]
        elif not line.startswith("#"):
            group += line.split()
    return groups[0], set(groups[0] + groups[1])


class _Uses(ast.NodeVisitor):
    """How a set of files uses names: as variables, as attributes, and which of them it defines itself."""

    def __init__(self):
        self.variables: set[str] = set()  # what is looked up by itself
        self.attributes: set[str] = set()  # what is looked up in an object: members, and what a module holds
        self.members: set[str] = set()  # those attributes that are set here
        self.defined: set[str] = set()  # what becomes a name on the device because of these files
        self.kept: set[str] = set()
        self.bases: list[tuple[int, str]] = []
        self.reflection: list[tuple[int, str]] = []
        self._scope = None

    def _inside(self, node):
        if isinstance(self._scope, ast.ClassDef) and isinstance(node, _FUNCTIONS):
            for each in (*getattr(node, "decorator_list", ()), *node.args.defaults, *node.args.kw_defaults):
                if each:
                    self.visit(each)  # in the class
        outer, self._scope = self._scope, node
        self.generic_visit(node)
        self._scope = outer

    def _bind(self, name):
        """A name gets a meaning in the scope at hand; that of a function's own variables is no name on the device."""
        if isinstance(self._scope, ast.ClassDef):
            self.members.add(name)
        else:
            self.variables.add(name)
        if not isinstance(self._scope, _FUNCTIONS):
            self.attributes.add(name)
            self.defined.add(name)

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self.variables.add(node.id)
            if isinstance(self._scope, ast.ClassDef):  # which looks among its own members first
                self.members.add(node.id)
            if node.id in _REFLECTION:
                self.reflection.append((node.lineno, node.id))
        else:
            self._bind(node.id)

    def visit_Call(self, node):
        if isinstance(node.func, ast.Name) and node.func.id == "exec" and len(node.args) > 1:
            for argument in node.args:  # a text with names of its own sees nothing of this file
                self.visit(argument)
        else:
            self.generic_visit(node)

    def visit_Attribute(self, node):
        self.attributes.add(node.attr)
        if not isinstance(node.ctx, ast.Load):
            self.members.add(node.attr)
            self.defined.add(node.attr)
        self.generic_visit(node)

    def visit_arg(self, node):
        self.variables.add(node.arg)
        self.defined.add(node.arg)

    def visit_keyword(self, node):
        self.variables.add(node.arg or "")
        self.generic_visit(node)

    def visit_FunctionDef(self, node):
        self._bind(node.name)
        self.defined.add(node.name)
        self._inside(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        self._inside(node)

    def visit_ClassDef(self, node):
        self._bind(node.name)
        self.defined.add(node.name)
        for base in node.bases:
            name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "?")
            self.bases.append((node.lineno, name))
            if _is_exception(name):
                self.kept.add(node.name)
        self._inside(node)

    def visit_Import(self, node):
        for alias in node.names:
            self.kept.update(alias.name.split("."))
            self._bind(alias.asname or alias.name.split(".")[0])

    def visit_ImportFrom(self, node):
        self.kept.update((node.module or "").split("."))
        for alias in node.names:
            self.attributes.add(alias.name)
            self._bind(alias.asname or alias.name)

    def visit_Global(self, node):
        self.variables.update(node.names)
        self.attributes.update(node.names)
        self.defined.update(node.names)

    visit_Nonlocal = visit_Global

    def visit_ExceptHandler(self, node):
        self._bind(node.name or "")
        self.generic_visit(node)

    def visit_JoinedStr(self, node):
        self.kept.update(_identifiers_in(node))  # no positions in there
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str) and _SPELLED.fullmatch(node.value):
            self.kept.update(node.value.split("."))


def _is_exception(name: str) -> bool:
    return isinstance(getattr(builtins, name, None), type) and issubclass(getattr(builtins, name), BaseException)


class Names:
    """The mapping of one firmware: `texts` is {where: folded source} of all its modules, `modules` their names.

    `lasting`: where those modules are that stay in memory. Their names are the first to get one that costs nothing.
    """

    def __init__(self, texts: dict[str, str], modules: list[str], lasting: frozenset[str] = frozenset()):
        self._files, self._local = frozenset(texts), LocalNames(texts)
        texts = {where: self._local.rename(text, where) for where, text in texts.items()}
        uses = _Uses()
        lasts = set()
        files = collections.defaultdict(set)  # where a name occurs: the more, the likelier it is in memory
        for where, text in texts.items():
            tree = ast.parse(text, where)
            uses.visit(tree)
            here = _Uses()
            here.visit(tree)
            here = here.variables | here.attributes | here.members
            for name in here:
                files[name].add(where)
            if where in lasting:
                lasts |= here
            uses.kept.update(_constants(tree))
            for line, name in uses.reflection:
                raise fold.FoldError(f"{where}:{line}: {name}: this file's names are shortened, so none is looked at")
        for line, name in uses.bases:
            if name not in uses.defined and not _is_exception(name):
                raise fold.FoldError(f"line {line}: a class from {name}, whose attributes are not known here")
        free, foreign = _device_names()
        kept = (
            uses.kept | foreign | PUBLIC | set(dir(builtins)) | {part for name in modules for part in name.split(".")}
        )
        own = [name for name in uses.defined - kept if not name.startswith("__") and name.isascii()]
        own.sort(key=lambda name: (name not in lasts, -len(files[name]), name))
        taken = uses.variables | uses.attributes | uses.members | uses.kept | PUBLIC
        self.mapping = self._assign(own, uses, files, [name for name in free if name not in taken], taken | foreign)
        self.variables = self._back(name for name in own if name in uses.variables)
        self.members = self._back(name for name in own if name in uses.members)

    @staticmethod
    def _assign(own, uses, files, free, taken) -> dict[str, str]:
        """Unequal names for all variables that some file has both of, and for all that are members of objects.

        Neither a scope nor a module holds members: one that is only ever a variable, be it a function of a module, and
        one that is only ever a member may share. A variable does not take the name of a builtin, which a guest's file
        may want.
        """
        builtin = [name for name in free if hasattr(builtins, name)]
        short = (a + b for a in _LETTERS for b in _LETTERS + "0123456789")
        short = (name for name in short if name not in taken and not keyword.iskeyword(name))
        pool = list(itertools.islice(itertools.chain((name for name in free if name not in builtin), short), len(own)))
        both = [name for name in own if name in uses.variables and name in uses.members]
        mapping = dict(zip(both, pool, strict=False))
        rest = pool[len(both) :]
        mapping.update(zip([name for name in own if name not in uses.variables], builtin + rest, strict=False))
        used = collections.defaultdict(set)  # in which files a device's name is a variable
        for name in own:
            if name not in uses.members:
                new = next(new for new in rest if not used[new] & files[name])
                used[new] |= files[name]
                mapping[name] = new
        return mapping

    def _back(self, names) -> dict[str, list[str]]:
        found = collections.defaultdict(list)
        for name in names:
            found[self.mapping[name]].append(name)
        return dict(found)

    @property
    def symbols(self) -> dict[str, str]:
        """Name on the device to name in the source; "one/other" where several share it."""
        return {
            name: "/".join(dict.fromkeys(self.members.get(name, []) + self.variables.get(name, [])))
            for name in self.mapping.values()
        }

    def shorten(self, source: str, path: str) -> str:
        """The source in the device's names; lines keep their numbers. `path` is for error messages only.

        For a file that is not of this firmware (a guest beside it), also checks that its own names do not meet those
        of the mapping. Raises FoldError, SyntaxError.
        """
        source = self._local.rename(source, path) if path in self._files else self._part(source, path)
        tree = ast.parse(source, path)
        self._check(tree, path)
        intended = copy.deepcopy(tree)
        for node in ast.walk(intended):
            self._rename(node)
        return fold.apply(source, path, intended, list(_edits(tree, source.encode().splitlines(), self.mapping, path)))

    def _meetings(self, uses: _Uses):
        """Lists of the variables of a file that would become one."""
        for new, names in sorted(self.variables.items()):
            names = [name for name in names if name in uses.variables]
            if new in uses.variables and new not in self.mapping:
                names.append(new)
            if len(names) > 1:
                yield names

    def _part(self, source: str, path: str) -> str:
        """A guest may have variables of which no file of the firmware has both: all but one get names of their own."""
        tree = ast.parse(source, path)
        uses = _Uses()
        uses.visit(tree)
        nodes = list(ast.walk(tree))
        tied = {node.arg for node in nodes if isinstance(node, ast.keyword)} | self._local.keywords
        tied |= {name for node in nodes if isinstance(node, ast.JoinedStr) for name in _identifiers_in(node)}
        tied.update(each for node in nodes if isinstance(node, (ast.Global, ast.Nonlocal)) for each in node.names)
        tied.update(node.name for node in nodes if isinstance(node, (*_DEFINITIONS, ast.ExceptHandler)))
        mapping = {}
        for names in self._meetings(uses):
            free = [name for name in names if name not in tied and name + "_" not in uses.variables]
            mapping.update((name, name + "_") for name in (free if len(free) < len(names) else free[1:]))
        if not mapping:
            return source
        intended = copy.deepcopy(tree)
        edits = []
        for node, twin in zip(ast.walk(tree), ast.walk(intended), strict=True):
            field = {ast.Name: "id", ast.arg: "arg", ast.alias: "name"}.get(type(node))
            name = field and getattr(node, field)
            if name not in mapping or getattr(node, "asname", None):
                continue
            new = mapping[name]
            if field == "name":
                twin.asname, new = new, f"{name} as {new}"
            else:
                setattr(twin, field, new)
            edits.append((fold.stretch(node.lineno, node.col_offset, len(name)), new))
        return fold.apply(source, path, intended, edits)

    def _rename(self, node):
        for field in ("id", "attr", "arg", "name", "names"):
            value = getattr(node, field, None)
            if isinstance(node, ast.alias) or value is None or isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            new = (
                [self.mapping.get(each, each) for each in value] if field == "names" else self.mapping.get(value, value)
            )
            setattr(node, field, new)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                alias.name = self.mapping.get(alias.name, alias.name)
                alias.asname = self.mapping.get(alias.asname, alias.asname)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                alias.asname = self.mapping.get(alias.asname or alias.name, alias.asname)

    def _check(self, tree, path):
        uses = _Uses()
        uses.visit(tree)
        for names in self._meetings(uses):
            raise fold.FoldError(f"{path}: {names[1]} is {names[0]} on the device: call it otherwise")
        for name in sorted(uses.members - set(self.mapping)):
            if name in self.members:
                raise fold.FoldError(f"{path}: {name} is {self.members[name][0]} on the device: call it otherwise")
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                for name in sorted(set(self.mapping) & _identifiers_in(node)):
                    raise fold.FoldError(f"{path}:{node.lineno}: {name} in an f-string: give it a variable first")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _BY_NAME:
                for argument in node.args[1:2]:
                    if isinstance(argument, ast.Constant) and argument.value in self.mapping:
                        raise fold.FoldError(f"{path}:{node.lineno}: {argument.value} has another name on the device")


def _constants(tree: ast.Module) -> set[str]:
    """Private constants that the compiler replaces: no names on the device."""
    return {
        node.targets[0].id
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Call)
        and getattr(node.value.func, "id", "") == "const"
    }


def _identifiers_in(node: ast.AST) -> set[str]:
    return {name for part in ast.walk(node) for name in _identifiers(part)}


def _identifiers(node: ast.AST) -> list[str]:
    return [value for field, value in ast.iter_fields(node) if field in ("id", "attr", "arg", "name") and value]


_HEADS = (  # (kind of node, what is between its start and its name)
    (_DEFINITIONS, re.compile(rb"(?:async\s+)?(?:def|class)\s+")),
    (ast.ExceptHandler, re.compile(rb"[\s)]*as\s+")),
)


def _edits(tree: ast.Module, lines: list[bytes], mapping: dict[str, str], path: str):
    """(place, new text) of each name that `mapping` has."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield node, ast.unparse(type(node)([mapping.get(name, name) for name in node.names]))
        elif isinstance(node, ast.Attribute) and node.attr in mapping:
            end = node.end_col_offset
            yield fold.stretch(node.end_lineno, end - len(node.attr), len(node.attr)), mapping[node.attr]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield from _import_edits(alias, isinstance(node, ast.Import), mapping)
        elif isinstance(node, (*_DEFINITIONS, ast.ExceptHandler)) and node.name in mapping:
            line, start = node.lineno, node.col_offset
            if isinstance(node, ast.ExceptHandler):
                line, start = node.type.end_lineno, node.type.end_col_offset
            head = next(pattern for kind, pattern in _HEADS if isinstance(node, kind)).match(lines[line - 1], start)
            if not head:
                raise fold.FoldError(f"{path}:{line}: the name {node.name} is not where it is looked for")
            yield fold.stretch(line, head.end(), len(node.name)), mapping[node.name]
        elif isinstance(node, (ast.Name, ast.arg, ast.keyword)):
            name = node.id if isinstance(node, ast.Name) else node.arg
            if name in mapping:
                yield fold.stretch(node.lineno, node.col_offset, len(name)), mapping[name]


def _import_edits(alias: ast.alias, module: bool, mapping: dict[str, str]):
    start, end = alias.col_offset, alias.end_col_offset
    if alias.asname in mapping:
        yield fold.stretch(alias.end_lineno, end - len(alias.asname), len(alias.asname)), mapping[alias.asname]
    if alias.name in mapping and module and not alias.asname:
        yield fold.stretch(alias.lineno, start, end - start), f"{alias.name} as {mapping[alias.name]}"
    elif alias.name in mapping and not module:
        yield fold.stretch(alias.lineno, start, len(alias.name)), mapping[alias.name]
