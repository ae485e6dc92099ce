"""AES-GCM with a 16-byte ICV (NIST SP 800-38D; RFC 4106, RFC 5282): blocks by the chip's AES, GHASH in native code.

`cryptolib` has no counter mode: a packet's counter blocks are laid out and encrypted in one ECB call.
"""

from array import array

from cryptolib import aes

from uike.crypto import authenticated, equal, wipe
from uike.crypto.esp32.kernels import ghash

_ECB = 1  # modes have no names in MicroPython


class Gcm:
    """See the contract in uike/crypto/__init__.py. key is 16 or 32 bytes and the salt of 4."""

    iv_size = 8
    icv_size = 16
    block_size = 1
    high = None

    def __init__(self, key):
        if len(key) not in (20, 36):
            raise ValueError("key length")
        key = bytearray(key)
        self._salt = key[-4:]
        self._aes = aes(memoryview(key)[:-4], _ECB)
        wipe(key)
        block = bytearray(16)
        self._aes.encrypt(block, block)
        self._state = array("i", [0] * 8)
        for i in range(4):
            word = int.from_bytes(block[4 * i : 4 * i + 4], "big")
            self._state[4 + i] = word - ((word >> 31) << 32)
        wipe(block)

    def seal(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            raise ValueError("length")
        stream = self._stream(buf, aad, end)
        ghash.mix(buf, aad + 8, memoryview(stream)[16:], end - aad - 8)
        self._tag(buf, aad, end, stream)
        memoryview(buf)[end : end + 16] = memoryview(stream)[:16]
        wipe(stream)

    def open(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            return False
        stream = self._stream(buf, aad, end)
        self._tag(buf, aad, end, stream)
        view = memoryview(stream)
        good = equal(memoryview(buf)[end : end + 16], view[:16])
        if good:
            ghash.mix(buf, aad + 8, view[16:], end - aad - 8)
        wipe(stream)
        return good

    def wipe(self):
        wipe(self._salt)
        wipe(self._state)
        self._aes = None

    def _stream(self, buf, aad, end):
        """Encrypted counter blocks: one for the ICV, then those for the text."""
        blocks = 1 + (end - aad - 8 + 15) // 16
        out = bytearray(16 * blocks)
        for n in range(blocks):
            at = 16 * n
            out[at : at + 4] = self._salt
            out[at + 4 : at + 12] = buf[aad : aad + 8]
            out[at + 14] = (n + 1) >> 8
            out[at + 15] = (n + 1) & 255
        self._aes.encrypt(out, out)
        return out

    def _tag(self, buf, aad, end, stream):
        """Adds GHASH to the first block of the stream: it is then the ICV."""
        state = self._state
        for i in range(4):
            state[i] = 0
        view = memoryview(buf)
        head = authenticated(view[:aad], self.high)
        ghash.update(state, head, len(head))
        ghash.update(state, view[aad + 8 : end], end - aad - 8)
        ghash.update(state, (len(head) * 8).to_bytes(8, "big") + ((end - aad - 8) * 8).to_bytes(8, "big"), 16)
        for i in range(16):
            stream[i] ^= state[i >> 2] >> (24 - 8 * (i & 3)) & 255
