"""The `soft` provider: every algorithm in pure MicroPython, each in its own module, loaded when first asked for.

Only SHA-256 comes from the platform (`hashlib`, in every build). The contract is in uike/crypto/__init__.py; what is
constant-time and what is blinded, in uike/crypto/README.md.
"""

import hashlib
import sys

from uike import iana
from uike.crypto.soft.hmac import Hmac

_TRANSIENT = ("x25519", "p256", "modp", "sha1", "sha512") + (
    "signature",
    "rsa",
    "rsa_sign",
    "weierstrass",
    "ecdsa",
    "ecdsa_sign",
    "ed25519",
)
_PACKAGE = "uike.crypto.soft."


class Provider:
    """See uike/crypto/__init__.py."""

    name = "soft"
    engines = ()
    # What other providers do better than the modules beside this one
    mpi = None  # () -> a driver of an engine for powers (`uike.crypto.esp32.mpi`), or None
    p256 = None  # (scalar, x, y, random) -> coordinates of a multiple of a point, see p256.py

    def module(self, leaf):
        """The module of an algorithm; other providers have better ones of the same names."""
        __import__(_PACKAGE + leaf)
        return sys.modules[_PACKAGE + leaf]

    def hasher(self, hash_id):
        """(what makes a hash object, its block size in bytes) of a hash algorithm. ValueError if we have none."""
        if hash_id == iana.SHA2_256:
            return hashlib.sha256, 64
        if hash_id == iana.SHA2_384:
            return self.module("sha512").Sha384, 128
        if hash_id == iana.SHA2_512:
            return self.module("sha512").Sha512, 128
        raise ValueError("algorithm")

    def hmac(self, prf_id, key):
        """An Hmac for a PRF number. ValueError if we have none."""
        new, block = self.hasher(prf_id - iana.PRF_HMAC_SHA2_256 + iana.SHA2_256)  # both registries count 256, 384, 512
        return Hmac(new, block, key)

    def sha1(self, data):
        data = memoryview(data)  # raises here, and not when a hash has been begun
        if not hasattr(hashlib, "sha1"):
            return self.module("sha1").sha1(data)
        h = hashlib.sha1()
        h.update(data)
        return h.digest()

    def prf(self, prf_id, key, data):
        mac = self.hmac(prf_id, key)
        result = mac.digest(data)
        mac.wipe()
        return result

    def cipher(self, encr_id, key, integ_id, integ_key):
        if encr_id == iana.ENCR_AES_CBC:
            # Both registries count 256, 384, 512.
            prf_id = integ_id - iana.AUTH_HMAC_SHA2_256_128 + iana.PRF_HMAC_SHA2_256
            size = 16 + 8 * (prf_id - iana.PRF_HMAC_SHA2_256)
            if prf_id < iana.PRF_HMAC_SHA2_256 or len(integ_key) != 2 * size:
                raise ValueError("integrity")
            return self.module("cbc").Cbc(key, self.hmac(prf_id, integ_key), size)
        if integ_id or integ_key:
            raise ValueError("integrity")
        if encr_id == iana.ENCR_AES_GCM_16:
            return self.module("gcm").Gcm(key)
        if encr_id == iana.ENCR_CHACHA20_POLY1305:
            return self.module("chacha20poly1305").ChaCha20Poly1305(key)
        raise ValueError("algorithm")

    def key_exchange(self, group, random):
        if group == iana.MODP_2048:
            return self.module("modp").Modp2048(random, self.mpi and self.mpi())
        if group == iana.CURVE25519:
            from uike.crypto.x25519 import X25519

            return X25519(random, self.module("x25519").multiply)
        if group == iana.ECP_256:
            from uike.crypto.p256 import P256

            return P256(random, self.p256 or self.module("p256").multiply)
        raise ValueError("algorithm")

    def verify(self, algorithm, public_key, message, signature):
        return self.module("signature").verify(self, algorithm, public_key, message, signature)

    def sign(self, algorithm, private_key, message, random):
        return self.module("signature").sign(self, algorithm, private_key, message, random)

    def public_key(self, private_key, random):
        return self.module("signature").public_key(self, private_key, random)

    def release(self):
        if sys.implementation.name == "micropython":
            forget("uike.crypto", ("x25519", "p256"))
            forget("uike.crypto.soft", _TRANSIENT)


def forget(package, leaves):
    """Takes modules of a package out of memory."""
    for leaf in leaves:
        if sys.modules.pop(package + "." + leaf, None) and hasattr(sys.modules[package], leaf):
            delattr(sys.modules[package], leaf)
