"""X25519 as a key exchange method (RFC 8031): a KeyExchange around a multiplication. Loaded for one."""

from uike.crypto import wipe


class X25519:
    """multiply(scalar, u, random): the function X25519 of RFC 7748 section 5, on 32 bytes each."""

    def __init__(self, random, multiply):
        self._random = random
        self._multiply = multiply
        self._private = bytearray(random(32))
        self.public = multiply(self._private, b"\x09" + bytes(31), random)

    def shared(self, peer_public):
        if len(peer_public) != 32:
            raise ValueError("public value")
        secret = self._multiply(self._private, peer_public, self._random)
        if not any(secret):  # RFC 8031 section 3.2: a point of small order
            raise ValueError("public value")
        return secret

    def wipe(self):
        wipe(self._private)
