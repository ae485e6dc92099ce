"""Diffie-Hellman in the 2048-bit MODP group (RFC 3526 section 3) as a key exchange method. Loaded when one starts.

The built-in `pow` is not constant-time: each exponent is split at random into two that are used one after the other,
so that what the timing shows belongs to numbers that differ in each run. The exponent serves for two powers at most.
"""

_P = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)


def power(base, exponent, random):
    """base ** exponent modulo the prime; random(n) is for blinding."""
    part = int.from_bytes(random(40), "big") % exponent
    return pow(base, part, _P) * pow(base, exponent - part, _P) % _P


class Modp2048:
    """See the contract in uike/crypto/__init__.py. The exponent has 256 bits (SP 800-56A Rev. 3 asks for 224)."""

    def __init__(self, random, engine):
        """`engine` computes powers, or gives None for those that it cannot (`uike.crypto.esp32.mpi`); None without."""
        self._random = random
        self._engine = engine
        self._private = int.from_bytes(random(32), "big") | 1 << 255
        self.public = self._power(2).to_bytes(256, "big")

    def shared(self, peer_public):
        peer = int.from_bytes(peer_public, "big")
        if len(peer_public) != 256 or not 1 < peer < _P - 1:
            raise ValueError("public value")
        return self._power(peer).to_bytes(256, "big")

    def _power(self, base):
        result = self._engine.power(base, self._private, _P, 256, 256) if self._engine else None
        return power(base, self._private, self._random) if result is None else result

    def wipe(self):
        self._private = 0
