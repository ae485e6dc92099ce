"""The `soft` provider: every algorithm in pure MicroPython, each in its own module, loaded when first asked for.

Only SHA-256 comes from the platform (`hashlib`, in every build). The contract is in uike/crypto/__init__.py; what is
constant-time and what is blinded, in uike/crypto/README.md.
"""

import hashlib
import sys

from uike import iana
from uike.crypto.soft.hmac import Hmac

_TRANSIENT = ("x25519", "p256", "modp", "sha1", "sha512")
TRANSIENT_SIGNATURES = ("signature", "rsa", "rsa_sign", "weierstrass", "ecdsa", "ecdsa_sign", "ed25519")


def _hasher(hash_id):
    """(what makes a hash object, its block size in bytes) of a hash algorithm. ValueError if we have none."""
    if hash_id == iana.SHA2_256:
        return hashlib.sha256, 64
    from uike.crypto.soft import sha512

    if hash_id == iana.SHA2_384:
        return sha512.Sha384, 128
    if hash_id == iana.SHA2_512:
        return sha512.Sha512, 128
    raise ValueError("algorithm")


def _hmac(prf_id, key):
    """An Hmac for a PRF number. ValueError if we have none."""
    # Both registries count 256, 384, 512.
    new, block = _hasher(prf_id - iana.PRF_HMAC_SHA2_256 + iana.SHA2_256)
    return Hmac(new, block, key)


class Provider:
    """See uike/crypto/__init__.py."""

    name = "soft"
    engines = ()

    def sha1(self, data):
        if hasattr(hashlib, "sha1"):
            h = hashlib.sha1()
            h.update(data)
            return h.digest()
        from uike.crypto.soft.sha1 import sha1

        return sha1(data)

    def prf(self, prf_id, key, data):
        mac = _hmac(prf_id, key)
        result = mac.digest(data)
        mac.wipe()
        return result

    def cipher(self, encr_id, key, integ_id, integ_key):
        if encr_id == iana.ENCR_AES_CBC:
            prf_id = (
                integ_id - iana.AUTH_HMAC_SHA2_256_128 + iana.PRF_HMAC_SHA2_256
            )  # both registries count 256, 384, 512
            size = 16 + 8 * (prf_id - iana.PRF_HMAC_SHA2_256)
            if prf_id < iana.PRF_HMAC_SHA2_256 or len(integ_key) != 2 * size:
                raise ValueError("integrity")
            from uike.crypto.soft.cbc import Cbc

            return Cbc(key, _hmac(prf_id, integ_key), size)
        if integ_id or integ_key:
            raise ValueError("integrity")
        if encr_id == iana.ENCR_AES_GCM_16:
            from uike.crypto.soft.gcm import Gcm

            return Gcm(key)
        if encr_id == iana.ENCR_CHACHA20_POLY1305:
            from uike.crypto.soft.chacha20poly1305 import ChaCha20Poly1305

            return ChaCha20Poly1305(key)
        raise ValueError("algorithm")

    def key_exchange(self, group, random):
        if group == iana.CURVE25519:
            from uike.crypto.soft.x25519 import X25519

            return X25519(random)
        if group == iana.ECP_256:
            from uike.crypto.soft.p256 import P256

            return P256(random)
        if group == iana.MODP_2048:
            from uike.crypto.soft.modp import Modp2048

            return Modp2048(random)
        raise ValueError("algorithm")

    def verify(self, algorithm, public_key, message, signature):
        from uike.crypto.soft import signature as module

        return module.verify(self, algorithm, public_key, message, signature)

    def sign(self, algorithm, private_key, message, random):
        from uike.crypto.soft import signature as module

        return module.sign(self, algorithm, private_key, message, random)

    def public_key(self, private_key, random):
        from uike.crypto.soft import signature as module

        return module.public_key(self, private_key, random)

    # What signature.py asks for: here nothing is faster than itself.

    hasher = staticmethod(_hasher)

    def p256(self):
        return None

    def power(self):
        return None

    def release(self):
        if sys.implementation.name != "micropython":
            return
        package = sys.modules["uike.crypto.soft"]
        for leaf in _TRANSIENT + TRANSIENT_SIGNATURES:
            if sys.modules.pop("uike.crypto.soft." + leaf, None) and hasattr(package, leaf):
                delattr(package, leaf)
