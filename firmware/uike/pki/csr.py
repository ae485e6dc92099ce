"""A request for a certificate (PKCS #10, RFC 2986): what a board with a key of its own asks a CA for.

CertificationRequest  ::=  SEQUENCE { certificationRequestInfo, signatureAlgorithm, signature BIT STRING }
CertificationRequestInfo  ::=  SEQUENCE { version 0, subject, subjectPKInfo, [0] attributes }
"""

from uike import iana
from uike.pki import key, signature
from uike.pki.der import build, build_bits, build_natural, build_sequence

_EXTENSION_REQUEST = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"  # 1.2.840.113549.1.9.14
_SUBJECT_ALT_NAME = b"\x55\x1d\x11"
_TAGS = {iana.ID_RFC822_ADDR: 0x81, iana.ID_FQDN: 0x82, iana.ID_IPV4_ADDR: 0x87, iana.ID_IPV6_ADDR: 0x87}


def build_request(provider, algorithm, private_key, subject, identities, random):
    """DER. subject is a Name (see name.py); identities, (ID type, data), become subjectAltNames.

    ValueError for a key or an algorithm that the crypto contract refuses, KeyError for another type of identity.
    """
    attributes = b""
    if identities:
        names = [build(_TAGS[kind], data) for kind, data in identities]
        value = build(iana.DER_OCTET_STRING, build_sequence(*names))
        extension = build_sequence(build(iana.DER_OID, _SUBJECT_ALT_NAME), value)
        values = build(iana.DER_SET, build_sequence(extension))
        attributes = build_sequence(build(iana.DER_OID, _EXTENSION_REQUEST), values)
    public = key.build_public(provider.public_key(private_key, random))
    info = build_sequence(build_natural(b""), subject, public, build(0xA0, attributes))
    signed = signature.sign(provider, algorithm, private_key, info, random)
    return build_sequence(info, signature.build_identifier(algorithm), build_bits(signed))
