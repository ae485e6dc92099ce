"""An X.509 certificate (RFC 5280 section 4), taken apart but not judged: that is path.py's affair.

    Certificate  ::=  SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }
    TBSCertificate  ::=  SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
                                    subjectPublicKeyInfo, [1] issuerUniqueID, [2] subjectUniqueID, [3] extensions }

What is kept are views of the buffer given, so it must stay as it is. Whatever is wrong with it is a `Refusal`.
"""

from uike import iana, reason
from uike.pki import key, signature
from uike.pki.der import Der
from uike.wire.refusal import Refusal

_EXTENSIONS_MAX = 32
_PURPOSES_MAX = 16

# The last byte of an extension's object identifier, 2.5.29.x.
_SUBJECT_KEY_IDENTIFIER = 14
_KEY_USAGE = 15
_SUBJECT_ALT_NAME = 17
_BASIC_CONSTRAINTS = 19
_NAME_CONSTRAINTS = 30
_POLICIES = 32
_AUTHORITY_KEY_IDENTIFIER = 35
_EXT_KEY_USAGE = 37


def refuse(why, data=b""):
    raise Refusal(why, iana.AUTHENTICATION_FAILED, bytes(data))


def extensions(der, why):
    """(object identifier, critical, value, a view) of each of some Extensions; `why` they are refused."""
    seen = []
    while der.tag():
        inner = der.enter()
        oid = inner.oid()
        if oid in seen or len(seen) == _EXTENSIONS_MAX:
            refuse(why, oid)
        seen.append(oid)
        critical = inner.tag() == iana.DER_BOOLEAN and inner.boolean()
        value = inner.value(iana.DER_OCTET_STRING)
        inner.done()
        yield oid, critical, value


class Certificate:
    """raw, tbs          the whole certificate, and what is signed of it
    serial               the bytes of an integer
    issuer, subject      names, with their tag and length
    not_before, not_after    seconds since 1970
    spki, key()          the public key as it is written, and as the crypto contract has it: None for a kind we lack
    algorithm, signature 0 for an algorithm that is refused
    ca, path_len         basicConstraints; path_len is None for no limit
    key_usage            bits `iana.KU_...`, all of them when the extension is missing
    purposes             extendedKeyUsage, object identifiers; None when it is missing
    alt_names            the value of subjectAltName, empty when it is missing
    critical             object identifier of a critical extension that we do not know, or None
    constrained          whether there are name constraints
    """

    def __init__(self, data):
        outer = Der(data)
        self.raw = outer.data
        der = outer.enter()
        outer.done()
        self.tbs = der.whole(iana.DER_SEQUENCE)
        algorithm = der.whole(iana.DER_SEQUENCE)
        self.signature = der.octets()
        der.done()
        self.algorithm = signature.parse(algorithm)
        self.ca = self.constrained = False
        self.path_len = self.purposes = self.critical = None
        self.key_usage = 0xFF
        self.alt_names = b""
        self._parse_tbs(Der(self.tbs).enter(), algorithm)

    def _parse_tbs(self, der, algorithm):
        version = 0
        if der.tag() == 0xA0:
            inner = der.enter(0xA0)
            version = inner.small()
            inner.done()
        self.serial = der.integer()
        if version > 2 or der.whole(iana.DER_SEQUENCE) != algorithm:
            refuse(reason.BAD_CERTIFICATE)
        self.issuer = der.whole(iana.DER_SEQUENCE)
        validity = der.enter()
        self.not_before, self.not_after = validity.time(), validity.time()
        validity.done()
        self.subject = der.whole(iana.DER_SEQUENCE)
        self.spki = der.whole(iana.DER_SEQUENCE)
        for tag in (0x81, 0x82):
            if der.tag() == tag:
                der.value()
        if der.tag():
            inner = der.enter(0xA3)
            if version != 2:
                refuse(reason.BAD_CERTIFICATE)
            for oid, critical, value in extensions(inner.enter(), reason.BAD_CERTIFICATE):
                if not self._parse_extension(oid, value) and critical and self.critical is None:
                    self.critical = oid
            inner.done()
        der.done()

    def _parse_extension(self, oid, value):
        """Whether it is one that we know."""
        number = oid[2] if len(oid) == 3 and oid[:2] == b"\x55\x1d" else 0
        der = Der(value)
        if number == _BASIC_CONSTRAINTS:
            inner = der.enter()
            self.ca = inner.tag() == iana.DER_BOOLEAN and inner.boolean()
            if inner.tag():
                self.path_len = inner.small()
            inner.done()
        elif number == _KEY_USAGE:
            bits = der.bits()[0]
            self.key_usage = bits[0] if len(bits) else 0
        elif number == _EXT_KEY_USAGE:
            inner = der.enter()
            self.purposes = []
            while inner.tag():
                self.purposes.append(inner.oid())
                if len(self.purposes) > _PURPOSES_MAX:
                    refuse(reason.BAD_CERTIFICATE, oid)
        elif number == _SUBJECT_ALT_NAME:
            inner = der.enter()
            self.alt_names = value
            while inner.tag():
                inner.value()
        elif number == _NAME_CONSTRAINTS:
            self.constrained = True
            return True
        else:
            return number in (_SUBJECT_KEY_IDENTIFIER, _AUTHORITY_KEY_IDENTIFIER, _POLICIES)
        der.done()
        return True

    def key(self):
        return key.parse_public(self.spki)
