"""SHA-384 and SHA-512 (FIPS 180-4 section 6.4) over kernels/sha512.py, for the PRFs and HMACs `hashlib` does not have.

The constants and the padding are those of the `soft` provider; its work here is done in native code, without garbage.
"""

import struct
from array import array

from uike.crypto.esp32.kernels import sha512 as kernel
from uike.crypto.soft import sha512 as soft

_work = array("I", bytes(4 * kernel.SIZE))  # of all hashes
for _i, _word in enumerate(soft._ROUNDS):
    _work[160 + 2 * _i] = _word >> 32
    _work[161 + 2 * _i] = _word & 0xFFFFFFFF


class Sha512(soft.Sha512):
    """A hash object: update(data), digest() -> 64 bytes, once."""

    def __init__(self):
        self._state = array("I", [int(self._start[at : at + 8], 16) for at in range(0, 128, 8)])
        self._rest = bytearray(128)
        self._length = 0

    def update(self, data):
        data = memoryview(data)
        used = self._length & 127
        self._length += len(data)
        at = 0
        if used:
            at = min(128 - used, len(data))
            self._rest[used : used + at] = data[:at]
            if used + at < 128:
                return
            kernel.block(_work, self._state, self._rest)
        while at + 128 <= len(data):
            kernel.block(_work, self._state, data[at : at + 128])
            at += 128
        self._rest[: len(data) - at] = data[at:]

    def digest(self):
        bits = self._length * 8
        self.update(b"\x80" + bytes(-(self._length + 17) % 128 + 8) + struct.pack(">Q", bits))
        return struct.pack(">16I", *self._state)[: self.size]


class Sha384(Sha512):
    """digest() -> 48 bytes."""

    size = 48
    _start = soft._START_384
