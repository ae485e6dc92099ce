"""The chip's registers, by address: whole blocks in native code where the image has it, or word for word.

The native code is never made here, at each use: a board keeps what it commits to executable memory until a reset.
"""

try:
    from uike.crypto.esp32.kernels import words
except ImportError:
    words = None


def _slow(mem32):
    def load(address, data, words):
        for i in range(words):
            data[4 * i : 4 * i + 4] = (mem32[address + 4 * i] & 0xFFFFFFFF).to_bytes(4, "little")

    def store(address, data, words):
        for i in range(words):
            mem32[address + 4 * i] = int.from_bytes(data[4 * i : 4 * i + 4], "little")

    return load, store


class Registers:
    """See `block`. `mem32` is machine.mem32."""

    def __init__(self, mem32):
        self._mem32 = mem32
        self._load, self._store = (words.load, words.store) if words else _slow(mem32)

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
