"""Mends the pinned VM: puts every pointer that lives across a call where the VM's garbage collector can see it.

MicroPython's collector finds what is in use by scanning the C stack and the processor's registers. The compiler that
made the WebAssembly artifact kept pointers in WebAssembly locals and on its operand stack, which nothing can scan, so
a collection in the middle of a C function frees objects that are in use: frames of running functions, big integers
half computed, exceptions on their way. `mend` gives each function that may reach the collector a frame on the C
stack, and keeps a copy there of each i32 local that lives across a call, and of each i32 on the operand stack at a
call. The frame begins as zeros, or pointers of earlier calls would keep garbage alive. Nothing else changes; the same
program still executes the same number of instructions every time.
"""

from host_tools.emulator.wasm import F32, F64, I32, I64, Code, Module, Operation, uleb

VERSION = 2  # of this transformation, for caches of its result
_STACK_POINTER = 0  # the global that points to the lowest byte in use of the C stack
_BRANCHES = (0x0C, 0x0D)
_CALL, _CALL_INDIRECT, _RETURN, _LOOP = 0x10, 0x11, 0x0F, 0x03
_LOCAL_GET, _LOCAL_SET, _LOCAL_TEE = 0x20, 0x21, 0x22
_NO_POINTER = {0x41, 0x3F, 0x2C, 0x2D, 0x2E, 0x2F, 0x23} | set(
    range(0x45, 0x6A)
)  # constants, narrow loads, comparisons


class MendError(Exception):
    """The module has a form that the transformation does not know."""


def mend(wasm: bytes, collector: int) -> bytes:
    """The artifact with its roots in sight. `collector` is the index of the function `gc_collect`."""
    module = Module(wasm)
    codes = [module.code(index) for index in range(module.imported, module.imported + len(module.bodies))]
    reach = _reaching(module, codes, collector)
    for code in codes:
        if code.index in reach:
            module.bodies[code.index - module.imported] = _Function(module, code, reach).rewritten()
    return module.encode()


def _reaching(module: Module, codes: list[Code], collector: int) -> set[int]:
    """Functions from which the collector may be reached; an indirect call may lead anywhere."""
    callers: dict[int, set[int]] = {}
    reach = {collector}
    for code in codes:
        for operation in code.operations:
            if operation.opcode == _CALL:
                callers.setdefault(operation.immediate, set()).add(code.index)
            elif operation.opcode == _CALL_INDIRECT:
                reach.add(code.index)
    waiting = list(reach)
    while waiting:
        for caller in callers.get(waiting.pop(), ()):
            if caller not in reach:
                reach.add(caller)
                waiting.append(caller)
    return reach


class _Entry:
    """A value on the operand stack: its type, whether it may be a pointer, and the local it is a copy of."""

    __slots__ = ("kind", "pointer", "source")

    def __init__(self, kind, pointer=False, source=None):
        self.kind, self.pointer, self.source = kind, pointer and kind == I32, source


class _Function:
    """The analysis of one function, and its new body."""

    def __init__(self, module: Module, code: Code, reach: set[int]):
        self.module, self.code, self.reach = module, code, reach
        self.parameters, self.results = module.function_type(code.index)
        self.kinds = [*self.parameters, *code.locals]
        self.residuals: dict[int, list[_Entry]] = {}  # position of a call to the values that must be spilled around
        self.kept: set[int] = set()  # locals whose copies on the operand stack live across a call
        self._follow_operands()
        self.slots = {local: 4 * slot for slot, local in enumerate(sorted(self._live_across_calls() | self.kept))}

    def _collects(self, operation: Operation) -> bool:
        return operation.opcode == _CALL_INDIRECT or operation.opcode == _CALL and operation.immediate in self.reach

    def _follow_operands(self) -> None:
        """Walk the function with a model of the operand stack, and note what lies below the arguments of calls."""
        stack: list[_Entry] = []
        for position, operation in enumerate(self.code.operations):
            base, dead = operation.base, operation.dead
            del stack[operation.height_before :]
            if operation.opcode in (_LOCAL_SET, _LOCAL_TEE):
                for entry in stack:
                    if entry.source == operation.immediate:
                        entry.source = None
            if self._collects(operation) and not dead:
                below = stack[: len(stack) - len(operation.pops)]
                for entry in below:
                    if entry.pointer and entry.source is not None:
                        self.kept.add(entry.source)
                if any(entry.pointer and entry.source is None for entry in below):
                    first = next(at for at, entry in enumerate(below) if entry.pointer and entry.source is None)
                    if first < base:
                        raise MendError(f"function {self.code.index}: a pointer waits outside of the block of a call")
                    self.residuals[position] = [
                        _Entry(entry.kind, entry.pointer and entry.source is None) for entry in stack[first:]
                    ]
                    for entry in self.residuals[position][len(below) - first :]:
                        entry.pointer = False  # arguments are the callee's to keep
            del stack[operation.height_popped :]
            for kind in operation.pushes:
                pointer = operation.opcode not in _NO_POINTER
                source = operation.immediate if operation.opcode in (_LOCAL_GET, _LOCAL_TEE) else None
                stack.append(_Entry(kind, pointer, source))

    def _live_across_calls(self) -> set[int]:
        """i32 locals that may hold a value over a call: from first to last use, widened to the loops these are in."""
        first = {local: -1 for local in range(len(self.parameters))}
        last: dict[int, int] = dict(first)
        calls, loops, opened = [], [], []
        for position, operation in enumerate(self.code.operations):
            if operation.opcode in (_LOCAL_GET, _LOCAL_SET, _LOCAL_TEE):
                first.setdefault(operation.immediate, position)
                last[operation.immediate] = position
            elif self._collects(operation):
                calls.append(position)
            elif operation.opcode in (0x02, _LOOP, 0x04, 0x1F):
                opened.append((operation.opcode, position))
            elif operation.opcode == 0x0B and opened:
                opcode, start = opened.pop()
                if opcode == _LOOP:
                    loops.append((start, position))
        found = set()
        for local, low in first.items():
            high = last[local]
            if self.kinds[local] != I32 or high < 0:
                continue
            for start, end in loops:  # inner loops end first, so one pass outwards is enough
                if start <= low <= end or start <= high <= end:
                    low, high = min(low, start), max(high, end)
            if any(low <= call < high for call in calls):
                found.add(local)
        return found

    def rewritten(self) -> bytes:
        """The body with a frame of its own around it; as it was when it needs none."""
        extra = max((sum(entry.pointer for entry in entries) for entries in self.residuals.values()), default=0)
        if not self.slots and not extra:
            return self.code.body
        size = (4 * (len(self.slots) + extra) + 15) & ~15
        self.frame = len(self.kinds)
        temporaries, first_temporary = self._temporaries()
        if len(self.results) > 1:
            raise MendError(f"function {self.code.index} has {len(self.results)} results")
        out = bytearray()
        out += b"\x23" + uleb(_STACK_POINTER) + b"\x41" + _sleb(size) + b"\x6b\x22" + uleb(self.frame)
        out += b"\x24" + uleb(_STACK_POINTER)
        for offset in range(0, size, 8):
            out += b"\x20" + uleb(self.frame) + b"\x42\x00\x37\x03" + uleb(offset)
        for local in range(len(self.parameters)):
            out += self._store(local)
        out += b"\x02" + (bytes([self.results[0]]) if self.results else b"\x40")
        for position, operation in enumerate(self.code.operations):
            if position in self.residuals:
                out += self._spill(self.residuals[position], first_temporary)
            if operation.opcode == _RETURN:
                out += b"\x0c" + uleb(operation.depth)
                continue
            out += operation.raw
            if operation.opcode in (_LOCAL_SET, _LOCAL_TEE):
                out += self._store(operation.immediate)
        out += b"\x20" + uleb(self.frame) + b"\x41" + _sleb(size) + b"\x6a\x24" + uleb(_STACK_POINTER) + b"\x0b"
        return self.code.with_locals([I32, *temporaries]) + bytes(out)

    def _temporaries(self) -> tuple[list[int], dict[int, int]]:
        """(types of locals to add, first of them by type): enough to take the operand stack apart at any call."""
        most = dict.fromkeys((I32, I64, F32, F64), 0)
        for entries in self.residuals.values():
            for kind in most:
                most[kind] = max(most[kind], sum(entry.kind == kind for entry in entries))
            if any(entry.kind not in most for entry in entries):
                raise MendError(f"function {self.code.index}: a value that is no number waits for a call")
        kinds, first = [], {}
        for kind, count in most.items():
            first[kind] = self.frame + 1 + len(kinds)
            kinds += [kind] * count
        return kinds, first

    def _store(self, local: int) -> bytes:
        if local not in self.slots:
            return b""
        return self._store_at(local, self.slots[local])

    def _store_at(self, local: int, offset: int) -> bytes:
        return b"\x20" + uleb(self.frame) + b"\x20" + uleb(local) + b"\x36\x02" + uleb(offset)

    def _spill(self, entries: list[_Entry], first_temporary: dict[int, int]) -> bytes:
        """Take the top of the operand stack into locals, copy the pointers to the frame, and put it all back."""
        taken, used = [], dict(first_temporary)
        for entry in reversed(entries):
            taken.append((entry, used[entry.kind]))
            used[entry.kind] += 1
        out, offset = bytearray(), 4 * len(self.slots)
        for _, local in taken:
            out += b"\x21" + uleb(local)
        for entry, local in taken:
            if entry.pointer:
                out += self._store_at(local, offset)
                offset += 4
        for _, local in reversed(taken):
            out += b"\x20" + uleb(local)
        return bytes(out)


def _sleb(value: int) -> bytes:
    """Signed LEB128 of a number that is not negative."""
    out = uleb(value)
    return out if not out[-1] & 0x40 else out[:-1] + bytes([out[-1] | 0x80, 0])
