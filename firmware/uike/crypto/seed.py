"""The stored seed: randomness carried from one boot to the next (NIST SP 800-90A Rev. 1 section 9.2, additional input);
and a secret that is the same at each.

It covers for a chip whose generator is weak at power-on, and counts for nothing where the standard counts entropy.
Loaded at power-on, before anything else has drawn from the DRBG, and dropped.
"""

from uike import reason

_NAME = "seed"
_KEPT_NAME = "secret"
_SIZE = 32  # bytes: the security strength


def reseed(random, store):
    """Mixes the seed of `store` into a Drbg and puts another in its place. Returns the reasons why not, a list.

    The new seed is written before a byte is drawn for any other purpose, so no two boots speak from the same one,
    whenever the power goes. A seed that cannot be replaced is used all the same: it can only help.
    """
    said = []
    try:
        old = store.read(_NAME)
        if old is None:
            said.append(reason.SEED_MISSING)
        elif len(old) < _SIZE:
            said.append(reason.SEED_SHORT)
    except OSError:
        old = None
        said.append(reason.SEED_UNREADABLE)
    random.reseed(bytes(old or b""))
    new = random(_SIZE)
    try:
        store.write(_NAME, new)
        kept = store.read(_NAME) == new
    except OSError:
        kept = False
    if not kept:
        said.append(reason.SEED_NOT_KEPT)
    return said


def keep(random, store):
    """The secret of `store`, 32 bytes, made at the first boot; empty when it can be neither read nor kept."""
    try:
        secret = store.read(_KEPT_NAME)
        if secret is None or len(secret) != _SIZE:  # none yet, or the power went while it was written
            store.write(_KEPT_NAME, random(_SIZE))
            secret = store.read(_KEPT_NAME)
        return bytes(secret) if secret and len(secret) == _SIZE else b""
    except OSError:
        return b""
