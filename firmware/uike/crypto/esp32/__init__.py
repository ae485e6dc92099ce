"""The `esp32` provider: SHA-1, SHA-256 and AES by the chip, big powers by its RSA block, the rest in native code.

`hashlib` and `cryptolib` reach the engines under the locks that the Wi-Fi driver takes too. Without native code in the
image (kernels/) the modules of the `soft` provider do the rest: they have the same names. The contract is in
uike/crypto/__init__.py; what is constant-time and what is blinded, in uike/crypto/README.md.
"""

import hashlib
import sys

from uike import iana
from uike.crypto.soft import TRANSIENT_SIGNATURES
from uike.crypto.soft.hmac import Hmac

try:
    from uike.crypto.esp32 import kernels
except ImportError:
    kernels = None

_TRANSIENT = ("x25519", "p256", "modp", "mpi", "bus", "block", "chips") + TRANSIENT_SIGNATURES
_SOFT = "uike.crypto.soft."
_OWN = "uike.crypto.esp32."


def _module(leaf):
    """One of the modules that exist twice: around native code if there is any, else in pure MicroPython."""
    name = (_OWN if kernels else _SOFT) + leaf
    __import__(name)
    return sys.modules[name]


def _hasher(hash_id):
    """(what makes a hash object, its block size in bytes) of a hash algorithm. ValueError if we have none."""
    if hash_id == iana.SHA2_256:
        return hashlib.sha256, 64
    if hash_id == iana.SHA2_384:
        return _module("sha512").Sha384, 128
    if hash_id == iana.SHA2_512:
        return _module("sha512").Sha512, 128
    raise ValueError("algorithm")


def _hmac(prf_id, key):
    """An Hmac for a PRF number. ValueError if we have none."""
    # Both registries count 256, 384, 512.
    new, block = _hasher(prf_id - iana.PRF_HMAC_SHA2_256 + iana.SHA2_256)
    return Hmac(new, block, key)


class Provider:
    """See uike/crypto/__init__.py. `mpi()` makes the driver of the big-number engine (`uike.crypto.esp32.mpi`), None
    on a chip that has none; it is asked for each key exchange anew, and forgotten with it."""

    name = "esp32"
    engines = ()  # the drivers prove every result, and fall back by themselves

    def __init__(self, mpi=None):
        self._mpi = mpi

    def sha1(self, data):
        data = memoryview(data)  # raises here, not between the two below
        h = hashlib.sha1()
        h.update(data)
        return h.digest()

    def prf(self, prf_id, key, data):
        mac = _hmac(prf_id, key)
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
            from uike.crypto.esp32.cbc import Cbc

            return Cbc(key, _hmac(prf_id, integ_key), size)
        if integ_id or integ_key:
            raise ValueError("integrity")
        if encr_id == iana.ENCR_AES_GCM_16:
            return _module("gcm").Gcm(key)
        if encr_id == iana.ENCR_CHACHA20_POLY1305:
            return _module("chacha20poly1305").ChaCha20Poly1305(key)
        raise ValueError("algorithm")

    def key_exchange(self, group, random):
        if group == iana.CURVE25519:
            return _module("x25519").X25519(random)
        if group == iana.ECP_256:
            return _module("p256").P256(random)
        if group == iana.MODP_2048:
            from uike.crypto.soft.modp import Modp2048

            return Modp2048(random, self._mpi() if self._mpi else None)
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

    # What signature.py asks for.

    hasher = staticmethod(_hasher)

    def p256(self):
        """A multiplication on P-256 that is constant in time, or None."""
        return _module("p256").multiply if kernels else None

    def power(self):
        """A driver of the big-number engine, or None."""
        return self._mpi() if self._mpi else None

    def release(self):
        if sys.implementation.name != "micropython":
            return
        for parent in (_OWN, _SOFT):
            package = sys.modules.get(parent[:-1])
            for leaf in _TRANSIENT:
                if sys.modules.pop(parent + leaf, None) and hasattr(package, leaf):
                    delattr(package, leaf)
