"""Bytes, in native code: comparison in constant time, the exclusive or, and the counter blocks of GCM."""

import micropython


@micropython.viper
def _difference(p: ptr8, q: ptr8, acc: int, n: int) -> int:
    while n > 0:
        acc |= p[0] ^ q[0]
        p = ptr8(int(p) + 1)
        q = ptr8(int(q) + 1)
        n -= 1
    return acc


def equal(a, b):
    """As `uike.crypto.equal`."""
    return len(a) == len(b) and _difference(a, b, 0, len(a)) == 0


@micropython.viper
def xor(p: ptr8, q: ptr8, n: int):
    """Add n bytes of q to those of p, modulo 2."""
    while n > 0:
        p[0] = p[0] ^ q[0]
        p = ptr8(int(p) + 1)
        q = ptr8(int(q) + 1)
        n -= 1


@micropython.viper
def counters(p: ptr8, first: int, n: int, salt: ptr8, iv: ptr8):
    """n blocks at p: salt of 4 bytes, IV of 8, and a counter of 4 from `first` on."""
    while n > 0:
        i = 0
        while i < 4:
            p[i] = salt[i]
            p[i + 4] = iv[i]
            p[i + 8] = iv[i + 4]
            p[i + 12] = first >> (24 - 8 * i)
            i += 1
        first += 1
        p = ptr8(int(p) + 16)
        n -= 1
