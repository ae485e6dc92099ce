"""AES-CBC through the chip's engine, with an HMAC over everything before the ICV (RFC 3602, RFC 4868). A `Cipher`.

`cryptolib` takes the whole packet in one call, in place. Its object keeps the chain, so each packet has one of its own.
"""

from cryptolib import aes

from uike.crypto import wipe

try:
    from uike.crypto.esp32.kernels.blocks import equal
except ImportError:
    from uike.crypto import equal

_CBC = 2  # modes have no names in MicroPython


class Cbc:
    """See the contract in uike/crypto/__init__.py. key is 16 or 32 bytes; mac is an Hmac, cut to icv_size bytes."""

    iv_size = 16
    block_size = 16
    high = None

    def __init__(self, key, mac, icv_size):
        if len(key) not in (16, 32):
            raise ValueError("key length")
        self._key = bytearray(key)
        self._mac = mac
        self.icv_size = icv_size

    def seal(self, buf, aad, end):
        if (end - aad) & 15 or end < aad + 16 or len(buf) < end + self.icv_size:
            raise ValueError("length")
        view = memoryview(buf)
        text = view[aad + 16 : end]
        if end > aad + 16:
            aes(self._key, _CBC, view[aad : aad + 16]).encrypt(text, text)
        view[end : end + self.icv_size] = memoryview(self._mac.digest(view[:end], self.high))[: self.icv_size]

    def open(self, buf, aad, end):
        if (end - aad) & 15 or end < aad + 16 or len(buf) < end + self.icv_size:
            return False
        view = memoryview(buf)
        if not equal(
            view[end : end + self.icv_size], memoryview(self._mac.digest(view[:end], self.high))[: self.icv_size]
        ):
            return False
        text = view[aad + 16 : end]
        if end > aad + 16:
            aes(self._key, _CBC, view[aad : aad + 16]).decrypt(text, text)
        return True

    def wipe(self):
        wipe(self._key)
        self._mac.wipe()
