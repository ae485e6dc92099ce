"""X25519 (RFC 7748 section 5), for uike/crypto/x25519.py. Loaded when a key exchange starts.

Big-integer arithmetic is not constant-time, so each multiplication starts from randomised projective coordinates
(Coron 1999): what the timing shows belongs to numbers that differ in each run. The ladder takes no branch on a key bit.
"""

from uike.crypto import wipe

_P = (1 << 255) - 19
_MASK = (1 << 255) - 1


def _reduce(x):
    """Below 2**255 + 2**12 or so, for a product: 2**255 is 19."""
    x = (x & _MASK) + 19 * (x >> 255)
    return (x & _MASK) + 19 * (x >> 255)


def multiply(scalar, u, random):
    """The function X25519 (RFC 7748 section 5): 32-byte scalar, 32-byte u -> 32 bytes. random(n) is for blinding."""
    k = bytearray(scalar)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    x1 = int.from_bytes(u, "little") & _MASK
    z3 = int.from_bytes(random(31), "little") | 1
    x2, z2, x3 = z3, 0, _reduce(x1 * z3)
    # The two points stay where they are in memory order; a bit only picks the index of the one to double.
    last = 0
    for t in range(254, -1, -1):
        bit = k[t >> 3] >> (t & 7) & 1
        swap = bit ^ last
        last = bit
        pair = ((x2, z2), (x3, z3))
        x2, z2 = pair[swap]
        x3, z3 = pair[swap ^ 1]
        a = x2 + z2
        b = x2 - z2
        aa = _reduce(a * a)
        bb = _reduce(b * b)
        e = aa - bb
        da = _reduce((x3 - z3) * a)
        cb = _reduce((x3 + z3) * b)
        x3 = da + cb
        z3 = da - cb
        x3 = _reduce(x3 * x3)
        z3 = _reduce(x1 * _reduce(z3 * z3))
        x2 = _reduce(aa * bb)
        z2 = _reduce(e * (aa + 121665 * e))
    pair = ((x2, z2), (x3, z3))
    x2, z2 = pair[last]
    wipe(k)
    return (x2 * pow(z2, _P - 2, _P) % _P).to_bytes(32, "little")
