"""Runs on the board: what signatures cost, made and verified."""

import os

from proof.measure import check, provider, timed
from uike.crypto.drbg import Drbg
from uike.pki import key, signature

_MESSAGE = bytes(200)


def run(crypto_name, keys):
    """`keys`: (name, algorithm, private key in DER as hexadecimal). Each once before it is timed: that loads code."""
    crypto = provider(crypto_name)
    random = Drbg(os.urandom, crypto.prf)
    for name, algorithm, der in keys:
        private = key.parse_private(bytes.fromhex(der))
        public = crypto.public_key(private, random)
        signature.verify(
            crypto, algorithm, public, _MESSAGE, signature.sign(crypto, algorithm, private, _MESSAGE, random)
        )
        made = timed(name + ", made", signature.sign, crypto, algorithm, private, _MESSAGE, random)
        good = timed(name + ", verified", signature.verify, crypto, algorithm, public, _MESSAGE, made)
        check(name, good and not signature.verify(crypto, algorithm, public, _MESSAGE + b"x", made))
        crypto.release()
