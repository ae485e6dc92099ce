"""GHASH (NIST SP 800-38D section 6.4) in native code, in constant time. Used by gcm.py.

A block is four words, the last bytes in word 0, and bit 127 is the polynomial's first coefficient. Words are multiplied
as polynomials with the processor's own multiplication: of every word only each fourth bit is taken at a time, so that
the count of products in a place (8 at most) fits into the 4 bits up to the next one, and its lowest bit is the
coefficient. That gives the lower half of the product; the upper one is the lower one of the words reversed. Karatsuba's
method twice makes nine products of sixteen.
"""

import micropython

# Words of the work area: the key's 18 words in four parts each,
_SUM = 72  # the hash,
_WORK = 76  # and 18 + 8 words for one multiplication
SIZE = 102


@micropython.viper
def _reverse(work, at: int, n: int):
    """Reverse the bits of n words of the work area."""
    p = ptr32(int(ptr32(work)) + 4 * at)
    v = 0x5555
    five = (v << 16) | v
    while n > 0:
        v = p[0]
        v = ((v >> 1) & five) | ((v & five) << 1)
        v = ((v >> 2) & 0x33333333) | ((v & 0x33333333) << 2)
        v = ((v >> 4) & 0x0F0F0F0F) | ((v & 0x0F0F0F0F) << 4)
        p[0] = ((v >> 24) & 0xFF) | ((v >> 8) & 0xFF00) | ((v & 0xFF00) << 8) | (v << 24)
        p = ptr32(int(p) + 4)
        n -= 1


@micropython.viper
def _operands(work):
    """From the four words at _WORK: the nine factors of Karatsuba's method, then the same reversed."""
    p = ptr32(int(ptr32(work)) + 4 * _WORK)
    i = 0
    while i < 4:
        p[9 + i] = p[i]
        i += 1
    _reverse(work, _WORK + 9, 4)
    i = 0
    while i < 2:
        p[4] = p[0] ^ p[1]
        p[5] = p[2] ^ p[3]
        p[6] = p[0] ^ p[2]
        p[7] = p[1] ^ p[3]
        p[8] = p[4] ^ p[5]
        p = ptr32(int(p) + 36)
        i += 1


@micropython.viper
def _products(p: ptr32, q: ptr32):
    """Replace the 18 words at _WORK by the lower halves of their products with the key's. p and q are the work area."""
    p = ptr32(int(p) + 4 * _WORK)
    v = 0x1111
    m0 = (v << 16) | v
    m1 = m0 << 1
    m2 = m0 << 2
    m3 = m0 << 3
    n = 18
    while n > 0:
        v = p[0]
        a = v & m0
        b = v & m1
        c = v & m2
        d = v & m3
        v = ((a * q[0]) ^ (b * q[3]) ^ (c * q[2]) ^ (d * q[1])) & m0
        v |= ((a * q[1]) ^ (b * q[0]) ^ (c * q[3]) ^ (d * q[2])) & m1
        v |= ((a * q[2]) ^ (b * q[1]) ^ (c * q[0]) ^ (d * q[3])) & m2
        p[0] = v | (((a * q[3]) ^ (b * q[2]) ^ (c * q[1]) ^ (d * q[0])) & m3)
        p = ptr32(int(p) + 4)
        q = ptr32(int(q) + 16)
        n -= 1


@micropython.viper
def _reduce(work):
    """From the 18 partial products at _WORK: the product of 256 bits, and its remainder, the hash."""
    _reverse(work, _WORK + 9, 9)
    p = ptr32(int(ptr32(work)) + 4 * _WORK)
    z = ptr32(int(p) + 72)
    v = 0x7FFF
    low31 = (v << 16) | 0xFFFF
    i = 0
    while i < 9:
        p[9 + i] = (p[9 + i] >> 1) & low31
        i += 1
    i = 0
    while i < 2:  # the middle terms
        p[4] = p[4] ^ p[0] ^ p[1]
        p[5] = p[5] ^ p[2] ^ p[3]
        p[8] = p[8] ^ p[6] ^ p[7]
        p = ptr32(int(p) + 36)
        i += 1
    p = ptr32(int(p) - 72)
    # p[k] is the lower half of product k, p[9 + k] the upper one
    z[0] = p[0]
    z[1] = p[9] ^ p[4]
    z[2] = p[13] ^ p[1]
    z[3] = p[10]
    z[4] = p[2]
    z[5] = p[11] ^ p[5]
    z[6] = p[14] ^ p[3]
    z[7] = p[12]
    a = p[6] ^ z[0] ^ z[4]
    b = p[15] ^ p[8] ^ z[1] ^ z[5]
    c = p[17] ^ p[7] ^ z[2] ^ z[6]
    d = p[16] ^ z[3] ^ z[7]
    z[2] = z[2] ^ a
    z[3] = z[3] ^ b
    z[4] = z[4] ^ c
    z[5] = z[5] ^ d
    i = 7
    while i > 0:  # the product of reflected polynomials is short of one bit
        z[i] = (z[i] << 1) | ((z[i - 1] >> 31) & 1)
        i -= 1
    z[0] = z[0] << 1
    while i < 4:  # x**128 is x**7 + x**2 + x + 1
        v = z[i]
        z[i + 4] = z[i + 4] ^ v ^ ((v >> 1) & low31) ^ ((v >> 2) & 0x3FFFFFFF) ^ ((v >> 7) & 0x1FFFFFF)
        z[i + 3] = z[i + 3] ^ (v << 31) ^ (v << 30) ^ (v << 25)
        i += 1
    p = ptr32(int(ptr32(work)) + 4 * _SUM)
    i = 0
    while i < 4:
        p[i] = z[4 + i]
        i += 1


@micropython.viper
def start(work, h: ptr8):
    """Lay out the hash key, 16 bytes, in the work area: an array("I") of SIZE words."""
    p = ptr32(work)
    w = ptr32(int(p) + 4 * _WORK)
    i = 0
    while i < 4:
        w[3 - i] = (h[0] << 24) | (h[1] << 16) | (h[2] << 8) | h[3]
        h = ptr8(int(h) + 4)
        i += 1
    _operands(work)
    v = 0x1111
    v = (v << 16) | v
    i = 0
    while i < 18:
        k = 0
        while k < 4:
            p[4 * i + k] = w[i] & (v << k)
            k += 1
        i += 1


@micropython.viper
def update(work, data: ptr8, blocks: int):
    """Take in blocks of 16 bytes."""
    total = ptr32(int(ptr32(work)) + 4 * _SUM)
    w = ptr32(int(total) + 16)
    while blocks > 0:
        i = 3
        while i >= 0:
            w[i] = total[i] ^ ((data[0] << 24) | (data[1] << 16) | (data[2] << 8) | data[3])
            data = ptr8(int(data) + 4)
            i -= 1
        _operands(work)
        _products(work, work)
        _reduce(work)
        blocks -= 1


@micropython.viper
def finish(work, out: ptr8):
    """Add the hash to 16 bytes, modulo 2, and clear it."""
    total = ptr32(int(ptr32(work)) + 4 * _SUM)
    i = 3
    while i >= 0:
        v = total[i]
        total[i] = 0
        out[0] = out[0] ^ (v >> 24)
        out[1] = out[1] ^ (v >> 16)
        out[2] = out[2] ^ (v >> 8)
        out[3] = out[3] ^ v
        out = ptr8(int(out) + 4)
        i -= 1
