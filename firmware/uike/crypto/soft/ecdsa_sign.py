"""ECDSA signatures (FIPS 186-5 section 6.4) with the nonce of RFC 6979, on P-256 and P-384. Loaded for a signature.

Big integers are not constant-time: the nonce gets a random multiple of the order before it meets the curve (see
weierstrass.multiply), and is inverted, as the private scalar is multiplied, together with a random number.
"""

from uike.crypto.soft import weierstrass
from uike.crypto.soft.ecdsa import number
from uike.crypto.soft.hmac import Hmac


def _nonces(new, block, n, scalar, z, size):
    """Candidates of RFC 6979 section 3.2; the hash is never longer than the order here, or cut to its size."""
    seed = scalar.to_bytes(size, "big") + (z % n).to_bytes(size, "big")
    length = len(new().digest())
    k, v = bytes(length), b"\1" * length
    for mark in (b"\0", b"\1"):
        k = Hmac(new, block, k).digest(v + mark + seed)
        v = Hmac(new, block, k).digest(v)
    while True:
        t = b""
        while len(t) < size:
            v = Hmac(new, block, k).digest(v)
            t += v
        nonce = int.from_bytes(t[:size], "big")
        if 0 < nonce < n:
            yield nonce
        k = Hmac(new, block, k).digest(v + b"\0")
        v = Hmac(new, block, k).digest(v)


def _scalar(curve, data):
    scalar = int.from_bytes(data, "big")
    if len(data) != curve[0] or not 0 < scalar < curve[3] or curve[0] > 48:
        raise ValueError("key")
    return scalar


def _times(curve, scalar, random, multiply):
    """(x, y) of a multiple of the generator; multiply is that of p256.py, or None."""
    if multiply:
        return multiply(scalar, curve[4], curve[5], random)
    return weierstrass.affine(curve, weierstrass.multiply(curve, scalar, random))


def sign(kind, private, digest, new, block, random, multiply=None):
    """r|s. new() makes the hash object whose result the digest is; block is its block size in bytes."""
    curve = weierstrass.CURVES[kind]
    size, n = curve[0], curve[3]
    d = _scalar(curve, private)
    z = number(digest, n, size)
    for nonce in _nonces(new, block, n, d, z, size):
        r = _times(curve, nonce, random, multiply)[0] % n
        blind = int.from_bytes(random(size), "big") % (n - 1) + 1
        s = pow(nonce * blind % n, n - 2, n) * (z * blind + d * blind % n * r) % n
        if r and s:
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def public(kind, private, random, multiply=None):
    """04|x|y of a private scalar."""
    curve = weierstrass.CURVES[kind]
    size = curve[0]
    x, y = _times(curve, _scalar(curve, private), random, multiply)
    return b"\4" + x.to_bytes(size, "big") + y.to_bytes(size, "big")
