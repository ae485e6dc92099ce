"""HMAC (RFC 2104) over a hash of 64- or 128-byte blocks. Used by the PRF and by cbc.py.

MicroPython's hash objects have no copy() and must not be dropped unfinished (the chip's SHA engine would stay locked),
so the padded key is kept, and the inner hash is finished before the outer one starts.
"""

from uike.crypto import wipe


class Hmac:
    """A key of any length, ready for any number of messages.

    new() makes a hash object with update(data) and digest(); block is its block size in bytes.
    """

    def __init__(self, new, block, key):
        self._new = new
        if len(key) > block:
            h = new()
            h.update(memoryview(key))
            key = h.digest()
        self._inner = bytearray(b"\x36" * block)
        self._outer = bytearray(b"\x5c" * block)
        for i in range(len(key)):
            self._inner[i] ^= key[i]
            self._outer[i] ^= key[i]

    def digest(self, data, tail=None):
        """The whole MAC of one message, and of `tail` behind it; cutting it is the caller's affair."""
        data = memoryview(data)  # raises here, not between update() and digest()
        h = self._new()
        h.update(self._inner)
        h.update(data)
        if tail:
            h.update(tail)
        inner = h.digest()
        h = self._new()
        h.update(self._outer)
        h.update(inner)
        return h.digest()

    def wipe(self):
        wipe(self._inner)
        wipe(self._outer)
