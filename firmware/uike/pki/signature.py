"""Signature algorithms as X.509 and RFC 7427 name them, and ECDSA signatures as they write them. Used by both.

An AlgorithmIdentifier stands for one of the numbers of the crypto contract, which knows nothing of DER (RFC 4055,
RFC 5758, RFC 8410; appendix A of RFC 7427). SHA-1 and MD5 have no number: they are refused.
"""

from uike import iana
from uike.pki.der import Der, build, build_natural, build_sequence
from uike.wire.refusal import Refusal

_RSA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01"  # 1.2.840.113549.1.1
_PSS = _RSA + b"\x0a"
_MGF1 = _RSA + b"\x08"
_ECDSA_SHA2 = b"\x2a\x86\x48\xce\x3d\x04\x03"  # 1.2.840.10045.4.3
_ED25519 = b"\x2b\x65\x70"  # 1.3.101.112
_SHA2 = b"\x60\x86\x48\x01\x65\x03\x04\x02"  # 2.16.840.1.101.3.4.2

# What precedes the last byte of the object identifier, and what algorithm a last byte of 0 would be.
_FAMILIES = (
    (_RSA, iana.RSASSA_PKCS1 + iana.SHA2_256 - 11),
    (_ECDSA_SHA2, iana.ECDSA + iana.SHA2_256 - 2),
)
_SIZES = {iana.KEY_P256: 32, iana.KEY_P384: 48, iana.KEY_P521: 66}


def parse(data):
    """The algorithm of an AlgorithmIdentifier, a view; 0 for one that we refuse. `Refusal` for bad DER."""
    outer = Der(data)
    der = outer.enter()
    outer.done()
    oid = der.oid()
    if oid == _PSS:
        return _parse_pss(der)
    bare = not der.tag()
    if oid == _ED25519:
        return iana.EDDSA + iana.HASH_IDENTITY if bare else 0
    null = der.tag() == iana.DER_NULL and not len(der.value()) and not der.tag()
    for family, base in _FAMILIES:
        algorithm = base + oid[-1]
        # The parameters are NULL for RSA (or left out), and left out for ECDSA.
        if oid[:-1] == family and iana.SHA2_256 <= algorithm - (base + 15 & 0xF0) <= iana.SHA2_512:
            return algorithm if bare or null and family == _RSA else 0
    return 0


def _parse_pss(der):
    """Three times the same hash, its size for the salt, and the defaults of SHA-1 for none (RFC 4055 section 3.1)."""
    parameters = der.optional(iana.DER_SEQUENCE)
    if parameters is None:
        return 0
    hashing, masking, salt = [parameters.optional(tag) for tag in (0xA0, 0xA1, 0xA2)]
    if hashing is None or masking is None or salt is None or parameters.tag() or der.tag():
        return 0
    number = _parse_hash(hashing)
    generator = masking.enter()
    if generator.oid() != _MGF1 or _parse_hash(generator) != number or salt.small() != 16 * number:
        return 0
    return iana.RSASSA_PSS + number if number and not salt.tag() and not masking.tag() else 0


def _parse_hash(outer):
    der = outer.enter()
    oid = der.oid()
    null = not der.tag() or der.tag() == iana.DER_NULL and not len(der.value())
    number = oid[-1] + 1
    known = oid[:-1] == _SHA2 and iana.SHA2_256 <= number <= iana.SHA2_512
    return number if known and null and not der.tag() and not outer.tag() else 0


def build_identifier(algorithm):
    """The AlgorithmIdentifier of an algorithm (RFC 7427 appendix A)."""
    scheme, number = algorithm & 0xF0, algorithm & 15
    if scheme == iana.EDDSA:
        return build_sequence(build(iana.DER_OID, _ED25519))
    if scheme == iana.ECDSA:
        return build_sequence(build(iana.DER_OID, _ECDSA_SHA2, bytes((number,))))
    null = build(iana.DER_NULL)
    if scheme == iana.RSASSA_PKCS1:
        return build_sequence(build(iana.DER_OID, _RSA, bytes((number + 9,))), null)
    hashing = build_sequence(build(iana.DER_OID, _SHA2, bytes((number - 1,))), null)
    masking = build(0xA1, build_sequence(build(iana.DER_OID, _MGF1), hashing))
    salt = build(0xA2, build(iana.DER_INTEGER, bytes((16 * number,))))
    return build_sequence(build(iana.DER_OID, _PSS), build_sequence(build(0xA0, hashing), masking, salt))


def verify(provider, algorithm, key, message, signature):
    """Whether a signature in its X.509 form is one; False for whatever is wrong with it."""
    if algorithm & 0xF0 == iana.ECDSA:
        try:
            signature = _plain(signature, _SIZES.get(key[0], 0) if key else 0)
        except Refusal:
            return False
    return provider.verify(algorithm, key, message, signature)


def _plain(signature, size):
    """r|s of an Ecdsa-Sig-Value (RFC 5480 appendix A)."""
    outer = Der(signature)
    der = outer.enter()
    r, s = der.natural(), der.natural()
    der.done()
    outer.done()
    if len(r) > size or len(s) > size:
        der.fail()
    return bytes(size - len(r)) + bytes(r) + bytes(size - len(s)) + bytes(s)


def sign(provider, algorithm, key, message, random):
    """A signature in its X.509 form; ValueError as in the crypto contract."""
    signature = provider.sign(algorithm, key, message, random)
    if algorithm & 0xF0 != iana.ECDSA:
        return signature
    size = len(signature) // 2
    return build_sequence(build_natural(signature[:size]), build_natural(signature[size:]))
