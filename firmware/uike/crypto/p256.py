"""ECDH over P-256 as a key exchange method (RFC 5903): a KeyExchange around a multiplication. Loaded for one."""

_P = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
_GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5


class P256:
    """multiply(scalar, x, y, random): coordinates of scalar * (x, y), integers; the scalar is below the order."""

    def __init__(self, random, multiply):
        self._random = random
        self._multiply = multiply
        # 64 bits more than the order has make the bias of the reduction negligible (FIPS 186-5 A.2.1)
        self._private = int.from_bytes(random(40), "big") % (_N - 1) + 1
        x, y = multiply(self._private, _GX, _GY, random)
        self.public = x.to_bytes(32, "big") + y.to_bytes(32, "big")

    def shared(self, peer_public):
        if len(peer_public) != 64:
            raise ValueError("public value")
        x, y = int.from_bytes(peer_public[:32], "big"), int.from_bytes(peer_public[32:], "big")
        if x >= _P or y >= _P or (y * y + 3 * x - x * x * x - _B) % _P:
            raise ValueError("public value")
        return self._multiply(self._private, x, y, self._random)[0].to_bytes(32, "big")

    def wipe(self):
        self._private = 0
