"""AES-CBC with an HMAC over everything before the ICV (RFC 3602, RFC 4868; RFC 7296 section 3.14). A `Cipher`."""

from uike.crypto import equal
from uike.crypto.soft.aes import Aes

_BATCH = 16  # blocks decrypted at once: more is faster and needs more RAM (about 50 times as many bytes)


class Cbc:
    """See the contract in uike/crypto/__init__.py. key is 16 or 32 bytes; mac is an Hmac, cut to icv_size bytes."""

    iv_size = 16
    block_size = 16
    high = None

    def __init__(self, key, mac, icv_size):
        self._aes = Aes(key)
        self._mac = mac
        self.icv_size = icv_size

    def seal(self, buf, aad, end):
        if (end - aad) & 15 or end < aad + 16 or len(buf) < end + self.icv_size:
            raise ValueError("length")
        for at in range(aad + 16, end, 16):
            for i in range(at, at + 16):
                buf[i] ^= buf[i - 16]
            self._aes.encrypt(buf, at, 1)
        view = memoryview(buf)
        view[end : end + self.icv_size] = self._mac.digest(view[:end], self.high)[: self.icv_size]

    def open(self, buf, aad, end):
        if (end - aad) & 15 or end < aad + 16 or len(buf) < end + self.icv_size:
            return False
        view = memoryview(buf)
        if not equal(view[end : end + self.icv_size], self._mac.digest(view[:end], self.high)[: self.icv_size]):
            return False
        # From the last batch to the first, so that the ciphertext each one is chained to is still there.
        while end > aad + 16:
            at = max(aad + 16, end - 16 * _BATCH)
            before = bytes(view[at - 16 : end - 16])
            self._aes.decrypt(buf, at, (end - at) // 16)
            for i in range(at, end):
                buf[i] ^= before[i - at]
            end = at
        return True

    def wipe(self):
        self._aes.wipe()
        self._mac.wipe()
