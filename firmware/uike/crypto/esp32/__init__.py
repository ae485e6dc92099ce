"""The `esp32` provider: SHA-1, SHA-256 and AES by the chip, big powers by its RSA block, the rest in native code.

`hashlib` and `cryptolib` reach the engines under the locks that the Wi-Fi driver takes too. Without native code in the
image (kernels/) the modules of the `soft` provider do the rest: they have the same names. The contract is in
uike/crypto/__init__.py; what is constant-time and what is blinded, in uike/crypto/README.md.
"""

import sys

from uike.crypto import soft

try:
    from uike.crypto.esp32 import kernels
except ImportError:
    kernels = None

_TRANSIENT = ("x25519", "p256", "mpi", "ecc", "bus", "block", "chips")
_NATIVE = ("gcm", "chacha20poly1305", "sha512", "x25519", "p256")  # around kernels
_PACKAGE = "uike.crypto.esp32."


class Provider(soft.Provider):
    """See uike/crypto/__init__.py. `mpi()` and `ecc()` make the drivers of the chip's engines (`uike.crypto.esp32.mpi`
    and `.ecc`), None where it has none; they are asked for each operation anew, so that no driver stays in memory."""

    name = "esp32"
    engines = ()  # the drivers prove every result, and fall back by themselves

    def __init__(self, mpi=None, ecc=None):
        self.mpi = mpi
        self._ecc = ecc

    def module(self, leaf):
        """One of those that exist twice: around native code if there is any, else in pure MicroPython."""
        if leaf != "cbc" and not (kernels and leaf in _NATIVE):
            return soft.Provider.module(self, leaf)
        __import__(_PACKAGE + leaf)
        return sys.modules[_PACKAGE + leaf]

    def p256(self, scalar, x, y, random):
        engine = self._ecc() if self._ecc and scalar else None
        point = engine.multiply(scalar, x, y) if engine else None
        return point or self.module("p256").multiply(scalar, x, y, random)

    def release(self):
        soft.Provider.release(self)
        if sys.implementation.name == "micropython":
            soft.forget("uike.crypto.esp32", _TRANSIENT)
