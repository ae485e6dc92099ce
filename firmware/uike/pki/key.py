"""Public keys in SubjectPublicKeyInfo, private keys in PKCS #8, SEC 1 or PKCS #1. To and from the crypto contract's.

RFC 3279, RFC 5480, RFC 8410; RFC 5208 and 5958, RFC 5915, RFC 8017 appendix A. Keys of a kind that we do not have are
None. What is parsed are views of the buffer given: whoever owns that of a private key wipes it.
"""

from uike import iana
from uike.pki.der import Der, build, build_bits, build_natural, build_sequence

_RSA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"  # 1.2.840.113549.1.1.1
_EC = b"\x2a\x86\x48\xce\x3d\x02\x01"  # 1.2.840.10045.2.1
_ED25519 = b"\x2b\x65\x70"  # 1.3.101.112
_CURVES = (
    (b"\x2a\x86\x48\xce\x3d\x03\x01\x07", iana.KEY_P256, 32),  # 1.2.840.10045.3.1.7
    (b"\x2b\x81\x04\x00\x22", iana.KEY_P384, 48),  # 1.3.132.0.34
    (b"\x2b\x81\x04\x00\x23", iana.KEY_P521, 66),  # 1.3.132.0.35
)


def _parse_algorithm(der):
    """Kind of the key of an AlgorithmIdentifier; 0 for another."""
    inner = der.enter()
    oid = inner.oid()
    if oid == _EC and inner.tag() == iana.DER_OID:
        return _curve(inner)
    if oid == _RSA and inner.tag() == iana.DER_NULL and not len(inner.value()) and not inner.tag():
        return iana.KEY_RSA
    return iana.KEY_ED25519 if oid == _ED25519 and not inner.tag() else 0


def _curve(der):
    name = der.oid()
    der.done()
    for oid, kind, _ in _CURVES:
        if oid == name:
            return kind
    return 0


def parse_public(data):
    """The key of a SubjectPublicKeyInfo, or None. `Refusal` for bad DER."""
    outer = Der(data)
    der = outer.enter()
    outer.done()
    kind = _parse_algorithm(der)
    octets = der.octets()
    der.done()
    if kind != iana.KEY_RSA:
        return (kind, octets) if kind else None
    outer = Der(octets)
    der = outer.enter()
    outer.done()
    key = kind, der.natural(), der.natural()
    der.done()
    return key


def build_public(key):
    """The SubjectPublicKeyInfo of a key."""
    kind = key[0]
    if kind == iana.KEY_RSA:
        body = build_sequence(build_natural(key[1]), build_natural(key[2]))
        return build_sequence(
            build_sequence(build(iana.DER_OID, _RSA), build(iana.DER_NULL)),
            build_bits(body),
        )
    if kind == iana.KEY_ED25519:
        return build_sequence(build_sequence(build(iana.DER_OID, _ED25519)), build_bits(key[1]))
    for oid, number, _ in _CURVES:
        if number == kind:
            return build_sequence(
                build_sequence(build(iana.DER_OID, _EC), build(iana.DER_OID, oid)),
                build_bits(key[1]),
            )
    raise ValueError("key")


def parse_private(data):
    """The private key of one of the three forms, or None. `Refusal` for bad DER."""
    outer = Der(data)
    der = outer.enter()
    outer.done()
    version = der.small()
    if der.tag() == iana.DER_INTEGER:
        return _parse_rsa(der, version)
    if der.tag() == iana.DER_OCTET_STRING:
        return _parse_ec(der, version, 0)
    kind = _parse_algorithm(der)
    if version > 1 or not kind:
        return None
    inner = Der(der.value(iana.DER_OCTET_STRING))
    while der.tag() in (0xA0, 0x81):  # attributes, public key
        der.value()
    der.done()
    if kind == iana.KEY_ED25519:
        key = kind, inner.value(iana.DER_OCTET_STRING)
        inner.done()
        return key if len(key[1]) == 32 else None
    key = inner.enter()
    inner.done()
    version = key.small()
    return _parse_rsa(key, version) if kind == iana.KEY_RSA else _parse_ec(key, version, kind)


def _parse_rsa(der, version):
    """RSAPrivateKey behind its version: n, e, d, p, q, dp, dq, qinv; d is not used."""
    n, e, _, p, q, dp, dq, qinv = [der.natural() for _ in range(8)]
    der.done()
    return None if version else (iana.KEY_RSA, n, e, p, q, dp, dq, qinv)


def _parse_ec(der, version, kind):
    """ECPrivateKey behind its version. PKCS #8 names the curve outside, and perhaps inside too."""
    scalar = der.value(iana.DER_OCTET_STRING)
    named = der.optional(0xA0)
    if named is not None:
        inside = _curve(named)
        if kind and inside != kind:
            return None
        kind = inside
    point = der.optional(0xA1)
    if point is not None:
        point.value(iana.DER_BIT_STRING)
    der.done()
    for _, number, size in _CURVES:
        if number == kind:
            return (kind, scalar) if len(scalar) == size and version == 1 else None
    return None


def identifier(provider, data):
    """What CERTREQ calls a trust anchor: SHA-1 of its SubjectPublicKeyInfo, 20 bytes (RFC 7296 section 3.7)."""
    return provider.sha1(data)
