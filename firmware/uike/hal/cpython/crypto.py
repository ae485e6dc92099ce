"""The `host` provider: OpenSSL through the `cryptography` package. CPython only; contract: uike/crypto/__init__.py.

Key objects are made once per Cipher: making them costs more than sealing a packet.
"""

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, aead, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from uike import iana
from uike.crypto import authenticated, suites

_HASH = {
    iana.PRF_HMAC_SHA2_256: "sha256",
    iana.PRF_HMAC_SHA2_384: "sha384",
    iana.PRF_HMAC_SHA2_512: "sha512",
    iana.AUTH_HMAC_SHA2_256_128: "sha256",
    iana.AUTH_HMAC_SHA2_384_192: "sha384",
    iana.AUTH_HMAC_SHA2_512_256: "sha512",
}
_AEAD = {iana.ENCR_AES_GCM_16: aead.AESGCM, iana.ENCR_CHACHA20_POLY1305: aead.ChaCha20Poly1305}

_P256_P = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
_P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class CbcHmac:
    """AES-CBC and HMAC, encrypt then MAC (RFC 3602, RFC 4868)."""

    iv_size = 16
    block_size = 16
    high = None

    def __init__(self, key, integ_id, integ_key):
        if len(key) not in (16, 32) or integ_id not in suites.INTEG or len(integ_key) != suites.INTEG[integ_id][0]:
            raise ValueError("key length")
        self.icv_size = suites.INTEG[integ_id][1]
        self._key = bytearray(key)
        self._aes = algorithms.AES(bytes(key))
        self._mac = hmac.new(bytes(integ_key), digestmod=_HASH[integ_id])

    def _icv(self, view, end):
        mac = self._mac.copy()
        mac.update(view[:end])
        mac.update(self.high or b"")
        return mac.digest()[: self.icv_size]

    def seal(self, buf, aad, end):
        if (end - aad) % 16 or end < aad + 16 or len(buf) < end + self.icv_size:
            raise ValueError("length")
        view = memoryview(buf)
        start = aad + 16
        if end > start:
            context = Cipher(self._aes, modes.CBC(bytes(view[aad:start]))).encryptor()
            view[start:end] = context.update(view[start:end])
        view[end : end + self.icv_size] = self._icv(view, end)

    def open(self, buf, aad, end):
        if (end - aad) % 16 or end < aad + 16 or len(buf) < end + self.icv_size:
            return False
        view = memoryview(buf)
        if not hmac.compare_digest(self._icv(view, end), view[end : end + self.icv_size]):
            return False
        start = aad + 16
        if end > start:
            context = Cipher(self._aes, modes.CBC(bytes(view[aad:start]))).decryptor()
            view[start:end] = context.update(view[start:end])
        return True

    def wipe(self):
        self._key[:] = bytes(len(self._key))
        self._aes = self._mac = None


class Aead:
    """AES-GCM-16 (RFC 4106, RFC 5282) and ChaCha20-Poly1305 (RFC 7634): nonce = salt | IV."""

    iv_size = 8
    icv_size = 16
    block_size = 1
    high = None

    def __init__(self, encr_id, key):
        sizes = [(bits or 256) // 8 + 4 for bits in suites.ENCR[encr_id][0]]
        if len(key) not in sizes:
            raise ValueError("key length")
        self._salt = bytearray(key[-4:])
        self._aead = _AEAD[encr_id](bytes(key[:-4]))

    def seal(self, buf, aad, end):
        start = aad + 8
        if end < start or len(buf) < end + 16:
            raise ValueError("length")
        view = memoryview(buf)
        head = authenticated(view[:aad], self.high)
        view[start : end + 16] = self._aead.encrypt(self._salt + view[aad:start], view[start:end], head)

    def open(self, buf, aad, end):
        start = aad + 8
        if end < start or len(buf) < end + 16:
            return False
        view = memoryview(buf)
        try:
            head = authenticated(view[:aad], self.high)
            view[start:end] = self._aead.decrypt(self._salt + view[aad:start], view[start : end + 16], head)
        except InvalidTag:
            return False
        return True

    def wipe(self):
        self._salt[:] = bytes(4)
        self._aead = None


class X25519:
    """RFC 7748, RFC 8031."""

    def __init__(self, random):
        self._private = x25519.X25519PrivateKey.from_private_bytes(bytes(random(32)))
        self.public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def shared(self, peer_public):
        # OpenSSL refuses the all-zero result; `cryptography` reports that and a wrong length as ValueError.
        return self._private.exchange(x25519.X25519PublicKey.from_public_bytes(bytes(peer_public)))

    def wipe(self):
        self._private = None


class P256:
    """RFC 5903."""

    def __init__(self, random):
        # 64 more bits than the order make the reduction's bias negligible (FIPS 186-5 A.2.1).
        scalar = int.from_bytes(random(40), "big") % (_P256_N - 1) + 1
        self._private = ec.derive_private_key(scalar, ec.SECP256R1())
        self.public = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]

    def shared(self, peer_public):
        if len(peer_public) != 64:
            raise ValueError("public value")
        # Refuses a point off the curve and coordinates of p and more, with ValueError.
        peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + bytes(peer_public))
        return self._private.exchange(ec.ECDH(), peer)

    def wipe(self):
        self._private = None


class Modp2048:
    """RFC 3526 group 14, with a 256-bit exponent (SP 800-56A Rev. 3 table 25: 224 bits or more)."""

    def __init__(self, random):
        self._private = int.from_bytes(random(32), "big") | 1 << 255
        self.public = pow(2, self._private, _MODP_2048).to_bytes(256, "big")

    def shared(self, peer_public):
        peer = int.from_bytes(peer_public, "big")
        if len(peer_public) != 256 or not 1 < peer < _MODP_2048 - 1:
            raise ValueError("public value")
        return pow(peer, self._private, _MODP_2048).to_bytes(256, "big")

    def wipe(self):
        self._private = 0


_MODP_2048 = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)
_SHA2 = {iana.SHA2_256: hashes.SHA256, iana.SHA2_384: hashes.SHA384, iana.SHA2_512: hashes.SHA512}
_CURVES = {
    iana.KEY_P256: (ec.SECP256R1, 32),
    iana.KEY_P384: (ec.SECP384R1, 48),
    iana.KEY_P521: (ec.SECP521R1, 66),
}


def _integers(parts):
    return [int.from_bytes(part, "big") for part in parts]


def _public(key):
    """OpenSSL's form of a public key; ValueError for what is none, or out of our bounds."""
    kind = key[0]
    if kind == iana.KEY_ED25519:
        return ed25519.Ed25519PublicKey.from_public_bytes(bytes(key[1]))
    if kind != iana.KEY_RSA:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[kind][0](), _uncompressed(key[1]))
    n, e = key[1:]
    if not 256 <= len(n) <= 512 or not n[0] & 0x80 or len(e) > 4:
        raise ValueError("key")
    return rsa.RSAPublicNumbers(*_integers((e, n))).public_key()


def _uncompressed(point):
    if not len(point) or point[0] != 4:
        raise ValueError("key")
    return bytes(point)


def _private(key):
    kind = key[0]
    if kind == iana.KEY_ED25519:
        return ed25519.Ed25519PrivateKey.from_private_bytes(bytes(key[1]))
    if kind != iana.KEY_RSA:
        curve, size = _CURVES[kind]
        if len(key[1]) != size or kind == iana.KEY_P521:
            raise ValueError("key")
        return ec.derive_private_key(*_integers(key[1:]), curve())
    _public(key[:3])
    n, e, p, q, dp, dq, qinv = _integers(key[1:])
    if p * q != n:
        raise ValueError("key")
    d = pow(e, -1, (p - 1) * (q - 1))
    if (d % (p - 1), d % (q - 1), q * qinv % p) != (dp, dq, 1):  # OpenSSL would make do without them
        raise ValueError("key")
    # Whether the factors are primes takes longer to tell than signing does; see that the result verifies instead.
    numbers = rsa.RSAPrivateNumbers(p, q, d, dp, dq, qinv, rsa.RSAPublicNumbers(e, n))
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _rsa_padding(algorithm, digest):
    """How RSA pads, and None for an algorithm that is not RSA's."""
    if algorithm & 0xF0 == iana.RSASSA_PKCS1:
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(digest), digest.digest_size) if algorithm & 0xF0 == iana.RSASSA_PSS else None


def _scheme(algorithm, kind):
    """(hash, RSA's padding) of an algorithm that is the key's; ValueError for any other."""
    if kind == iana.KEY_ED25519 and algorithm == iana.EDDSA + iana.HASH_IDENTITY:
        return None, None
    if algorithm & 15 in _SHA2:
        digest = _SHA2[algorithm & 15]()
        pads = _rsa_padding(algorithm, digest)
        if pads and kind == iana.KEY_RSA or algorithm & 0xF0 == iana.ECDSA and kind in _CURVES:
            return digest, pads
    raise ValueError("algorithm")


_KE = {iana.CURVE25519: X25519, iana.ECP_256: P256, iana.MODP_2048: Modp2048}


class Provider:
    """See uike/crypto/__init__.py."""

    name = "host"
    engines = ()

    def sha1(self, data):
        return hashlib.sha1(data, usedforsecurity=False).digest()

    def prf(self, prf_id, key, data):
        if prf_id not in suites.PRF:
            raise ValueError("algorithm")
        return hmac.digest(bytes(key), bytes(data), _HASH[prf_id])

    def cipher(self, encr_id, key, integ_id, integ_key):
        if encr_id == iana.ENCR_AES_CBC:
            return CbcHmac(key, integ_id, integ_key)
        if encr_id not in _AEAD:
            raise ValueError("algorithm")
        if integ_id or integ_key:
            raise ValueError("integrity")
        return Aead(encr_id, key)

    def key_exchange(self, group, random):
        if group not in _KE:
            raise ValueError("algorithm")
        return _KE[group](random)

    def verify(self, algorithm, public_key, message, signature):
        kind = public_key[0] if public_key else 0
        try:
            digest, pads = _scheme(algorithm, kind)
            key, message, signature = _public(public_key), bytes(message), bytes(signature)
            if kind == iana.KEY_ED25519:
                key.verify(signature, message)
            elif kind == iana.KEY_RSA:
                key.verify(signature, message, pads, digest)
            else:
                size = _CURVES[kind][1]
                if len(signature) != 2 * size:
                    return False
                both = encode_dss_signature(*_integers((signature[:size], signature[size:])))
                key.verify(both, message, ec.ECDSA(digest))
        except (ValueError, InvalidSignature):
            return False
        return True

    def sign(self, algorithm, private_key, message, random):
        """PSS takes its salt from OpenSSL."""
        kind = private_key[0]
        digest, pads = _scheme(algorithm, kind)
        key, message = _private(private_key), bytes(message)
        if kind == iana.KEY_ED25519:
            return key.sign(message)
        if kind == iana.KEY_RSA:
            signature = key.sign(message, pads, digest)
            if not self.verify(algorithm, private_key[:3], message, signature):
                raise ValueError("key")
            return signature
        numbers = decode_dss_signature(key.sign(message, ec.ECDSA(digest, deterministic_signing=True)))
        return b"".join(number.to_bytes(_CURVES[kind][1], "big") for number in numbers)

    def public_key(self, private_key, random):
        kind = private_key[0]
        if kind == iana.KEY_RSA:
            return tuple(private_key[:3])
        public = _private(private_key).public_key()
        if kind == iana.KEY_ED25519:
            return kind, public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return kind, public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def release(self):
        """Nothing to forget: code is not RAM here."""
