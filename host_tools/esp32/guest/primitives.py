"""Runs on the board: what each primitive of a provider costs, and that both ends of a key exchange agree."""

import hashlib
import os

from proof.measure import check, provider, timed
from uike import iana
from uike.crypto.drbg import Drbg

_SIZES = (64, 1400)
_PRFS = (
    ("HMAC-SHA2-256", iana.PRF_HMAC_SHA2_256),
    ("HMAC-SHA2-384", iana.PRF_HMAC_SHA2_384),
    ("HMAC-SHA2-512", iana.PRF_HMAC_SHA2_512),
)
_GROUPS = (("X25519", iana.CURVE25519), ("P-256", iana.ECP_256), ("MODP-2048", iana.MODP_2048))


def _sha256(data):
    h = hashlib.sha256()
    h.update(data)
    return h.digest()


def run(crypto_name):
    crypto = provider(crypto_name)
    random = Drbg(os.urandom, crypto.prf)
    for size in _SIZES:
        data = bytes(size)
        timed("SHA-256 %d bytes" % size, _sha256, data)
        for name, number in _PRFS:
            crypto.prf(number, b"", b"")  # loads what it needs
            timed("%s %d bytes" % (name, size), crypto.prf, number, b"key", data)
    timed("random 32 bytes", random, 32)
    for name, group in _GROUPS:
        _exchange(crypto, random, name, group)
        crypto.release()


def _exchange(crypto, random, name, group):
    ours = crypto.key_exchange(group, random)  # the first one loads the code
    theirs = timed(name + " key", crypto.key_exchange, group, random)
    first = timed(name + " shared", ours.shared, theirs.public)
    check(name + " agrees", first == theirs.shared(ours.public))
    ours.wipe()
    theirs.wipe()
