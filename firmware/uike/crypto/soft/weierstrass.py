"""Points of the curves P-256, P-384 and P-521 (FIPS 186-5, SP 800-186 section 3.2.1). Used by ecdsa.py; loaded with it.

The formula of p256.py for any prime: points are projective (X : Y : Z), one addition serves for every pair of points
(Renes, Costello and Batina 2016, algorithm 4). A curve is a tuple (size of a number in bytes, p, b, n, x and y of the
generator).
"""

from uike import iana

CURVES = {
    iana.KEY_P256: (
        32,
        (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    iana.KEY_P384: (
        48,
        (1 << 384) - (1 << 128) - (1 << 96) + (1 << 32) - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
    iana.KEY_P521: (
        66,
        (1 << 521) - 1,
        0x51953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,  # noqa: E501
        (1 << 521) - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
        0xC6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66,  # noqa: E501
        0x11839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650,  # noqa: E501
    ),
}


def add(curve, p, q):
    """The sum of any two points."""
    m, b = curve[1], curve[2]
    x1, y1, z1 = p
    x2, y2, z2 = q
    xx = x1 * x2 % m
    yy = y1 * y2 % m
    zz = z1 * z2 % m
    # Differences get a multiple of the prime to stay positive: a sign would show in the time.
    xy = ((x1 + y1) * (x2 + y2) + (m << 1) - xx - yy) % m
    yz = ((y1 + z1) * (y2 + z2) + (m << 1) - yy - zz) % m
    xz = ((x1 + z1) * (x2 + z2) + (m << 1) - xx - zz) % m
    u = 3 * (xz + m - b * zz % m)
    v = 3 * (b * xz % m + (m << 2) - 3 * zz - xx)
    w = 3 * (xx + m - zz)
    plus, minus = yy + u, yy + (m << 3) - u
    return (
        (plus * xy + (m << 8 * curve[0] + 4) - yz * v) % m,
        (plus * minus + w * v) % m,
        (yz * minus + xy * w) % m,
    )


def generator(curve):
    return curve[4], curve[5], 1


def point(curve, data):
    """The point 04|x|y, projective; None for anything that is not a point of the curve."""
    size, m, b = curve[:3]
    if len(data) != 2 * size + 1 or data[0] != 4:
        return None
    x, y = int.from_bytes(data[1 : size + 1], "big"), int.from_bytes(data[size + 1 :], "big")
    if x >= m or y >= m or (y * y + 3 * x - x * x * x - b) % m:
        return None
    return x, y, 1


def affine(curve, p):
    """(x, y) of a point that is not infinity."""
    m = curve[1]
    inverse = pow(p[2], m - 2, m)
    return p[0] * inverse % m, p[1] * inverse % m


def multiply(curve, scalar, random):
    """scalar times the generator, projective; for secrets: 0 <= scalar < the order.

    The same steps for every scalar, to which a random multiple of the order is added, from randomised coordinates
    (Coron 1999): time cannot be compared between runs.
    """
    size, m, n = curve[0], curve[1], curve[3]
    scalar += n * (int.from_bytes(random(4), "big") | 1 << 31)
    z = int.from_bytes(random(size - 1), "big") | 1
    low, high = (0, z, 0), (curve[4] * z % m, curve[5] * z % m, z)
    for t in range(8 * size + 32, -1, -1):
        bit = scalar >> t & 1
        pair = (low, high)
        total = add(curve, low, high)
        twice = add(curve, pair[bit], pair[bit])
        pair = (twice, total, twice)
        low, high = pair[bit], pair[bit + 1]
    return low


def combine(curve, u, p, v, q):
    """Coordinates of u * p + v * q, of two points that are not infinity; None for infinity.

    Takes time that depends on all of them: for what is not secret. Both scalars go at once (Shamir's trick), and the
    sum is kept in Jacobian coordinates, x = X / Z**2 and y = Y / Z**3, where doubling takes less.
    """
    m = curve[1]
    both = add(curve, p, q)
    terms = (None, p, q, affine(curve, both) if both[2] else None)
    total = (1, 1, 0)
    for t in range(8 * curve[0] - 1, -1, -1):
        total = _double(m, total)
        term = terms[(u >> t & 1) + 2 * (v >> t & 1)]
        if term:
            total = _add_affine(m, total, term[0], term[1])
    x, y, z = total
    if not z:
        return None
    inverse = pow(z, m - 2, m)
    square = inverse * inverse % m
    return x * square % m, y * square * inverse % m


def _double(m, p):
    """Twice a point in Jacobian coordinates, on a curve with a = -3."""
    x, y, z = p
    zz, yy = z * z % m, y * y % m
    four = 4 * x * yy % m
    slope = 3 * (x - zz) * (x + zz) % m
    x3 = (slope * slope - 2 * four) % m
    return x3, (slope * (four - x3) - 8 * yy * yy) % m, 2 * y * z % m


def _add_affine(m, p, x2, y2):
    """A point in Jacobian coordinates and (x2, y2)."""
    x, y, z = p
    if not z:
        return x2, y2, 1
    zz = z * z % m
    h, r = (x2 * zz - x) % m, (y2 * zz * z - y) % m
    if not h:
        return (1, 1, 0) if r else _double(m, p)
    hh = h * h % m
    hhh, v = h * hh % m, x * hh % m
    x3 = (r * r - hhh - 2 * v) % m
    return x3, (r * (v - x3) - y * hhh) % m, z * h % m
