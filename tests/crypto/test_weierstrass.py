"""Sums of multiples of points where formulas have their exceptions: infinity, a point twice, a point and its mirror."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from uike import iana
from uike.crypto.soft import weierstrass

CURVES = {iana.KEY_P256: ec.SECP256R1(), iana.KEY_P384: ec.SECP384R1(), iana.KEY_P521: ec.SECP521R1()}
every_curve = pytest.mark.parametrize("kind", CURVES)


def multiple(kind, scalar):
    """Coordinates of a multiple of the generator by OpenSSL; None for infinity."""
    scalar %= weierstrass.CURVES[kind][3]
    if not scalar:
        return None
    numbers = ec.derive_private_key(scalar, CURVES[kind]).public_key().public_numbers()
    return numbers.x, numbers.y


@every_curve
def test_the_constants(kind):
    size, m, b, n, x, y = weierstrass.CURVES[kind]
    assert m.bit_length() == n.bit_length() == CURVES[kind].key_size and (m.bit_length() + 7) // 8 == size
    assert (x, y) == multiple(kind, 1) and (y * y - x**3 + 3 * x - b) % m == 0
    assert weierstrass.combine(weierstrass.CURVES[kind], n - 1, (x, y, 1), 1, (x, y, 1)) is None


@every_curve
def test_sums_of_two_multiples(kind):
    curve = weierstrass.CURVES[kind]
    n, base = curve[3], weierstrass.generator(curve)
    rng = random.Random(kind)
    any_u, any_v, any_d = (rng.randrange(n) for _ in range(3))
    for d in (1, 2, n - 1, n - 2, (n + 1) // 2, any_d):
        point = (*multiple(kind, d), 1)
        rows = [(0, 0), (0, 7), (7, 0), (1, 1), (2, 1), (1, 2), (3, n - 1), (n - 1, 1), (any_u, any_v)]
        for u, v in [*rows, (d, 1), (n - d, 1), (d, n - 1)]:
            assert weierstrass.combine(curve, u, base, v, point) == multiple(kind, u + v * d), (d, u, v)


@every_curve
def test_secret_multiples(kind):
    """The ladder, whatever the random numbers are."""
    curve = weierstrass.CURVES[kind]
    rng = random.Random(kind)
    for scalar in (1, 2, curve[3] - 1, rng.randrange(curve[3])):
        for source in (rng.randbytes, bytes, lambda n: b"\xff" * n):
            found = weierstrass.affine(curve, weierstrass.multiply(curve, scalar, source))
            assert found == multiple(kind, scalar)


@every_curve
def test_what_is_no_point(kind):
    curve = weierstrass.CURVES[kind]
    size, m = curve[:2]
    x, y = (value.to_bytes(size, "big") for value in multiple(kind, 5))
    assert weierstrass.point(curve, b"\4" + x + y) == (*multiple(kind, 5), 1)
    high = int.from_bytes(x, "big") + m
    bad = [b"\2" + x + y, b"\4" + y + x, b"\4" + x + y + b"\0", b"\4" + x + y[:-1], b"\4" + x + bytes(size), b""]
    bad += [b"\4" + high.to_bytes(size, "big") + y] if high < 1 << 8 * size else []
    for each in bad:
        assert weierstrass.point(curve, each) is None
