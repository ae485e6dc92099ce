"""HMAC_DRBG over SHA-256 (NIST SP 800-90A Rev. 1 section 10.1.2): the only source of randomness of the firmware.

Seeded from entropy under watch (`uike.crypto.health`) and, before each request for which `_RESEED` requests have
passed, seeded again. Called as `random(n)`.
"""

from uike import iana

_SEED = 48  # bytes: 256 bits of entropy and a nonce of 128 (section 10.1 table 2, section 8.6.7)
_RESEED = 1_000  # requests; the standard allows 2**48
_REQUEST_MAX = 65_536  # bytes


class Drbg:
    """entropy(n) -> n bytes of full entropy or more; prf as in the crypto contract. ValueError for a bad request."""

    def __init__(self, entropy, prf):
        self._entropy = entropy
        self._prf = prf
        self._key = bytearray(32)
        self._value = bytearray(b"\x01" * 32)
        self.reseed()

    def __call__(self, n):
        """n fresh bytes."""
        if not 0 <= n <= _REQUEST_MAX:
            raise ValueError("random bytes")
        if not self._left:
            self.reseed()
        self._left -= 1
        out = bytearray(n)
        for at in range(0, n, 32):
            self._value[:] = self._mac(self._value)
            size = min(32, n - at)
            out[at : at + size] = memoryview(self._value)[:size]
        self._update(b"")
        return bytes(out)

    def reseed(self, more=b""):
        """Takes in fresh entropy and `more` (section 9.2: additional input, of any length and of any quality)."""
        seed = self._entropy(_SEED)
        if len(seed) < _SEED:
            raise ValueError("entropy")
        self._update(seed + more)
        self._left = _RESEED

    def _mac(self, data):
        return self._prf(iana.PRF_HMAC_SHA2_256, self._key, data)

    def _update(self, data):
        """Section 10.1.2.2: key and value move on; without data only one round."""
        for mark in b"\x00\x01" if data else b"\x00":
            self._key[:] = self._mac(bytes(self._value) + bytes((mark,)) + data)
            self._value[:] = self._mac(self._value)
