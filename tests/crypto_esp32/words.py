"""Runs viper functions in CPython on words of exactly 32 bits, as the chips have them.

The unix MicroPython has words of 64 bits, so a kernel that relies on more than 32 would pass there. Here each operation
of a viper function is cut to a signed word, and memory is what pointers see: 32 bits a word, 8 a byte.
"""

import ast
import builtins

BASE = 0x3FFB0000  # where an ESP32 has its memory


def wrap(value):
    """The signed 32-bit word of an integer."""
    return (value + 0x80000000 & 0xFFFFFFFF) - 0x80000000


class Memory:
    """The buffers that a call was given, at addresses of their own."""

    def __init__(self):
        self.depth = 0
        self.clear()

    def clear(self):
        self.bytes = bytearray()
        self.places = {}

    def place(self, buffer):
        """The address of a buffer."""
        if id(buffer) not in self.places:
            self.places[id(buffer)] = len(self.bytes), buffer
            data = bytes(memoryview(buffer).cast("B"))
            self.bytes += data + bytes(-len(data) % 16 + 16)
        return BASE + self.places[id(buffer)][0]

    def write_back(self):
        for at, buffer in self.places.values():
            view = memoryview(buffer)
            if not view.readonly:
                view = view.cast("B")
                view[:] = self.bytes[at : at + len(view)]


class Pointer:
    def __init__(self, memory, address, size):
        self.memory, self.address, self.size = memory, address, size

    def _at(self, index):
        at = self.address - BASE + index * self.size
        assert 0 <= at <= len(self.memory.bytes) - self.size, "outside of every buffer"
        assert at % self.size == 0, "not aligned"
        return at

    def __getitem__(self, index):
        at = self._at(index)
        return int.from_bytes(self.memory.bytes[at : at + self.size], "little", signed=self.size == 4)

    def __setitem__(self, index, value):
        at, mask = self._at(index), (1 << 8 * self.size) - 1
        self.memory.bytes[at : at + self.size] = (value & mask).to_bytes(self.size, "little")


class _Wrapping(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        return ast.Call(ast.Name("wrap", ast.Load()), [node], [])

    def visit_AugAssign(self, node):
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        return self.visit(ast.Assign([node.target], value))


def _converted(function):
    """A viper function without its decorator: its arguments become what their annotations say, its words 32 bits."""
    _Wrapping().visit(function)
    kinds = [(arg.arg, arg.annotation.id) for arg in function.args.args if arg.annotation]
    start = "\n".join(f"{name} = {'wrap' if kind == 'int' else kind}({name})" for name, kind in kinds)
    function.body = ast.parse(start).body + function.body
    function.decorator_list = [ast.Name("native", ast.Load())]


def load(path):
    """The namespace of a kernel module whose native functions run on words of 32 bits."""
    tree = ast.parse(path.read_text(), str(path))
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            _converted(node)
    memory = Memory()

    def pointer(size):
        def cast(value):
            if isinstance(value, Pointer):
                value = value.address
            elif not isinstance(value, int):
                value = memory.place(value)
            return Pointer(memory, value, size)

        return cast

    def native(function):
        def call(*arguments):
            memory.depth += 1
            try:
                return function(*arguments)
            finally:
                memory.depth -= 1
                if not memory.depth:
                    memory.write_back()
                    memory.clear()

        return call

    def integer(value):
        return value.address if isinstance(value, Pointer) else builtins.int(value)

    names = {"wrap": wrap, "native": native, "int": integer, "ptr8": pointer(1), "ptr32": pointer(4)}
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), names)
    return names
