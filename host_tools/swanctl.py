"""strongSwan's configuration format: sections in braces, `key = value`, comments from `#` on. A text in, a tree out.

Values are texts; a list in one (`a, b`) is split by `values`. Quotes keep what is in them, with \\n, \\t, \\" and \\\\.
`name : other.section { ... }` begins with a copy of another section, as strongSwan does it.
"""

import copy

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class SwanctlError(Exception):
    """The text is not in that format; what is wrong, and in which line."""


def parse(text: str) -> dict:
    """The tree of a file: sections are dicts, values texts. Raises SwanctlError."""
    parser = _Parser(text)
    tree = parser.section(True)
    return _resolved(tree, tree)


def values(text: str | None) -> list[str]:
    """The entries of a list in a value."""
    return [each.strip() for each in (text or "").split(",") if each.strip()]


def seconds(text: str) -> int:
    """A time such as "4h", "30m", "90s", "90". Raises SwanctlError."""
    units = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    if not number.isdigit():
        raise SwanctlError(f"{text}: not a time")
    return int(number) * units[unit]


class _Parser:
    def __init__(self, text: str):
        self._text = text
        self._at = 0

    def _fail(self, problem: str):
        line = self._text.count("\n", 0, self._at) + 1
        raise SwanctlError(f"line {line}: {problem}")

    def _skip(self, newlines: bool = True) -> None:
        """Spaces and comments."""
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif letter in " \t\r" or newlines and letter == "\n":
                self._at += 1
            else:
                return

    def section(self, outermost: bool = False) -> dict:
        found: dict = {}
        while True:
            self._skip()
            if self._at >= len(self._text):
                if not outermost:
                    self._fail("a section does not end")
                return found
            if self._text[self._at] == "}":
                if outermost:
                    self._fail("a brace closes nothing")
                self._at += 1
                return found
            self._entry(found)

    def _entry(self, found: dict) -> None:
        name = self._word("{}=:#\n")
        if name == "include" or name.startswith("include "):
            self._fail("include: not followed; put the text in its place")
        self._skip()
        following = self._text[self._at : self._at + 1]
        if not name:
            self._fail("a name is missing")
        if following == "=":
            self._at += 1
            self._skip(False)
            found[name] = self._value()
            return
        references = []
        if following == ":":
            self._at += 1
            references = values(self._word("{}=#\n"))
            self._skip()
            following = self._text[self._at : self._at + 1]
        if following != "{":
            self._fail(f"{name}: neither a value nor a section")
        self._at += 1
        inner = self.section()
        if references:
            inner[":"] = references
        if isinstance(found.get(name), dict):
            found[name].update(inner)
        else:
            found[name] = inner

    def _word(self, ends: str) -> str:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in ends:
            self._at += 1
        return self._text[start : self._at].strip()

    def _value(self) -> str:
        if self._text[self._at : self._at + 1] != '"':
            return self._word("#}\n")
        self._at += 1
        out = []
        while self._at < len(self._text):
            letter = self._text[self._at]
            self._at += 1
            if letter == '"':
                return "".join(out)
            if letter == "\\":
                letter = self._text[self._at : self._at + 1]
                self._at += 1
                letter = "" if letter == "\n" else _ESCAPES.get(letter, letter)
            out.append(letter)
        return self._fail("a quote does not end")


def _resolved(section: dict, root: dict, depth: int = 0) -> dict:
    """The section with what it refers to."""
    if depth > 16:
        raise SwanctlError("sections refer to each other in a circle")
    made: dict = {}
    for path in section.get(":", []):
        other = root
        for name in path.split("."):
            other = other.get(name) if isinstance(other, dict) else None
        if not isinstance(other, dict):
            raise SwanctlError(f"{path}: no such section")
        _merge(made, _resolved(other, root, depth + 1))
    own = {key: value for key, value in section.items() if key != ":"}
    _merge(made, {k: _resolved(v, root, depth + 1) if isinstance(v, dict) else v for k, v in own.items()})
    return made


def _merge(made: dict, other: dict) -> None:
    for key, value in copy.deepcopy(other).items():
        if isinstance(value, dict) and isinstance(made.get(key), dict):
            _merge(made[key], value)
        else:
            made[key] = value
