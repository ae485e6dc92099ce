"""Signatures: which algorithm goes with which key, and the module that knows it. Loaded for a signature.

Behind `verify`, `sign` and `public_key` of the providers `soft` and `esp32` (contract: uike/crypto/__init__.py). Each
provider is asked for what it can do better: `hasher(hash_id)` is (what makes a hash object, its block size in bytes);
`p256` a multiplication on P-256 that is constant in time (see p256.py), and `mpi` makes a driver of an engine
(esp32/mpi.py), or they are None.
"""

from uike import iana


def _take_apart(algorithm, key):
    """(scheme, hash, kind) if the algorithm is one, and one of the key's; else None."""
    scheme, hash_id = algorithm & 0xF0, algorithm & 15
    kind = key[0] if key else 0
    if scheme == iana.EDDSA:
        fits = kind == iana.KEY_ED25519 and hash_id == iana.HASH_IDENTITY
    else:
        fits = iana.SHA2_256 <= hash_id <= iana.SHA2_512 and (
            kind == iana.KEY_RSA
            and scheme in (iana.RSASSA_PKCS1, iana.RSASSA_PSS)
            or iana.KEY_P256 <= kind <= iana.KEY_P521
            and scheme == iana.ECDSA
        )
    return (scheme, hash_id, kind) if fits else None


def verify(provider, algorithm, key, message, signature):
    found = _take_apart(algorithm, key)
    if not found:
        return False
    scheme, hash_id, kind = found
    if kind == iana.KEY_ED25519:
        return provider.module("ed25519").verify(provider.hasher(iana.SHA2_512)[0], key[1], message, signature)
    new = provider.hasher(hash_id)[0]
    digest = _digest(new, message)
    if kind == iana.KEY_RSA:
        return provider.module("rsa").verify(scheme == iana.RSASSA_PSS, hash_id, new, key[1:], digest, signature)
    return provider.module("ecdsa").verify(kind, key[1], digest, signature, _multiplication(provider, kind))


def sign(provider, algorithm, key, message, random):
    found = _take_apart(algorithm, key)
    if not found:
        raise ValueError("algorithm")
    scheme, hash_id, kind = found
    if kind == iana.KEY_ED25519:
        return provider.module("ed25519").sign(provider.hasher(iana.SHA2_512)[0], key[1], message, random)
    new, block = provider.hasher(hash_id)
    digest = _digest(new, message)
    if kind == iana.KEY_RSA:
        return provider.module("rsa_sign").sign(
            scheme == iana.RSASSA_PSS, hash_id, new, key[1:], digest, random, provider.mpi and provider.mpi()
        )
    return provider.module("ecdsa_sign").sign(kind, key[1], digest, new, block, random, _multiplication(provider, kind))


def public_key(provider, key, random):
    kind = key[0]
    if kind == iana.KEY_RSA:
        return key[:3]
    if kind == iana.KEY_ED25519:
        return kind, provider.module("ed25519").public(provider.hasher(iana.SHA2_512)[0], key[1], random)
    return kind, provider.module("ecdsa_sign").public(kind, key[1], random, _multiplication(provider, kind))


def _multiplication(provider, kind):
    return provider.p256 if kind == iana.KEY_P256 else None


def _digest(new, message):
    message = memoryview(message)  # raises here, not between the two below
    h = new()
    h.update(message)
    return h.digest()
