"""None of what CPython takes and MicroPython on an ESP32 does not, or takes and does something else, is in the firmware.

Each rule is a name, the reason, a test of one node of the syntax tree, and texts that it must and must not catch. Types
are not known here, so a rule forbids a spelling even where it would be harmless. Reliance on the order of a dict or on
a stable sort cannot be seen this way. The CPython platform never runs on MicroPython and keeps only the last rules.
"""

import ast
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parent.parent / "firmware"
FILES = sorted(FIRMWARE.rglob("*.py"))

# Built into every official ESP32 image, and used or usable by us.
_MODULES = (
    "_thread array asyncio binascii collections cryptolib deflate errno esp32 gc hashlib heapq io json machine math micropython"
    " network ntptime os select socket struct sys time uctypes uike vfs"
).split()


def named(node, *names):
    return isinstance(node, ast.Name) and node.id in names


def calls(node, *names):
    """A call of a builtin or of a method, by its last name."""
    if not isinstance(node, ast.Call):
        return False
    return named(node.func, *names) or isinstance(node.func, ast.Attribute) and node.func.attr in names


def attribute(node, *names):
    return isinstance(node, ast.Attribute) and node.attr in names


def of_module(node, module, *names):
    return attribute(node, *names) and named(node.value, module)


def negative(node):
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def keyword(node, name):
    return any(each.arg == name for each in node.keywords)


def foreign(node):
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom) and not node.level:
        names = [node.module]
    return any(name.split(".")[0] not in _MODULES for name in names)


def unpacks(node):
    if isinstance(node, ast.Dict):
        return None in node.keys
    literal = isinstance(node, (ast.List, ast.Tuple, ast.Set)) and not isinstance(getattr(node, "ctx", None), ast.Store)
    return literal and any(isinstance(each, ast.Starred) for each in node.elts)


def generates(node):
    return isinstance(node, ast.AsyncFunctionDef) and any(
        isinstance(each, (ast.Yield, ast.YieldFrom)) for each in ast.walk(node)
    )


# name: (why, test of a node, texts that are caught, texts that pass)
RUNTIME = {
    "import": (
        "an official image has no typing, enum, dataclasses, functools, itertools, hmac, base64, secrets, logging",
        foreign,
        [
            "import typing",
            "from enum import IntEnum",
            "import os.path, hmac",
            "from base64 import b64encode",
            "import random",
        ],
        ["import struct", "from uike import iana", "from . import x", "from array import array"],
    ),
    "negative pow": (
        "pow(a, -1, m) is 0 there, without an error",
        lambda node: calls(node, "pow") and len(node.args) > 1 and negative(node.args[1]),
        ["pow(a, -1, p)", "pow(a, -n, p)"],
        ["pow(a, p - 2, p)", "pow(-1, a)"],
    ),
    "bit_length": (
        "integers have neither bit_length nor bit_count",
        lambda node: attribute(node, "bit_length", "bit_count"),
        ["n.bit_length()", "(5).bit_count()"],
        ["bit_length(n)"],
    ),
    "integer to bytes": (
        "to_bytes and from_bytes take their arguments by position only before 1.29, and need both",
        lambda node: calls(node, "to_bytes", "from_bytes") and (node.keywords or len(node.args) != 2),
        [
            "n.to_bytes(4, byteorder='big')",
            "n.to_bytes(length=4)",
            "int.from_bytes(b, 'big', signed=True)",
            "int.from_bytes(b)",
        ],
        ["n.to_bytes(4, 'big')", "int.from_bytes(b, 'little')"],
    ),
    "copy of a hash": (
        "hash objects have no copy(), and a dropped one keeps the chip's SHA engine locked",
        lambda node: calls(node, "copy", "hexdigest"),
        ["h.copy()", "h.hexdigest()"],
        ["h.digest()", "h.copy"],
    ),
    "step slice": (
        "bytes, bytearray and memoryview have no slices with a step",
        lambda node: isinstance(node, ast.Slice) and node.step is not None,
        ["b[::-1]", "b[::2]", "b[1:9:3]"],
        ["b[1:]", "b[:]", "range(9, -1, -1)"],
    ),
    "unpacking in a literal": (
        "[*a], (*a, b) and {**a} do not compile",
        unpacks,
        ["x = [*a]", "x = {**a, 'b': 1}", "x = (*a, 1)", "x = {*a}"],
        ["f(*a, **k)", "a, *b = c", "x = {'a': 1}", "[a, *b] = c"],
    ),
    "syntax": (
        "match, except*, positional-only parameters, async comprehensions and async generators do not compile",
        lambda node: (
            isinstance(node, (ast.Match, ast.TryStar))
            or isinstance(node, ast.arguments)
            and node.posonlyargs
            or isinstance(node, ast.comprehension)
            and node.is_async
            or generates(node)
        ),
        [
            "match x:\n case 1: pass",
            "def f(a, /): pass",
            "try: pass\nexcept* OSError: pass",
            "async def f(): return [x async for x in y]",
            "async def f(): yield 1",
        ],
        ["match = 1", "def f(a, *, b): pass", "async def f():\n async for x in y: pass", "def f(): yield 1"],
    ),
    "class features": (
        "no metaclass, __init_subclass__, __getattribute__, __class_getitem__, __missing__; __del__ never runs, "
        "__slots__ does nothing",
        lambda node: (
            isinstance(node, ast.ClassDef)
            and node.keywords
            or isinstance(node, ast.FunctionDef)
            and node.name in ("__init_subclass__", "__getattribute__", "__class_getitem__", "__missing__", "__del__")
            or named(node, "__slots__")
        ),
        ["class A(metaclass=B): pass", "class A:\n def __del__(self): pass", "class A:\n __slots__ = ()"],
        ["class A(B): pass", "class A:\n def __init__(self): pass"],
    ),
    "isinstance of a union": (
        "isinstance(x, A | B) is a TypeError",
        lambda node: calls(node, "isinstance") and isinstance(node.args[1], ast.BinOp),
        ["isinstance(x, int | str)"],
        ["isinstance(x, (int, str))", "def f(a: int | None): pass"],
    ),
    "methods of strings and bytes": (
        "no translate, maketrans, zfill, ljust, rjust, removeprefix, removesuffix, isalnum, casefold",
        lambda node: attribute(
            node,
            "translate",
            "maketrans",
            "zfill",
            "ljust",
            "rjust",
            "removeprefix",
            "removesuffix",
            "isalnum",
            "casefold",
        ),
        ["s.zfill(4)", "s.ljust(3)", "b.translate(t)", "s.removeprefix('a')"],
        ["s.strip()", "s.partition(':')", "'%04d' % n"],
    ),
    "methods of memoryview": (
        "no tobytes, cast, release, nbytes, readonly",
        lambda node: attribute(node, "tobytes", "cast", "nbytes", "readonly") or of_module(node, "view", "release"),
        ["m.tobytes()", "m.cast('I')", "view.release()", "m.nbytes"],
        ["bytes(m)", "m.hex()", "crypto.release()"],
    ),
    "struct": (
        "struct.unpack ignores what is too much; no Struct, iter_unpack, error: check the length and use unpack_from",
        lambda node: of_module(node, "struct", "unpack", "Struct", "iter_unpack", "error"),
        ["struct.unpack('>I', b)", "struct.Struct('>I')", "struct.iter_unpack('>I', b)", "struct.error"],
        ["struct.unpack_from('>I', b, 4)", "struct.pack_into('>I', b, 0, 1)", "struct.calcsize('>I')"],
    ),
    "exceptions": (
        "no TimeoutError, BlockingIOError, ConnectionError, UnicodeDecodeError: OSError(errno), UnicodeError",
        lambda node: named(
            node, "TimeoutError", "BlockingIOError", "ConnectionError", "ConnectionResetError", "UnicodeDecodeError"
        ),
        ["try: pass\nexcept TimeoutError: pass", "raise ConnectionError"],
        ["try: pass\nexcept OSError: pass", "raise ValueError('x')"],
    ),
    "builtins": (
        "no vars and slice(); iter(f, sentinel), zip(strict=), int(base=), sum(start=) are not taken",
        lambda node: (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and (
                node.func.id in ("vars", "slice")
                or node.func.id == "iter"
                and len(node.args) > 1
                or node.func.id in ("zip", "int", "sum")
                and node.keywords
            )
        ),
        ["vars(x)", "slice(1, 2)", "iter(f, None)", "zip(a, b, strict=True)", "int('a', base=16)", "sum(a, start=1)"],
        ["iter(a)", "zip(a, b)", "int('a', 16)", "s.slice()", "sum(a)"],
    ),
}

# Time and randomness are given to the protocol; only a platform may ask for them.
ENGINE = {
    "clock": (
        "the protocol's time is an argument; time.time is whole seconds since 2000, and there is no time.monotonic",
        lambda node: (
            of_module(node, "time", "time", "time_ns", "monotonic", "perf_counter", "sleep", "ticks_ms", "ticks_us")
            or isinstance(node, ast.ImportFrom)
            and node.module == "time"
        ),
        ["time.time()", "time.monotonic()", "from time import time"],
        ["sa.time()", "time.ticks_diff(a, b)"],
    ),
    "entropy": (
        "random bytes come from the DRBG that the platform seeds",
        lambda node: attribute(node, "urandom", "getrandbits"),
        ["os.urandom(4)", "random.getrandbits(8)"],
        ["endpoint.random(4)"],
    ),
}

EVERYWHERE = {
    "native code": (
        "a board keeps executable memory until its next reset: only modules that are loaded once may have native code",
        lambda node: calls(node, "exec", "eval", "compile") or attribute(node, "viper", "native", "asm_thumb"),
        ["exec(text)", "eval(text)", "@micropython.viper\ndef f(): pass", "@micropython.native\ndef f(): pass"],
        ["execute(text)", "kernels.load(a, b, 3)"],
    ),
    "bare except": (
        "it swallows KeyboardInterrupt and the bugs of ours; name what is expected",
        lambda node: isinstance(node, ast.ExceptHandler) and (node.type is None or named(node.type, "BaseException")),
        ["try: pass\nexcept: pass", "try: pass\nexcept BaseException: pass"],
        ["try: pass\nexcept ValueError: pass"],
    ),
    "assert": (
        "the image is compiled without asserts: what one would refuse gets through",
        lambda node: isinstance(node, ast.Assert),
        ["assert x"],
        ["if not x: raise ValueError"],
    ),
}

RULES = {**RUNTIME, **ENGINE, **EVERYWHERE}


def rules_for(path):
    parts = path.relative_to(FIRMWARE).parts
    if "kernels" in parts:
        return {name: rule for name, rule in RULES.items() if name != "native code"}
    if "cpython" in parts:
        return EVERYWHERE
    if "hal" in parts or "app" in parts:
        return {**RUNTIME, **EVERYWHERE}
    return RULES


def caught(text, rules):
    """(rule, line) of everything that a text should not have."""
    for node in ast.walk(ast.parse(text)):
        for name, (_, test, _, _) in rules.items():
            if test(node):
                yield name, getattr(node, "lineno", 0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_no_trap(path):
    rules = rules_for(path)
    text = path.read_text()
    if path.relative_to(FIRMWARE).parts[:3] == ("uike", "hal", "vm"):
        text = text.replace("import host\n", "\n")  # the VM's own door
    found = [f"{path}:{line}: {name}: {RULES[name][0]}" for name, line in caught(text, rules)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_catches_its_samples_and_nothing_else(name):
    _, _, bad, good = RULES[name]
    for text in bad:
        assert name in [rule for rule, _ in caught(text, RULES)], text
    for text in good:
        assert not list(caught(text, {name: RULES[name]})), text


def test_the_rules_reach_every_part():
    lengths = {len(EVERYWHERE), len(RUNTIME) + len(EVERYWHERE), len(RULES) - 1, len(RULES)}
    assert {len(rules_for(path)) for path in FILES} == lengths
    assert rules_for(FIRMWARE / "uike" / "crypto" / "soft" / "x25519.py") is RULES
    assert rules_for(FIRMWARE / "uike" / "hal" / "cpython" / "crypto.py") is EVERYWHERE
