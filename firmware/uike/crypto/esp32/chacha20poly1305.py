"""ChaCha20-Poly1305 (RFC 8439, RFC 7634): the key stream in native code, the tag in big integers. A `Cipher`."""

import struct
from array import array

from uike.crypto import authenticated, equal, wipe
from uike.crypto.esp32.kernels import chacha20
from uike.crypto.soft.chacha20poly1305 import poly1305

# The words of the eight quarter rounds: four columns, four diagonals (RFC 8439 section 2.3)
_ROUNDS = bytes((0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15))
_ROUNDS += bytes((0, 5, 10, 15, 1, 6, 11, 12, 2, 7, 8, 13, 3, 4, 9, 14))


class ChaCha20Poly1305:
    """See the contract in uike/crypto/__init__.py. key is 32 bytes and the salt of 4."""

    iv_size = 8
    icv_size = 16
    block_size = 1
    high = None

    def __init__(self, key):
        if len(key) != 36:
            raise ValueError("key length")
        self._state = array("i", [0] * 32)
        start = b"expand 32-byte k" + bytes(key[:32]) + bytes(4) + bytes(key[32:])
        for i in range(14):
            self._state[i] = struct.unpack_from("<i", start, 4 * i)[0]

    def seal(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            raise ValueError("length")
        one_time = self._begin(buf, aad)
        chacha20.mix(self._state, buf, aad + 8, end - aad - 8, _ROUNDS)
        view = memoryview(buf)
        view[end : end + 16] = self._tag(one_time, view, aad, end)
        wipe(one_time)

    def open(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            return False
        one_time = self._begin(buf, aad)
        view = memoryview(buf)
        good = equal(view[end : end + 16], self._tag(one_time, view, aad, end))
        wipe(one_time)
        if good:
            chacha20.mix(self._state, buf, aad + 8, end - aad - 8, _ROUNDS)
        return good

    def wipe(self):
        wipe(self._state)

    def _begin(self, buf, aad):
        """Sets the nonce; returns block 0, whose first half is the key of the tag. The text begins with block 1."""
        self._state[12] = 0
        self._state[14], self._state[15] = struct.unpack_from("<ii", buf, aad)
        one_time = bytearray(64)
        chacha20.mix(self._state, one_time, 0, 64, _ROUNDS)
        return one_time

    def _tag(self, one_time, view, aad, end):
        head = authenticated(view[:aad], self.high)
        sizes = len(head).to_bytes(8, "little") + (end - aad - 8).to_bytes(8, "little")
        return poly1305(one_time, (head, view[aad + 8 : end], sizes))
