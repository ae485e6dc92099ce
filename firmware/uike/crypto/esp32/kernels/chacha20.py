"""ChaCha20 (RFC 8439 section 2.3) in native code, for chacha20poly1305.py. Nothing depends on secret data.

`state` is an array("i") of 32 words: the input of a block, then room for its output.
"""

import micropython


@micropython.viper
def mix(state: ptr32, data: ptr8, start: int, size: int, rounds: ptr8):
    """XORs the key stream into data[start : start + size]; moves the counter on by a block for each 64 bytes begun.

    `rounds` names the words of the eight quarter rounds of a double round, four bytes each."""
    at = 0
    while at < size:
        i = 0
        while i < 16:
            state[16 + i] = state[i]
            i += 1
        double = 0
        while double < 10:
            q = 0
            while q < 32:
                ia = 16 + rounds[q]
                ib = 16 + rounds[q + 1]
                ic = 16 + rounds[q + 2]
                id = 16 + rounds[q + 3]
                a = state[ia]
                b = state[ib]
                c = state[ic]
                d = state[id]
                a = a + b
                d = d ^ a
                d = (d << 16) | ((d >> 16) & 0xFFFF)
                c = c + d
                b = b ^ c
                b = (b << 12) | ((b >> 20) & 0xFFF)
                a = a + b
                d = d ^ a
                d = (d << 8) | ((d >> 24) & 0xFF)
                c = c + d
                b = b ^ c
                b = (b << 7) | ((b >> 25) & 0x7F)
                state[ia] = a
                state[ib] = b
                state[ic] = c
                state[id] = d
                q += 4
            double += 1
        i = 0
        while i < 16 and at < size:
            word = state[16 + i] + state[i]
            j = 0
            while j < 4 and at < size:
                data[start + at] = data[start + at] ^ (word & 255)
                word = word >> 8
                at += 1
                j += 1
            i += 1
        state[12] = state[12] + 1
