"""ChaCha20 (RFC 8439 section 2.4) in native code. Used by chacha20poly1305.py. Nothing depends on secret data."""

import micropython

# The words of the eight quarter rounds of a double round.
ORDER = bytes(
    (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 0, 5, 10, 15, 1, 6, 11, 12, 2, 7, 8, 13, 3, 4, 9, 14)
)


@micropython.viper
def crypt(b: int, d: int, state: ptr32, order: ptr8, data: ptr8, size: int):
    """Encrypt or decrypt in place. `state` is 32 words: 16 of the cipher's state, whose counter moves on, and 16 of
    work. order is ORDER; b and d are 0: the first two parameters live in machine registers."""
    x = ptr32(int(state) + 64)
    while size > 0:
        n = 0
        while n < 16:
            x[n] = state[n]
            n += 1
        rounds = 10
        while rounds > 0:
            at = order
            n = 8
            while n > 0:
                a = x[at[0]]
                b = x[at[1]]
                c = x[at[2]]
                d = x[at[3]]
                a += b
                d ^= a
                d = (d << 16) | ((d >> 16) & 0xFFFF)
                c += d
                b ^= c
                b = (b << 12) | ((b >> 20) & 0xFFF)
                a += b
                d ^= a
                d = (d << 8) | ((d >> 24) & 0xFF)
                c += d
                b ^= c
                x[at[1]] = (b << 7) | ((b >> 25) & 0x7F)
                x[at[0]] = a
                x[at[2]] = c
                x[at[3]] = d
                at = ptr8(int(at) + 4)
                n -= 1
            rounds -= 1
        n = 0
        while n < 16:
            x[n] = x[n] + state[n]
            n += 1
        stream = ptr8(int(x))
        n = 64
        if size < 64:
            n = size
        size -= n
        while n > 0:
            data[0] = data[0] ^ stream[0]
            data = ptr8(int(data) + 1)
            stream = ptr8(int(stream) + 1)
            n -= 1
        state[12] = state[12] + 1
    n = 0
    while n < 16:
        x[n] = 0
        n += 1
