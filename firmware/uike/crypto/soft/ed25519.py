"""Ed25519 signatures (RFC 8032 section 5.1). Loaded for a signature.

Points are extended coordinates (X : Y : Z : T); one addition formula serves for every pair of points (RFC 8032 section
5.1.4). For secrets the steps are the same for every scalar, which gets a random multiple of the order, and the
coordinates are randomised: big integers are not constant-time.
"""

_P = (1 << 255) - 19
_L = (1 << 252) + 27742317777372353535851937790883648493
_D = 0x52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3
_ROOT = 0x2B8324804FC1DF0B2B4D00993DFBD7A72F431806AD2FE478C4EE1B274A0EA0B0  # of -1
_X = 0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A
_Y = 0x6666666666666666666666666666666666666666666666666666666666666658


def _add(p, q):
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a = (y1 + _P - x1) * (y2 + _P - x2) % _P
    b = (y1 + x1) * (y2 + x2) % _P
    c = 2 * t1 * t2 * _D % _P
    d = 2 * z1 * z2 % _P
    e, f, g, h = b + _P - a, d + _P - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _multiply(scalar, random):
    """scalar times the generator, for a secret below 2**256."""
    scalar += _L * (int.from_bytes(random(4), "big") | 1 << 31)
    z = int.from_bytes(random(31), "big") | 1
    low, high = (0, z, z, 0), (_X * z % _P, _Y * z % _P, z, _X * _Y * z % _P)
    for t in range(285, -1, -1):
        bit = scalar >> t & 1
        pair = (low, high)
        total = _add(low, high)
        twice = _add(pair[bit], pair[bit])
        pair = (twice, total, twice)
        low, high = pair[bit], pair[bit + 1]
    return low


def _combine(u, v, q):
    """u times the generator and v times q: nothing secret."""
    p = (_X, _Y, 1, _X * _Y % _P)
    both = _add(p, q)
    total = (0, 1, 1, 0)
    for t in range(252, -1, -1):
        total = _add(total, total)
        choice = (u >> t & 1) + 2 * (v >> t & 1)
        if choice:
            total = _add(total, (p, q, both)[choice - 1])
    return total


def _encode(p):
    inverse = pow(p[2], _P - 2, _P)
    x, y = p[0] * inverse % _P, p[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _negated(data):
    """Minus the point that 32 bytes stand for (section 5.1.3); None if they do not stand for one."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P) % _P, (_P - 5) // 8, _P) % _P
    if (v * x * x + u) % _P == 0:
        x = x * _ROOT % _P
    if y >= _P or (v * x * x - u) % _P or x == 0 and sign:
        return None
    if x & 1 == sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _hash(sha512, *parts):
    h = sha512()
    for part in parts:
        h.update(part)
    return h.digest()


def _secret(sha512, private):
    """(scalar, prefix) of a private key (section 5.1.5)."""
    if len(private) != 32:
        raise ValueError("key")
    h = _hash(sha512, private)
    return int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254, h[32:]


def public(sha512, private, random):
    """The 32 bytes of the public key. sha512() makes hash objects, here as below."""
    return _encode(_multiply(_secret(sha512, private)[0], random))


def sign(sha512, private, message, random):
    """64 bytes (section 5.1.6)."""
    scalar, prefix = _secret(sha512, private)
    key = _encode(_multiply(scalar, random))
    nonce = int.from_bytes(_hash(sha512, prefix, message), "little") % _L
    point = _encode(_multiply(nonce, random))
    k = int.from_bytes(_hash(sha512, point, key, message), "little") % _L
    scalar += _L * int.from_bytes(random(8), "big")
    return point + ((nonce + k * scalar) % _L).to_bytes(32, "little")


def verify(sha512, public, message, signature):
    """Whether 64 bytes are a signature (section 5.1.7, without the cofactor, as OpenSSL does)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key = _negated(public)
    s = int.from_bytes(signature[32:], "little")
    if key is None or s >= _L:
        return False
    k = int.from_bytes(_hash(sha512, signature[:32], public, message), "little") % _L
    return _encode(_combine(s, k, key)) == bytes(signature[:32])
