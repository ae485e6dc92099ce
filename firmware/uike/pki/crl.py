"""A certificate revocation list, version 1 or 2, complete and direct (RFC 5280 section 5). Used by path.py.

    CertificateList  ::=  SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue BIT STRING }
    TBSCertList  ::=  SEQUENCE { version, signature, issuer, thisUpdate, nextUpdate, revokedCertificates,
                                 [0] extensions }

The entries stay where they are, and are looked through when a serial number is asked for. Delta lists, and lists of
some reasons or of other issuers, say so in critical extensions: none is taken.
"""

from uike import iana, reason
from uike.pki import signature
from uike.pki.certificate import extensions, refuse
from uike.pki.der import Der


def _skip_extensions(der):
    """Critical ones are refused."""
    for oid, critical, _ in extensions(der, reason.BAD_CRL):
        if critical:
            refuse(reason.BAD_CRL, oid)


class Crl:
    """issuer, with tag and length; this_update and next_update, seconds since 1970, the latter None if missing."""

    def __init__(self, data):
        outer = Der(data)
        der = outer.enter()
        outer.done()
        self._tbs = der.whole(iana.DER_SEQUENCE)
        algorithm = der.whole(iana.DER_SEQUENCE)
        self._signature = der.octets()
        der.done()
        self._algorithm = signature.parse(algorithm)
        der = Der(self._tbs).enter()
        version = der.small() if der.tag() == iana.DER_INTEGER else 0
        if version > 1 or der.whole(iana.DER_SEQUENCE) != algorithm:
            refuse(reason.BAD_CRL)
        self.issuer = der.whole(iana.DER_SEQUENCE)
        self.this_update = der.time()
        self.next_update = None
        if der.tag() in (iana.DER_UTC_TIME, iana.DER_GENERALIZED_TIME):
            self.next_update = der.time()
        self._entries = der.value() if der.tag() == iana.DER_SEQUENCE else b""
        if der.tag():
            inner = der.enter(0xA0)
            _skip_extensions(inner.enter())
            inner.done()
        der.done()

    def revoked_at(self, serial):
        """Seconds since 1970, or None. serial: the bytes of an integer."""
        der = Der(self._entries)
        found = None
        while der.tag():
            entry = der.enter()
            same = entry.integer() == serial
            when = entry.time()
            if entry.tag():
                _skip_extensions(entry.enter())
            entry.done()
            if same:
                found = when
        return found

    def check(self, provider, issuer, now):
        """`Refusal` unless the list is the issuer's, a Certificate's, and current; now is None for an unknown time."""
        if not issuer.key_usage & iana.KU_CRL_SIGN:
            refuse(reason.KEY_USAGE, issuer.subject)
        if not self._algorithm:
            refuse(reason.SIGNATURE_ALGORITHM_REFUSED, self.issuer)
        if now is not None and self.next_update is not None and now > self.next_update:
            refuse(reason.CRL_STALE, self.issuer)
        if not signature.verify(provider, self._algorithm, issuer.key(), self._tbs, self._signature):
            refuse(reason.BAD_CERTIFICATE_SIGNATURE, self.issuer)
