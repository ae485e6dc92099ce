"""ChaCha20-Poly1305 (RFC 8439) as RFC 7634 uses it: nonce = salt | IV. A `Cipher`, over kernels/.

Nothing depends on secret data.
"""

import struct
from array import array

from uike.crypto import authenticated, wipe
from uike.crypto.esp32.kernels import blocks, chacha20, poly1305


class ChaCha20Poly1305:
    """See the contract in uike/crypto/__init__.py. key is 32 bytes and the salt of 4."""

    iv_size = 8
    icv_size = 16
    block_size = 1
    high = None

    def __init__(self, key):
        if len(key) != 36:
            raise ValueError("key length")
        self._state = array("I", bytes(128))  # constant, key, counter, nonce (RFC 8439 section 2.3), and work
        start = b"expand 32-byte k" + bytes(key[:32]) + bytes(4) + bytes(key[32:])
        for i in range(14):
            self._state[i] = struct.unpack_from("<I", start, 4 * i)[0]
        self._work = array("I", bytes(4 * poly1305.SIZE))
        self._key = bytearray(64)  # of the tag
        self._last = bytearray(16)

    def seal(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            raise ValueError("length")
        view = memoryview(buf)
        self._begin(view, aad)
        self._crypt(view[aad + 8 : end])
        self._tag(view, aad, end)
        view[end : end + 16] = self._last

    def open(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            return False
        view = memoryview(buf)
        self._begin(view, aad)
        self._tag(view, aad, end)
        if not blocks.equal(view[end : end + 16], self._last):
            return False
        self._crypt(view[aad + 8 : end])
        return True

    def wipe(self):
        wipe(self._state)

    def _begin(self, view, aad):
        """Sets the nonce; block 0 becomes the key of the tag, and the counter 1."""
        state = self._state
        state[12] = 0
        state[14] = view[aad] | view[aad + 1] << 8 | view[aad + 2] << 16 | view[aad + 3] << 24
        state[15] = view[aad + 4] | view[aad + 5] << 8 | view[aad + 6] << 16 | view[aad + 7] << 24
        blocks.xor(self._key, self._key, 64)  # clears it
        self._crypt(self._key)
        poly1305.start(self._work, self._key)

    def _crypt(self, part):
        chacha20.crypt(0, 0, self._state, chacha20.ORDER, part, len(part))

    def _hash(self, part):
        """A part, padded with zeros to a multiple of 16 bytes."""
        size, work = len(part), self._work
        poly1305.update(work, work, part, size // 16)
        if size & 15:
            self._last[:] = bytes(16)
            self._last[: size & 15] = part[size & ~15 :]
            poly1305.update(work, work, self._last, 1)

    def _tag(self, view, aad, end):
        """Puts the tag into `_last`, and forgets its key."""
        head = authenticated(view[:aad], self.high)
        self._hash(head)
        self._hash(view[aad + 8 : end])
        struct.pack_into("<IIII", self._last, 0, len(head), 0, end - aad - 8, 0)
        poly1305.update(self._work, self._work, self._last, 1)
        poly1305.finish(self._work, memoryview(self._key)[16:32], self._last)
        blocks.xor(self._key, self._key, 64)
