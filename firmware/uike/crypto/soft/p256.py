"""ECDH over P-256 (RFC 5903 section 3.1, FIPS 186) as a key exchange method. A `KeyExchange`; loaded when one starts.

Points are projective (X : Y : Z); one addition formula serves for every pair of points, doubling and infinity included
(Renes, Costello and Batina 2016, algorithm 4), so the ladder takes the same steps for every scalar. Big-integer
arithmetic is not constant-time, therefore each multiplication starts from randomised coordinates (Coron 1999).
"""

_P = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
_GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5


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
    """x coordinate of scalar * (x, y), an integer below 2**257 and a point of the curve; random(n) is for blinding."""
    z = int.from_bytes(random(31), "big") | 1
    low, high = (0, z, 0), (x * z % _P, y * z % _P, z)
    for t in range(256, -1, -1):
        bit = scalar >> t & 1
        pair = (low, high)
        total = _add(low, high)
        twice = _add(pair[bit], pair[bit])
        pair = (twice, total, twice)
        low, high = pair[bit], pair[bit + 1]
    return low[0] * pow(low[2], _P - 2, _P) % _P, low


class P256:
    """See the contract in uike/crypto/__init__.py."""

    def __init__(self, random):
        self._random = random
        # 64 bits more than the order has make the bias of the reduction negligible (FIPS 186-5 A.2.1)
        self._private = int.from_bytes(random(40), "big") % (_N - 1) + 1
        x, point = multiply(self._private, _GX, _GY, random)
        y = point[1] * pow(point[2], _P - 2, _P) % _P
        self.public = x.to_bytes(32, "big") + y.to_bytes(32, "big")

    def shared(self, peer_public):
        if len(peer_public) != 64:
            raise ValueError("public value")
        x, y = int.from_bytes(peer_public[:32], "big"), int.from_bytes(peer_public[32:], "big")
        if x >= _P or y >= _P or (y * y + 3 * x - x * x * x - _B) % _P:
            raise ValueError("public value")
        return multiply(self._private, x, y, self._random)[0].to_bytes(32, "big")

    def wipe(self):
        self._private = 0
