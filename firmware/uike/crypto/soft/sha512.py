"""SHA-384 and SHA-512 (FIPS 180-4 section 6.4), for the PRFs and HMACs that `hashlib` does not have.

The 64-bit words are big integers here: a block takes a while and leaves garbage, but the code is small. The constants
are computed as the standard defines them, from the roots of the first primes, when the module is loaded.
"""

import struct

_MASK = (1 << 64) - 1
_BLOCK = 128


def _roots():
    """The first 64 bits of the fractional parts of the cube roots of the first eighty primes (section 4.2.3)."""
    found, n = [], 2
    while len(found) < 80:
        if all([n % divisor for divisor in range(2, int(n**0.5) + 1)]):
            x = 1 << 67  # integer cube root of n * 2**192, by Newton's method from above
            cube = n << 192
            while True:
                y = (2 * x + cube // (x * x)) // 3
                if y >= x:
                    break
                x = y
            found.append(x & _MASK)
        n += 1
    return found


_ROUNDS = _roots()
_START_384 = (
    "cbbb9d5dc1059ed8629a292a367cd5079159015a3070dd17152fecd8f70e5939"
    "67332667ffc00b318eb44a8768581511db0c2e0d64f98fa747b5481dbefa4fa4"
)
_START_512 = (
    "6a09e667f3bcc908bb67ae8584caa73b3c6ef372fe94f82ba54ff53a5f1d36f1"
    "510e527fade682d19b05688c2b3e6c1f1f83d9abfb41bd6b5be0cd19137e2179"
)


class Sha512:
    """A hash object: update(data), digest() -> 64 bytes, once."""

    size = 64
    _start = _START_512

    def __init__(self):
        self._state = [int(self._start[at : at + 16], 16) for at in range(0, 128, 16)]
        self._rest = b""
        self._length = 0

    def update(self, data):
        self._length += len(data)
        data = self._rest + bytes(data)
        end = len(data) - len(data) % _BLOCK
        for at in range(0, end, _BLOCK):
            self._block(data, at)
        self._rest = data[end:]

    def digest(self):
        bits = self._length * 8
        self.update(b"\x80" + bytes(-(self._length + 17) % _BLOCK + 8) + struct.pack(">Q", bits))
        out = b"".join([word.to_bytes(8, "big") for word in self._state])
        return out[: self.size]

    def _block(self, data, at):
        w = [int.from_bytes(data[i : i + 8], "big") for i in range(at, at + _BLOCK, 8)]
        a, b, c, d, e, f, g, h = self._state
        for t in range(80):
            i = t & 15
            if t >= 16:
                x = w[i - 15]
                y = w[i - 2]
                x |= x << 64  # a rotation is a shift of the word beside itself
                y |= y << 64
                s0 = (x >> 1) ^ (x >> 8) ^ ((x & _MASK) >> 7)
                s1 = (y >> 19) ^ (y >> 61) ^ ((y & _MASK) >> 6)
                w[i] = (w[i] + (s0 & _MASK) + w[i - 7] + (s1 & _MASK)) & _MASK
            x = e | e << 64
            h += (((x >> 14) ^ (x >> 18) ^ (x >> 41)) & _MASK) + (g ^ (e & (f ^ g))) + _ROUNDS[t] + w[i]
            d = (d + h) & _MASK
            x = a | a << 64
            h = (h + (((x >> 28) ^ (x >> 34) ^ (x >> 39)) & _MASK) + ((a & b) | (c & (a | b)))) & _MASK
            a, b, c, d, e, f, g, h = h, a, b, c, d, e, f, g
        state = self._state
        for i, value in enumerate((a, b, c, d, e, f, g, h)):
            state[i] = (state[i] + value) & _MASK


class Sha384(Sha512):
    """digest() -> 48 bytes."""

    size = 48
    _start = _START_384
