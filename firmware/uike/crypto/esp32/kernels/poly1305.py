"""Poly1305 (RFC 8439 section 2.5) in native code, in constant time. Used by chacha20poly1305.py.

A number is ten words of 13 bits. The work area: the hash; the factor r from its last word to its first, followed by
five times its last nine (2**130 is 5), so that each column of a product is a run of ten; the columns; a block.
"""

import micropython

_FACTOR = 10
_COLUMNS = 29
_BLOCK = 39  # 20 bytes
SIZE = 44  # words


@micropython.viper
def start(p: ptr32, key: ptr8):
    """Begin with a key, of which r is the first 16 bytes."""
    r = ptr32(int(p) + 4 * _FACTOR)
    block = ptr8(int(p) + 4 * _BLOCK)
    i = 16
    while i < 20:
        block[i] = 0
        i += 1
    i = 0
    while i < 16:
        v = key[i]
        if i & 3 == 3:
            v &= 15
        if i & 3 == 0 and i > 0:
            v &= 252
        block[i] = v
        i += 1
    i = 0
    while i < 10:
        p[i] = 0
        k = (13 * i) >> 3
        v = block[k] | (block[k + 1] << 8) | (block[k + 2] << 16)
        v = (v >> ((13 * i) & 7)) & 0x1FFF
        r[9 - i] = v
        if i > 0:
            r[19 - i] = 5 * v
        i += 1


@micropython.viper
def update(p: ptr32, q: ptr32, data: ptr8, blocks: int):
    """Take in blocks of 16 bytes. p and q are both the work area: the first two parameters are in registers."""
    h = int(p)
    block = ptr8(h + 4 * _BLOCK)
    block[16] = 1
    block[17] = 0
    while blocks > 0:
        k = 0
        while k < 16:
            block[k] = data[k]
            k += 1
        data = ptr8(int(data) + 16)
        p = ptr32(h)
        k = 0
        c = 0
        while k < 130:  # the hash and the block, added and carried
            at = ptr8(int(block) + (k >> 3))
            acc = at[0] | (at[1] << 8) | (at[2] << 16)
            acc = ((acc >> (k & 7)) & 0x1FFF) + p[0] + c
            c = acc >> 13
            p[0] = acc & 0x1FFF
            p = ptr32(int(p) + 4)
            k += 13
        p = ptr32(h)
        p[0] = p[0] + 5 * c
        d = ptr32(h + 4 * _COLUMNS)
        k = 9
        c = 0
        while k >= 0:
            q = ptr32(h + 4 * _FACTOR + 4 * k)
            acc = c
            acc += p[0] * q[0] + p[1] * q[1] + p[2] * q[2] + p[3] * q[3] + p[4] * q[4]
            c = (acc >> 13) & 0x7FFFF
            acc &= 0x1FFF
            acc += p[5] * q[5] + p[6] * q[6] + p[7] * q[7] + p[8] * q[8] + p[9] * q[9]
            c += (acc >> 13) & 0x7FFFF
            d[0] = acc & 0x1FFF
            d = ptr32(int(d) + 4)
            k -= 1
        d = ptr32(h + 4 * _COLUMNS)
        c *= 5
        k = 10
        while k > 0:
            acc = d[0] + c
            c = acc >> 13
            p[0] = acc & 0x1FFF
            p = ptr32(int(p) + 4)
            d = ptr32(int(d) + 4)
            k -= 1
        p = ptr32(h)
        p[0] = p[0] + 5 * c
        blocks -= 1


@micropython.viper
def finish(p: ptr32, s: ptr8, out: ptr8):
    """The tag, 16 bytes: the hash modulo 2**130 - 5, plus the 16 bytes s, modulo 2**128. Clears the work area."""
    i = 0
    while i < 2:
        c = 0
        k = 0
        while k < 10:
            c += p[k]
            p[k] = c & 0x1FFF
            c = c >> 13
            k += 1
        p[0] = p[0] + 5 * c
        i += 1
    # Plus 5 it reaches 2**130 if it was not reduced: then it is the sum that counts.
    g = ptr32(int(p) + 4 * _COLUMNS)
    c = 5
    k = 0
    while k < 10:
        c += p[k]
        g[k] = c & 0x1FFF
        c = c >> 13
        k += 1
    c = 0 - c
    k = 0
    while k < 10:
        p[k] = p[k] ^ ((p[k] ^ g[k]) & c)
        k += 1
    bits = 0
    acc = 0
    c = 0
    i = 0
    k = 0
    while i < 16:
        while bits < 8:
            acc |= p[k] << bits
            k += 1
            bits += 13
        c += (acc & 0xFF) + s[i]
        out[i] = c
        c = c >> 8
        acc = acc >> 8
        bits -= 8
        i += 1
    k = 0
    while k < 44:
        p[k] = 0
        k += 1
