"""GHASH (NIST SP 800-38D section 6.4) in native code, for gcm.py. The same instructions run whatever the data are.

Numbers are four words, most significant first, as GCM writes its polynomials: bit 31 of word 0 is the coefficient of
x**0. `state` is an array("i") of 8 words: the hash so far, then the hash key.
"""

import micropython


@micropython.viper
def update(state: ptr32, data: ptr8, size: int):
    """Takes `size` bytes in, padded with zeros to a multiple of 16."""
    one = 1  # numbers of 31 bits and more are no constants of viper
    low = (one << 31) - 1
    top = 0 - (31 << 24)  # 0xE1 in the highest byte
    at = 0
    while at < size:
        i = 0
        while i < 4:
            word = 0
            j = at + 4 * i
            end = j + 4
            while j < end:
                word = word << 8
                if j < size:
                    word = word | data[j]
                j += 1
            state[i] = state[i] ^ word
            i += 1
        v0 = state[4]
        v1 = state[5]
        v2 = state[6]
        v3 = state[7]
        z0 = 0
        z1 = 0
        z2 = 0
        z3 = 0
        i = 0
        while i < 4:
            word = state[i]
            j = 31
            while j >= 0:
                mask = 0 - ((word >> j) & 1)
                z0 = z0 ^ (v0 & mask)
                z1 = z1 ^ (v1 & mask)
                z2 = z2 ^ (v2 & mask)
                z3 = z3 ^ (v3 & mask)
                mask = 0 - (v3 & 1)
                v3 = ((v3 >> 1) & low) | (v2 << 31)
                v2 = ((v2 >> 1) & low) | (v1 << 31)
                v1 = ((v1 >> 1) & low) | (v0 << 31)
                v0 = ((v0 >> 1) & low) ^ (top & mask)
                j -= 1
            i += 1
        state[0] = z0
        state[1] = z1
        state[2] = z2
        state[3] = z3
        at += 16


@micropython.viper
def mix(data: ptr8, start: int, stream: ptr8, size: int):
    """data[start : start + size] ^= stream[:size], in place."""
    i = 0
    while i < size:
        data[start + i] = data[start + i] ^ stream[i]
        i += 1
