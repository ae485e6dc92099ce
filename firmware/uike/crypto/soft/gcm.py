"""AES-GCM with a 16-byte ICV (NIST SP 800-38D) as RFC 4106 and RFC 5282 use it: nonce = salt | IV. A `Cipher`.

GHASH multiplies polynomials over GF(2), for which there is no instruction: here one bit sits in each byte of a big
integer, so that the integer product counts the products of bits in each byte (128 of them at most: no carry), and the
lowest bit of each count is the polynomial's coefficient. Nothing depends on secret data.
"""

from uike.crypto import authenticated, equal, wipe
from uike.crypto.soft.aes import Aes

_BATCH = 16  # blocks encrypted at once
_BITS = 1024  # of 128 coefficients, one a byte
_LOW = (1 << _BITS) - 1
_ONES = ((1 << 2 * _BITS) - 1) // 255

# The four coefficients of each half byte, the most significant bit first: GCM's order.
_SPREAD = [bytes([n >> 3 & 1, n >> 2 & 1, n >> 1 & 1, n & 1]) for n in range(16)]


def _spread(block):
    """Up to 16 bytes as a polynomial, coefficient i in byte i of the integer."""
    out = bytearray(128)
    at = 0
    for byte in block:
        out[at : at + 4] = _SPREAD[byte >> 4]
        out[at + 4 : at + 8] = _SPREAD[byte & 15]
        at += 8
    return int.from_bytes(out, "little")


def _gather(x):
    """The 16 bytes of a polynomial."""
    data = x.to_bytes(128, "little")
    out = bytearray(16)
    for i in range(128):
        out[i >> 3] |= data[i] << (7 - (i & 7))
    return out


def _fold(x):
    """A polynomial of 128 and more coefficients, x**128 replaced by x**7 + x**2 + x + 1."""
    high = x >> _BITS
    return (x & _LOW) ^ high ^ (high << 8) ^ (high << 16) ^ (high << 56)


def ghash(h, parts):
    """GHASH (section 6.4) of `parts`, each padded with zeros to a multiple of 16 bytes; h is spread, and the result."""
    x = 0
    for part in parts:
        for at in range(0, len(part), 16):
            x = _fold(_fold((x ^ _spread(part[at : at + 16])) * h & _ONES))
    return x


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
        self._aes = Aes(memoryview(key)[:-4])
        wipe(key)
        block = bytearray(16)
        self._aes.encrypt(block, 0, 1)
        self._h = bytearray(128)
        self._h[:] = _spread(block).to_bytes(128, "little")

    def seal(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            raise ValueError("length")
        self._crypt(buf, aad, end)
        memoryview(buf)[end : end + 16] = self._tag(buf, aad, end)

    def open(self, buf, aad, end):
        if end < aad + 8 or len(buf) < end + 16:
            return False
        if not equal(memoryview(buf)[end : end + 16], self._tag(buf, aad, end)):
            return False
        self._crypt(buf, aad, end)
        return True

    def wipe(self):
        wipe(self._salt)
        wipe(self._h)
        self._aes.wipe()

    def _counters(self, buf, aad, first, blocks):
        """Encrypted counter blocks."""
        out = bytearray(16 * blocks)
        for n in range(blocks):
            at = 16 * n
            out[at : at + 4] = self._salt
            out[at + 4 : at + 12] = buf[aad : aad + 8]
            out[at + 12 : at + 16] = (first + n).to_bytes(4, "big")
        self._aes.encrypt(out, 0, blocks)
        return out

    def _crypt(self, buf, aad, end):
        view = memoryview(buf)
        counter = 2
        for at in range(aad + 8, end, 16 * _BATCH):
            size = min(16 * _BATCH, end - at)
            blocks = (size + 15) // 16
            stream = self._counters(buf, aad, counter, blocks)
            mixed = int.from_bytes(view[at : at + size], "big") ^ int.from_bytes(memoryview(stream)[:size], "big")
            view[at : at + size] = mixed.to_bytes(size, "big")
            wipe(stream)
            counter += blocks

    def _tag(self, buf, aad, end):
        view = memoryview(buf)
        head = authenticated(view[:aad], self.high)
        sizes = (len(head) * 8).to_bytes(8, "big") + ((end - aad - 8) * 8).to_bytes(8, "big")
        tag = _gather(ghash(int.from_bytes(self._h, "little"), (head, view[aad + 8 : end], sizes)))
        mask = self._counters(buf, aad, 1, 1)
        for i in range(16):
            tag[i] ^= mask[i]
        wipe(mask)
        return tag
