"""AES-GCM with a 16-byte ICV (NIST SP 800-38D) as RFC 4106 and RFC 5282 use it: nonce = salt | IV. A `Cipher`.

The chip's AES engine encrypts counter blocks, kernels/ghash.py multiplies. Nothing depends on secret data.
"""

import struct
from array import array

from cryptolib import aes

from uike.crypto import authenticated, wipe
from uike.crypto.esp32.kernels import blocks, ghash

_ECB = 1  # modes have no names in MicroPython
_BATCH = 256  # bytes of counter blocks
_stream = bytearray(_BATCH)  # of all ciphers: it is cleared after each packet


class Gcm:
    """See the contract in uike/crypto/__init__.py. key is 16 or 32 bytes and the salt of 4."""

    iv_size = 8
    icv_size = 16
    block_size = 1
    high = None

    def __init__(self, key):
        if len(key) not in (20, 36):
            raise ValueError("key length")
        self._salt = bytearray(key[-4:])
        self._aes = aes(memoryview(key)[:-4], _ECB)
        self._work = array("I", bytes(4 * ghash.SIZE))
        self._last = bytearray(16)
        self._aes.encrypt(self._last, self._last)
        ghash.start(self._work, self._last)
        wipe(self._last)

    def seal(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            raise ValueError("length")
        view = memoryview(buf)
        self._crypt(view, aad, end)
        self._tag(view, aad, end)
        view[end : end + 16] = self._last

    def open(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            return False
        view = memoryview(buf)
        self._tag(view, aad, end)
        if not blocks.equal(view[end : end + 16], self._last):
            return False
        self._crypt(view, aad, end)
        return True

    def wipe(self):
        wipe(self._salt)
        wipe(self._work)
        self._aes = None

    def _crypt(self, view, aad, end):
        iv = view[aad : aad + 8]
        counter = 2
        for at in range(aad + 8, end, _BATCH):
            size = min(_BATCH, end - at)
            count = (size + 15) // 16
            part = memoryview(_stream)[: 16 * count]
            blocks.counters(part, counter, count, self._salt, iv)
            self._aes.encrypt(part, part)
            blocks.xor(view[at:end], part, size)
            counter += count
        blocks.xor(_stream, _stream, _BATCH)  # clears it

    def _hash(self, part):
        """A part, padded with zeros to a multiple of 16 bytes."""
        size = len(part)
        ghash.update(self._work, part, size // 16)
        if size & 15:
            self._last[:] = bytes(16)
            self._last[: size & 15] = part[size & ~15 :]
            ghash.update(self._work, self._last, 1)

    def _tag(self, view, aad, end):
        """Puts the tag into `_last`."""
        head = authenticated(view[:aad], self.high)
        self._hash(head)
        self._hash(view[aad + 8 : end])
        struct.pack_into(">IIII", self._last, 0, 0, len(head) * 8, 0, (end - aad - 8) * 8)
        ghash.update(self._work, self._last, 1)
        blocks.counters(self._last, 1, 1, self._salt, view[aad : aad + 8])
        self._aes.encrypt(self._last, self._last)
        ghash.finish(self._work, self._last)
