"""The chip's registers, by address: two functions of machine code made by the compiler on the board, or slow words.

The compiler of an official image emits native code; a build without it still has `machine.mem32`.
"""

# `data` starts a block of the heap, which is aligned; a slice of a memoryview might not be.
_VIPER = """
@micropython.viper
def load(address: int, data: ptr32, words: int):
    source = ptr32(address)
    for i in range(words):
        data[i] = source[i]

@micropython.viper
def store(address: int, data: ptr32, words: int):
    target = ptr32(address)
    for i in range(words):
        target[i] = data[i]
"""


def native():
    """(load, store) as machine code, or None where the compiler cannot make it."""
    try:
        import micropython

        names = {"micropython": micropython}
        exec(_VIPER, names)
        return names["load"], names["store"]
    except (ImportError, AttributeError, SyntaxError, NotImplementedError):
        return None


def _slow(mem32):
    def load(address, data, words):
        for i in range(words):
            data[4 * i : 4 * i + 4] = (mem32[address + 4 * i] & 0xFFFFFFFF).to_bytes(4, "little")

    def store(address, data, words):
        for i in range(words):
            mem32[address + 4 * i] = int.from_bytes(data[4 * i : 4 * i + 4], "little")

    return load, store


class Registers:
    """See `block`. `mem32` is machine.mem32; `copy` is (load, store), by default the fastest there is."""

    def __init__(self, mem32, copy=None):
        self._mem32 = mem32
        self._load, self._store = copy or native() or _slow(mem32)

    def read(self, address):
        return self._mem32[address]

    def write(self, address, value):
        self._mem32[address] = value

    def load(self, address, words):
        data = bytearray(4 * words)
        self._load(address, data, words)
        return data

    def store(self, address, data):
        self._store(address, data, len(data) // 4)
