"""The compression function of SHA-384 and SHA-512 (FIPS 180-4 section 6.4) in native code. Used by sha512.py.

A 64-bit word is two of 32, the upper one first. Sums are made of 16 bits at a time, so that there is room for carries.
"""

import micropython

_VARIABLES = 320  # words of the work area: the schedule and the constants come first (80 of 64 bits each)
SIZE = 496  # words: and a place for a ... h that moves down by one in each of eighty rounds


@micropython.viper
def block(w: ptr32, state: ptr32, data: ptr8):
    """Take in one block of 128 bytes. `state` is 16 words; the work area has the 80 round constants at word 160."""
    n = 0
    v = 0x7FFF
    low31 = (v << 16) | 0xFFFF
    while n < 32:
        w[n] = (data[0] << 24) | (data[1] << 16) | (data[2] << 8) | data[3]
        data = ptr8(int(data) + 4)
        n += 1
    q = w
    while n < 160:  # q[0] is the word 16 places back
        h = q[2]
        v = q[3]
        a = ((h >> 1) & low31) ^ (v << 31) ^ ((h >> 8) & 0xFFFFFF) ^ (v << 24) ^ ((h >> 7) & 0x1FFFFFF)
        b = ((v >> 1) & low31) ^ (h << 31) ^ ((v >> 8) & 0xFFFFFF) ^ (h << 24) ^ ((v >> 7) & 0x1FFFFFF) ^ (h << 25)
        h = q[28]
        v = q[29]
        c = ((h >> 19) & 0x1FFF) ^ (v << 13) ^ ((v >> 29) & 7) ^ (h << 3) ^ ((h >> 6) & 0x3FFFFFF)
        d = ((v >> 19) & 0x1FFF) ^ (h << 13) ^ ((h >> 29) & 7) ^ (v << 3) ^ ((v >> 6) & 0x3FFFFFF) ^ (h << 26)
        h = q[1]
        v = q[19]
        low = (b & 0xFFFF) + (d & 0xFFFF) + (h & 0xFFFF) + (v & 0xFFFF)
        high = ((b >> 16) & 0xFFFF) + ((d >> 16) & 0xFFFF) + ((h >> 16) & 0xFFFF) + ((v >> 16) & 0xFFFF) + (low >> 16)
        q[33] = (high << 16) | (low & 0xFFFF)
        q[32] = a + c + q[0] + q[18] + (high >> 16)
        q = ptr32(int(q) + 8)
        n += 2
    p = ptr32(int(w) + 4 * (_VARIABLES + 160))
    n = 0
    while n < 16:
        p[n] = state[n]
        n += 1
    q = w
    n = 80
    while n > 0:
        h = p[8]
        v = p[9]
        # the big sigma of e: 14, 18 and 41 to the right
        a = ((h >> 14) & 0x3FFFF) ^ (v << 18) ^ ((h >> 18) & 0x3FFF) ^ (v << 14) ^ ((v >> 9) & 0x7FFFFF) ^ (h << 23)
        b = ((v >> 14) & 0x3FFFF) ^ (h << 18) ^ ((v >> 18) & 0x3FFF) ^ (h << 14) ^ ((h >> 9) & 0x7FFFFF) ^ (v << 23)
        c = p[12] ^ (h & (p[10] ^ p[12]))
        d = p[13] ^ (v & (p[11] ^ p[13]))
        h = p[15]
        v = q[1]
        k = q[161]
        low = (b & 0xFFFF) + (d & 0xFFFF) + (h & 0xFFFF) + (v & 0xFFFF) + (k & 0xFFFF)
        high = ((b >> 16) & 0xFFFF) + ((d >> 16) & 0xFFFF) + ((h >> 16) & 0xFFFF) + ((v >> 16) & 0xFFFF)
        high += ((k >> 16) & 0xFFFF) + (low >> 16)
        t_low = (high << 16) | (low & 0xFFFF)
        t_high = a + c + p[14] + q[0] + q[160] + (high >> 16)
        v = p[7]
        low = (t_low & 0xFFFF) + (v & 0xFFFF)
        high = ((t_low >> 16) & 0xFFFF) + ((v >> 16) & 0xFFFF) + (low >> 16)
        p[7] = (high << 16) | (low & 0xFFFF)
        p[6] = t_high + p[6] + (high >> 16)
        h = p[0]
        v = p[1]
        # the big sigma of a: 28, 34 and 39 to the right
        a = ((h >> 28) & 0xF) ^ (v << 4) ^ ((v >> 2) & 0x3FFFFFFF) ^ (h << 30) ^ ((v >> 7) & 0x1FFFFFF) ^ (h << 25)
        b = ((v >> 28) & 0xF) ^ (h << 4) ^ ((h >> 2) & 0x3FFFFFFF) ^ (v << 30) ^ ((h >> 7) & 0x1FFFFFF) ^ (v << 25)
        c = (h & p[2]) | (p[4] & (h | p[2]))
        d = (v & p[3]) | (p[5] & (v | p[3]))
        low = (t_low & 0xFFFF) + (b & 0xFFFF) + (d & 0xFFFF)
        high = ((t_low >> 16) & 0xFFFF) + ((b >> 16) & 0xFFFF) + ((d >> 16) & 0xFFFF) + (low >> 16)
        p = ptr32(int(p) - 8)
        p[1] = (high << 16) | (low & 0xFFFF)
        p[0] = t_high + a + c + (high >> 16)
        q = ptr32(int(q) + 8)
        n -= 1
    while n < 16:
        h = state[n + 1]
        v = p[n + 1]
        low = (h & 0xFFFF) + (v & 0xFFFF)
        high = ((h >> 16) & 0xFFFF) + ((v >> 16) & 0xFFFF) + (low >> 16)
        state[n + 1] = (high << 16) | (low & 0xFFFF)
        state[n] = state[n] + p[n] + (high >> 16)
        n += 2
