"""Multiplication on P-256 (FIPS 186), for uike/crypto/p256.py. Loaded when a key exchange starts.

Points are projective (X : Y : Z); one addition formula serves for every pair of points, doubling and infinity included
(Renes, Costello and Batina 2016, algorithm 4), so the ladder takes the same steps for every scalar. Big-integer
arithmetic is not constant-time, therefore each multiplication starts from randomised coordinates (Coron 1999).
"""

_P = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def _add(p, q):
    """The sum of any two points."""
    x1, y1, z1 = p
    x2, y2, z2 = q
    xx = x1 * x2 % _P
    yy = y1 * y2 % _P
    zz = z1 * z2 % _P
    # Products of reduced numbers are below 2**512; differences get a multiple of the prime to stay positive.
    xy = ((x1 + y1) * (x2 + y2) + (_P << 1) - xx - yy) % _P
    yz = ((y1 + z1) * (y2 + z2) + (_P << 1) - yy - zz) % _P
    xz = ((x1 + z1) * (x2 + z2) + (_P << 1) - xx - zz) % _P
    u = 3 * (xz + _P - _B * zz % _P)
    v = 3 * (_B * xz % _P + (_P << 2) - 3 * zz - xx)
    w = 3 * (xx + _P - zz)
    plus, minus = yy + u, yy + (_P << 3) - u
    return (
        (plus * xy + (_P << 260) - yz * v) % _P,
        (plus * minus + w * v) % _P,
        (yz * minus + xy * w) % _P,
    )


def multiply(scalar, x, y, random):
    """Coordinates of scalar * (x, y), an integer below 2**257 and a point of the curve; (0, 0) for infinity.

    random(n) is for blinding."""
    z = int.from_bytes(random(31), "big") | 1
    low, high = (0, z, 0), (x * z % _P, y * z % _P, z)
    for t in range(256, -1, -1):
        bit = scalar >> t & 1
        pair = (low, high)
        total = _add(low, high)
        twice = _add(pair[bit], pair[bit])
        pair = (twice, total, twice)
        low, high = pair[bit], pair[bit + 1]
    inverse = pow(low[2], _P - 2, _P)
    return low[0] * inverse % _P, low[1] * inverse % _P
