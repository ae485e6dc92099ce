"""The stored seed: randomness carried from one boot to the next (NIST SP 800-90A Rev. 1 section 9.2, additional input).

It covers for a chip whose generator is weak at power-on, and counts for nothing where the standard counts entropy.
Loaded at power-on, before anything else has drawn from the DRBG, and dropped.
"""

from uike import reason

_NAME = "seed"
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
