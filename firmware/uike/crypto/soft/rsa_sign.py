"""RSA signatures (RFC 8017 section 5.2.1): the private power, by the Chinese remainder theorem. Loaded for a signature.

`pow` is not constant-time: the base is blinded with a random number, the exponents with random multiples of p - 1 and
q - 1. The result is verified before anybody sees it, since a fault in one half would give the factors away.
"""

from uike.crypto.soft import rsa


def inverse(a, m):
    """1/a modulo m, or None if there is none (Euclid). Time depends on a: give it a random number."""
    x, y, u, v = a % m, m, 1, 0
    while x > 1:
        quotient = y // x
        x, y, u, v = y - quotient * x, x, v - quotient * u, u
    return u % m if x else None


def sign(is_pss, hash_id, new, private, digest, random, engine=None):
    """As many bytes as the modulus has. private is (n, e, p, q, dp, dq, qinv); ValueError for a key that is none.

    `engine` computes powers, or gives None for those that it cannot (`uike.crypto.esp32.mpi`).
    """
    size = len(private[0])
    if size < 256:
        raise ValueError("key")
    if is_pss:
        message = rsa.pss(new, digest, random(len(digest)), size)
    else:
        message = rsa.pkcs1(hash_id, digest, size)
    signature = _power(private, message, random, engine)
    if engine:
        engine.forget()
    if rsa.power(private[0], private[1], signature) != message:
        raise ValueError("key")
    return signature


def _half(base, exponent, prime, size, random, engine):
    """The power modulo a prime of `size` bytes. The engine is constant in time, or near to it: nothing to blind."""
    base %= prime
    result = engine.power(base, exponent, prime, size) if engine else None
    if result is None:
        result = pow(base, exponent + (prime - 1) * int.from_bytes(random(8), "big"), prime)
    return result


def _power(private, message, random, engine):
    n, e, p, q, dp, dq, qinv = [int.from_bytes(part, "big") for part in private]
    if p < 3 or q < 3 or p * q != n:
        raise ValueError("key")
    back = None
    while back is None:
        blind = int.from_bytes(random(len(message)), "big") % n
        back = inverse(blind, n)
    base = int.from_bytes(message, "big") * pow(blind, e, n) % n
    first = _half(base, dp, p, len(private[2]), random, engine)
    second = _half(base, dq, q, len(private[3]), random, engine)
    return ((second + (first + (q // p + 1) * p - second) * qinv % p * q) * back % n).to_bytes(len(message), "big")
