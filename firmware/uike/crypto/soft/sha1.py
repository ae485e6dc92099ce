"""SHA-1 (FIPS 180-4 section 6.1), for the NAT detection hashes alone (RFC 7296 section 2.23). Loaded for an exchange.

Small, not fast: one block of 64 bytes is all that a NAT detection hash takes.
"""

import struct

_K = (0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6)
_MASK = 0xFFFFFFFF


def sha1(data):
    """20 bytes."""
    size = len(data)
    data = bytes(data) + b"\x80" + bytes(-(size + 9) % 64) + struct.pack(">Q", size * 8)
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0]
    for at in range(0, len(data), 64):
        _block(state, list(struct.unpack_from(">16I", data, at)))
    return struct.pack(">5I", *state)


def _block(state, w):
    a, b, c, d, e = state
    for t in range(80):
        if t >= 16:
            x = w[t - 3 & 15] ^ w[t - 8 & 15] ^ w[t - 14 & 15] ^ w[t & 15]
            w[t & 15] = (x << 1 | x >> 31) & _MASK
        part = t // 20
        if part == 0:
            f = d ^ (b & (c ^ d))
        elif part == 2:
            f = b & c | d & (b | c)
        else:
            f = b ^ c ^ d
        f += (a << 5 | a >> 27) + e + _K[part] + w[t & 15]
        e, d, c, b, a = d, c, (b << 30 | b >> 2) & _MASK, a, f & _MASK
    for i, value in enumerate((a, b, c, d, e)):
        state[i] = state[i] + value & _MASK
