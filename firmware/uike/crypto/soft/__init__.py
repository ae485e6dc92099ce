"""The `soft` provider: every algorithm in pure MicroPython, each in its own module, loaded when first asked for.

Only SHA-256 comes from the platform (`hashlib`, in every build). The contract is in uike/crypto/__init__.py; what is
constant-time and what is blinded, in uike/crypto/README.md.
"""

import hashlib
import sys

from uike import iana
from uike.crypto.soft.hmac import Hmac

_TRANSIENT = ("x25519", "p256", "modp", "sha1", "sha512")
_PACKAGE = "uike.crypto.soft."


class Provider:
    """See uike/crypto/__init__.py."""

    name = "soft"
    engines = ()

    def module(self, leaf):
        """The module of an algorithm; other providers have better ones of the same names."""
        __import__(_PACKAGE + leaf)
        return sys.modules[_PACKAGE + leaf]

    def hmac(self, prf_id, key):
        """An Hmac for a PRF number. ValueError if we have none."""
        if prf_id == iana.PRF_HMAC_SHA2_256:
            return Hmac(hashlib.sha256, 64, key)
        if prf_id == iana.PRF_HMAC_SHA2_384:
            return Hmac(self.module("sha512").Sha384, 128, key)
        if prf_id == iana.PRF_HMAC_SHA2_512:
            return Hmac(self.module("sha512").Sha512, 128, key)
        raise ValueError("algorithm")

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
            return self.module("modp").Modp2048(random, self.power)
        if group == iana.CURVE25519:
            from uike.crypto.x25519 import X25519

            return X25519(random, self.module("x25519").multiply)
        if group == iana.ECP_256:
            from uike.crypto.p256 import P256

            return P256(random, self.multiply)
        raise ValueError("algorithm")

    def power(self, base, exponent, modulus, size, bits):
        """Powers by an engine: see `uike.crypto.esp32.mpi`. None: there is none."""
        return None

    def multiply(self, scalar, x, y, random):
        """Coordinates of a multiple of a point of P-256, integers."""
        return self.module("p256").multiply(scalar, x, y, random)

    def release(self):
        if sys.implementation.name == "micropython":
            forget("uike.crypto", ("x25519", "p256"))
            forget("uike.crypto.soft", _TRANSIENT)


def forget(package, leaves):
    """Takes modules of a package out of memory."""
    for leaf in leaves:
        if sys.modules.pop(package + "." + leaf, None) and hasattr(sys.modules[package], leaf):
            delattr(sys.modules[package], leaf)
