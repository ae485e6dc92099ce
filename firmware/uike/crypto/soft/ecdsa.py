"""ECDSA (FIPS 186-5 section 6.4) on P-256, P-384 and P-521: verifying. Loaded for a signature.

A signature is r|s. Signing is in ecdsa_sign.py.
"""

from uike.crypto.soft import weierstrass


def number(digest, order, size):
    """The leftmost bits of a digest, as many as the order has."""
    z = int.from_bytes(digest, "big")
    return z >> 8 * (len(digest) - size) if len(digest) > size else z


def verify(kind, public, digest, signature, multiply=None):
    """Whether r|s is a signature; `public` is 04|x|y. multiply(scalar, x, y, random) is that of p256.py."""
    curve = weierstrass.CURVES[kind]
    size, n = curve[0], curve[3]
    key = weierstrass.point(curve, public)
    if key is None or len(signature) != 2 * size:
        return False
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    if not (0 < r < n and 0 < s < n):
        return False
    inverse = pow(s, n - 2, n)
    z = number(digest, n, size)
    u, v = z * inverse % n, r * inverse % n
    base = weierstrass.generator(curve)
    if multiply:
        parts = []
        for scalar, point in ((u, base), (v, key)):
            found = multiply(scalar, point[0], point[1], bytes)  # zeros for random bytes: nothing to blind
            parts.append((found[0], found[1], 1) if any(found) else (0, 1, 0))
        total = weierstrass.add(curve, parts[0], parts[1])
        found = weierstrass.affine(curve, total) if total[2] else None
    else:
        found = weierstrass.combine(curve, u, base, v, key)
    return found is not None and found[0] % n == r
