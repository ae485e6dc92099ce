"""WebAssembly modules, as far as `roots` needs them: sections, function bodies, and the operand stack's heights.

Knows the instructions of the MVP with sign extension, bulk memory and exceptions; any other is a WasmError.
"""

from typing import NamedTuple

I32, I64, F32, F64, EXNREF = 0x7F, 0x7E, 0x7D, 0x7C, 0x69
_TYPE, _IMPORT, _FUNCTION, _TAG, _CODE = 1, 2, 3, 13, 10
_ANY = 0  # the type of a value popped where no code can come by


class WasmError(Exception):
    """The module holds something that is not known here."""


def uleb(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Reader:
    """A position in bytes."""

    def __init__(self, data: bytes, at: int = 0):
        self.data, self.at = data, at

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def uleb(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def take(self, length: int) -> bytes:
        self.at += length
        return self.data[self.at - length : self.at]


class Operation(NamedTuple):
    """One instruction: what it is, and the operand stack around it."""

    opcode: int
    immediate: int | None  # of calls, branches, locals and globals: the index
    raw: bytes
    depth: int  # open blocks around it, without the function's own
    base: int  # height of the operand stack where its block begins
    dead: bool  # no code can come by here
    height_before: int
    height_popped: int  # after its operands were taken
    pops: tuple
    pushes: tuple


class Code(NamedTuple):
    """A function body: its bytes, the types of its locals without parameters, its instructions."""

    index: int
    body: bytes
    locals: list[int]
    groups: bytes  # the encoded declarations of locals, without their count
    group_count: int
    operations: list[Operation]

    def with_locals(self, kinds: list[int]) -> bytes:
        """The declarations of locals with more of them at the end."""
        return uleb(self.group_count + len(kinds)) + self.groups + b"".join(bytes([1, kind]) for kind in kinds)


class Module:
    """The sections of a module, with types and bodies taken apart. Change `bodies`, then `encode`."""

    def __init__(self, wasm: bytes):
        if wasm[:8] != b"\0asm\1\0\0\0":
            raise WasmError("not a WebAssembly module")
        self._sections: list[tuple[int, bytes]] = []
        reader = Reader(wasm, 8)
        while reader.at < len(wasm):
            number = reader.byte()
            self._sections.append((number, reader.take(reader.uleb())))
        content = dict(self._sections)
        self.types = self._read_types(content[_TYPE])
        self._function_types = self._read_imports(content[_IMPORT])
        self.imported = len(self._function_types)
        reader = Reader(content[_FUNCTION])
        self._function_types += [reader.uleb() for _ in range(reader.uleb())]
        reader = Reader(content.get(_TAG, b"\0"))
        self.tags = [(reader.byte(), reader.uleb())[1] for _ in range(reader.uleb())]
        reader = Reader(content[_CODE])
        self.bodies = [reader.take(reader.uleb()) for _ in range(reader.uleb())]

    @staticmethod
    def _read_types(data: bytes) -> list[tuple[bytes, bytes]]:
        reader, found = Reader(data), []
        for _ in range(reader.uleb()):
            if reader.byte() != 0x60:
                raise WasmError("a type that is no function")
            found.append((reader.take(reader.uleb()), reader.take(reader.uleb())))
        return found

    @staticmethod
    def _read_imports(data: bytes) -> list[int]:
        reader, found = Reader(data), []
        for _ in range(reader.uleb()):
            reader.take(reader.uleb())
            reader.take(reader.uleb())
            if reader.byte() != 0:
                raise WasmError("an import that is no function")
            found.append(reader.uleb())
        return found

    def function_type(self, index: int) -> tuple[bytes, bytes]:
        """(types of parameters, types of results) of a function."""
        return self.types[self._function_types[index]]

    def code(self, index: int) -> Code:
        """A function of this module, decoded."""
        body = self.bodies[index - self.imported]
        reader, kinds = Reader(body), []
        count = reader.uleb()
        start = reader.at
        for _ in range(count):
            number = reader.uleb()
            kinds += [reader.byte()] * number
        groups = body[start : reader.at]
        parameters, results = self.function_type(index)
        operations = _Decoder(self, reader, [*parameters, *kinds], results).operations
        return Code(index, body, kinds, groups, count, operations)

    def encode(self) -> bytes:
        """The module's bytes, with `bodies` as they are now."""
        out = bytearray(b"\0asm\1\0\0\0")
        for number, data in self._sections:
            if number == _CODE:
                data = uleb(len(self.bodies)) + b"".join(uleb(len(body)) + body for body in self.bodies)
            out += bytes([number]) + uleb(len(data)) + data
        return bytes(out)


def _signatures() -> dict[int, tuple[tuple, tuple]]:
    """Opcode to (types taken, types given) of every plain instruction."""
    table = {0x01: ((), ()), 0x3F: ((), (I32,)), 0x40: ((I32,), (I32,))}
    i, j, f, d = I32, I64, F32, F64
    for first, last, takes, gives in (
        (0x28, 0x28, (i,), i), (0x29, 0x29, (i,), j), (0x2A, 0x2A, (i,), f), (0x2B, 0x2B, (i,), d),
        (0x2C, 0x2F, (i,), i), (0x30, 0x35, (i,), j), (0x36, 0x36, (i, i), None), (0x37, 0x37, (i, j), None),
        (0x38, 0x38, (i, f), None), (0x39, 0x39, (i, d), None), (0x3A, 0x3B, (i, i), None), (0x3C, 0x3E, (i, j), None),
        (0x41, 0x41, (), i), (0x42, 0x42, (), j), (0x43, 0x43, (), f), (0x44, 0x44, (), d),
        (0x45, 0x45, (i,), i), (0x46, 0x4F, (i, i), i), (0x50, 0x50, (j,), i), (0x51, 0x5A, (j, j), i),
        (0x5B, 0x60, (f, f), i), (0x61, 0x66, (d, d), i), (0x67, 0x69, (i,), i), (0x6A, 0x78, (i, i), i),
        (0x79, 0x7B, (j,), j), (0x7C, 0x8A, (j, j), j), (0x8B, 0x91, (f,), f), (0x92, 0x98, (f, f), f),
        (0x99, 0x9F, (d,), d), (0xA0, 0xA6, (d, d), d), (0xA7, 0xA7, (j,), i), (0xA8, 0xA9, (f,), i),
        (0xAA, 0xAB, (d,), i), (0xAC, 0xAD, (i,), j), (0xAE, 0xAF, (f,), j), (0xB0, 0xB1, (d,), j),
        (0xB2, 0xB3, (i,), f), (0xB4, 0xB5, (j,), f), (0xB6, 0xB6, (d,), f), (0xB7, 0xB8, (i,), d),
        (0xB9, 0xBA, (j,), d), (0xBB, 0xBB, (f,), d), (0xBC, 0xBC, (f,), i), (0xBD, 0xBD, (d,), j),
        (0xBE, 0xBE, (i,), f), (0xBF, 0xBF, (j,), d), (0xC0, 0xC1, (i,), i), (0xC2, 0xC4, (j,), j),
        (0xFC00, 0xFC01, (f,), i), (0xFC02, 0xFC03, (d,), i), (0xFC04, 0xFC05, (f,), j), (0xFC06, 0xFC07, (d,), j),
        (0xFC08, 0xFC08, (i, i, i), None), (0xFC09, 0xFC09, (), None), (0xFC0A, 0xFC0B, (i, i, i), None),
    ):  # fmt: skip
        for opcode in range(first, last + 1):
            table[opcode] = (takes, () if gives is None else (gives,))
    return table


_SIGNATURES = _signatures()
_ONE_INDEX = frozenset({0x08, 0x0C, 0x0D, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24})
_SIZES = {0x3F: 1, 0x40: 1, 0x43: 4, 0x44: 8, 0xFC0A: 2, 0xFC0B: 1}  # bytes of plain immediates


class _Block(NamedTuple):
    opcode: int
    parameters: tuple
    results: tuple
    base: int


class _Decoder:
    """Decodes one expression and keeps the types on its operand stack, as a validator does."""

    def __init__(self, module: Module, reader: Reader, kinds: list[int], results: bytes):
        self.module, self.reader, self.kinds = module, reader, kinds
        self.stack: list[int] = []
        self.blocks = [_Block(0x02, (), tuple(results), 0)]
        self.dead = False
        self.dead_blocks = [False]
        self.operations: list[Operation] = []
        while self.blocks:
            self._operation()

    def _operation(self) -> None:
        reader, start = self.reader, self.reader.at
        depth, base, dead = len(self.blocks) - 1, self.blocks[-1].base, self.dead
        opcode = reader.byte()
        if opcode == 0xFC:
            opcode = 0xFC00 | reader.uleb()
        immediate = reader.uleb() if opcode in _ONE_INDEX else None
        before = len(self.stack)
        pops, pushes = self._effect(opcode, immediate)
        # What is popped in unreachable code need not be there.
        popped = before if opcode in (0x05, 0x0B) else max(base, before - len(pops))
        raw = reader.data[start : reader.at]
        if opcode not in (0x05, 0x0B):
            del self.stack[popped:]
            self.stack += pushes
            self._control(opcode, pops, popped)
        else:
            popped = self.stack_floor
        self.operations.append(
            Operation(opcode, immediate, raw, depth, base, dead, before, popped, tuple(pops), tuple(pushes))
        )

    def _control(self, opcode: int, pops, popped: int) -> None:
        if opcode in (0x02, 0x03, 0x04, 0x1F):
            self.blocks.append(_Block(opcode, *self.signature, popped))
            self.dead_blocks.append(self.dead)
        elif opcode in (0x00, 0x08, 0x0A, 0x0C, 0x0E, 0x0F):
            self.dead = True
            del self.stack[self.blocks[-1].base :]

    def _effect(self, opcode: int, immediate: int | None) -> tuple[tuple, tuple]:
        """(types taken, types given) of the instruction, whose remaining immediates are read here."""
        if opcode in _SIGNATURES:
            self._plain_immediates(opcode)
            return _SIGNATURES[opcode]
        handler = _HANDLERS.get(opcode)
        if handler is None:
            raise WasmError(f"instruction {opcode:#x}")
        return handler(self, immediate)

    def _plain_immediates(self, opcode: int) -> None:
        if 0x28 <= opcode <= 0x3E:
            self.reader.uleb()
            self.reader.uleb()
        elif opcode in (0x41, 0x42):
            self.reader.uleb()
        elif opcode in (0xFC08, 0xFC09):
            self.reader.uleb()
            self.reader.take(1 if opcode == 0xFC08 else 0)
        else:
            self.reader.take(_SIZES.get(opcode, 0))

    def _top(self, at: int = 1) -> int:
        """The type of a value near the top, or _ANY where none need be."""
        return self.stack[-at] if len(self.stack) - at >= self.blocks[-1].base else _ANY

    def _block(self, condition: tuple) -> tuple[tuple, tuple]:
        code = self.reader.byte()
        if code == 0x40:
            self.signature = (), ()
        elif code >= 0x40:
            self.signature = (), (code,)
        else:
            self.reader.at -= 1
            parameters, results = self.module.types[self.reader.uleb()]
            self.signature = tuple(parameters), tuple(results)
        return self.signature[0] + condition, self.signature[0]

    def _try_table(self) -> tuple[tuple, tuple]:
        effect = self._block(())
        for _ in range(self.reader.uleb()):
            if self.reader.byte() in (0x00, 0x01):
                self.reader.uleb()
            self.reader.uleb()
        return effect

    def _else(self):
        block = self.blocks[-1]
        self.stack_floor = block.base
        self.stack[block.base :] = block.parameters
        self.dead = self.dead_blocks[-1]
        return (), block.parameters

    def _end(self):
        block = self.blocks.pop()
        self.stack_floor = block.base
        self.stack[block.base :] = block.results
        self.dead = self.dead_blocks.pop()
        return (), block.results

    def _call(self, index: int):
        parameters, results = self.module.function_type(index)
        return tuple(parameters), tuple(results)

    def _call_indirect(self):
        parameters, results = self.module.types[self.reader.uleb()]
        self.reader.uleb()
        return (*parameters, I32), tuple(results)

    def _branch_types(self, depth: int) -> tuple:
        block = self.blocks[-1 - depth]
        return block.parameters if block.opcode == 0x03 else block.results

    def _br_table(self):
        for _ in range(self.reader.uleb()):
            self.reader.uleb()
        return (*self._branch_types(self.reader.uleb()), I32), ()


_HANDLERS = {
    0x00: lambda d, n: ((), ()),
    0x02: lambda d, n: d._block(()),
    0x03: lambda d, n: d._block(()),
    0x04: lambda d, n: d._block((I32,)),
    0x05: lambda d, n: d._else(),
    0x08: lambda d, n: (tuple(d.module.types[d.module.tags[n]][0]), ()),
    0x0A: lambda d, n: ((EXNREF,), ()),
    0x0B: lambda d, n: d._end(),
    0x0C: lambda d, n: (d._branch_types(n), ()),
    0x0D: lambda d, n: ((*d._branch_types(n), I32), d._branch_types(n)),
    0x0E: lambda d, n: d._br_table(),
    0x0F: lambda d, n: (d.blocks[0].results, ()),
    0x10: lambda d, n: d._call(n),
    0x11: lambda d, n: d._call_indirect(),
    0x1A: lambda d, n: ((_ANY,), ()),
    0x1B: lambda d, n: ((_ANY, _ANY, I32), (d._top(2) or d._top(3),)),
    0x1F: lambda d, n: d._try_table(),
    0x20: lambda d, n: ((), (d.kinds[n],)),
    0x21: lambda d, n: ((_ANY,), ()),
    0x22: lambda d, n: ((_ANY,), (d.kinds[n],)),
    0x23: lambda d, n: ((), (I32,)),
    0x24: lambda d, n: ((I32,), ()),
}
