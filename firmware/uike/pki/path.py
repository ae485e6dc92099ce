"""From a peer's certificate to a trust anchor (RFC 5280 section 6, RFC 4945 section 5): the path, built and judged.

Each certificate is checked against its issuer, the cheap tests first; where several have the issuer's name, each is
tried, anchors before others. Names are compared byte by byte, since a CA has to write its own alike everywhere (section
4.1.2.6). Name constraints are refused, critical policies too, but for certificatePolicies, which nothing here asks for.

The data of a `Refusal` is the subject of the certificate at fault, DER, or the name of a missing issuer; where a time
is over or still to come, seconds since or until then precede it, four bytes.
"""

from uike import iana, reason
from uike.pki import signature
from uike.pki.certificate import refuse
from uike.wire.refusal import Refusal

RELAXED, IF_CRL, STRICT = range(3)  # what is asked of revocation lists, as strongSwan calls it

_LENGTH_MAX = 6  # certificates, the peer's and the anchor included
_SIGNATURES_MAX = 8  # verified for one peer

# extendedKeyUsage of a certificate that may speak IKE: any, serverAuth, clientAuth, ipsecIKE, ikeIntermediate.
_PURPOSES = (
    b"\x55\x1d\x25\x00",
    b"\x2b\x06\x01\x05\x05\x07\x03\x01",
    b"\x2b\x06\x01\x05\x05\x07\x03\x02",
    b"\x2b\x06\x01\x05\x05\x07\x03\x11",
    b"\x2b\x06\x01\x05\x05\x08\x02\x02",
)


def validate(provider, certificate, others, anchors, now=None, known=0, crls=(), revocation=IF_CRL):
    """The path, Certificates from the peer's to an anchor's. `Refusal` if there is none.

    others: Certificates that the peer sent, in any order. An anchor may also be the peer's certificate itself.
    now: seconds since 1970, or None on a board that has no clock yet: then only what was over at `known`, a time that
    has passed for certain, has expired. crls: what is revoked by one is refused. By IF_CRL those of issuers on the path
    must be sound and current too, and by STRICT there must be one for each certificate but the anchor's.
    """
    search = _Search(provider, others, anchors, now, known)
    search.check_purpose(certificate)
    path = search.extend([certificate])
    for i in range(len(path) - 1):
        _check_revocation(provider, path[i], path[i + 1 :], crls, known if now is None else now, revocation)
    return path


def _check_revocation(provider, child, above, crls, now, revocation):
    """`above` are those who may sign the list of the child's issuer: itself, or what has its name further up."""
    sound = revocation != STRICT
    for crl in crls:
        if crl.issuer != child.issuer:
            continue
        failure = None
        for signer in above:
            if signer.subject == crl.issuer:
                try:
                    crl.check(provider, signer, now if revocation else None)
                    break
                except Refusal as refusal:
                    failure = failure or refusal
        else:
            if revocation:
                raise failure
            continue
        sound = True
        if crl.revoked_at(child.serial) is not None:
            refuse(reason.CERTIFICATE_REVOKED, child.subject)
    if not sound:
        refuse(reason.REVOCATION_UNKNOWN, child.subject)


class _Search:
    def __init__(self, provider, others, anchors, now, known):
        self._provider = provider
        self._others = others
        self._anchors = anchors
        self._now = now
        self._known = known
        self._left = _SIGNATURES_MAX

    def check_purpose(self, certificate):
        """Of the peer's own certificate (RFC 4945 sections 5.1.3.2 and 5.1.3.12)."""
        self._check(certificate)
        if not certificate.key_usage & (iana.KU_DIGITAL_SIGNATURE | iana.KU_CONTENT_COMMITMENT):
            refuse(reason.KEY_USAGE, certificate.subject)
        if certificate.purposes is not None:
            for purpose in certificate.purposes:
                if purpose in _PURPOSES:
                    return
            refuse(reason.EXTENDED_KEY_USAGE, certificate.subject)

    def _check(self, certificate):
        """What every certificate must be."""
        self._check_time(certificate)
        if certificate.critical is not None:
            refuse(reason.UNKNOWN_CRITICAL_EXTENSION, certificate.critical)
        if certificate.constrained:
            refuse(reason.NAME_CONSTRAINTS, certificate.subject)

    def _check_time(self, certificate):
        late = (self._known if self._now is None else self._now) - certificate.not_after
        early = 0 if self._now is None else certificate.not_before - self._now
        if late > 0 or early > 0:
            seconds = min(max(late, early), 0xFFFFFFFF).to_bytes(4, "big")
            expired = reason.CERTIFICATE_EXPIRED if self._now is not None else reason.EXPIRED_AT_KNOWN_TIME
            refuse(expired if late > 0 else reason.CERTIFICATE_NOT_YET_VALID, seconds + bytes(certificate.subject))

    def extend(self, path):
        """The path that begins like this one."""
        last = path[-1]
        for anchor in self._anchors:
            if anchor.raw == last.raw:
                return path
        issuers = self._issuers(path)
        if not issuers:
            refuse(reason.UNTRUSTED_ROOT if last.subject == last.issuer else reason.MISSING_ISSUER, last.issuer)
        if len(path) == _LENGTH_MAX:
            refuse(reason.CHAIN_TOO_LONG, last.subject)
        failure = None
        for issuer in issuers:
            try:
                self._check_issuer(issuer, path)
                return self.extend(path + [issuer])
            except Refusal as refusal:
                if failure is None or failure.reason == reason.BAD_CERTIFICATE_SIGNATURE:
                    failure = refusal  # another one of the same name says little
        raise failure

    def _issuers(self, path):
        """Those that may have issued the last of the path, and are not in it."""
        found = []
        for each in list(self._anchors) + list(self._others):
            if each.subject == path[-1].issuer and each.raw not in [other.raw for other in path + found]:
                found.append(each)
        return found

    def _check_issuer(self, issuer, path):
        child = path[-1]
        self._check(issuer)
        if not issuer.ca:
            refuse(reason.NOT_A_CA, issuer.subject)
        if not issuer.key_usage & iana.KU_KEY_CERT_SIGN:
            refuse(reason.KEY_USAGE, issuer.subject)
        below = len([each for each in path[1:] if each.subject != each.issuer])
        if issuer.path_len is not None and below > issuer.path_len:
            refuse(reason.PATH_LENGTH, issuer.subject)
        if not child.algorithm:
            refuse(reason.SIGNATURE_ALGORITHM_REFUSED, child.subject)
        key = issuer.key()
        if key is None or key[0] == iana.KEY_RSA and not 256 <= len(key[1]) <= 512:
            refuse(reason.KEY_REFUSED, issuer.subject)
        if not self._left:
            refuse(reason.CHAIN_TOO_LONG, child.subject)
        self._left -= 1
        if not signature.verify(self._provider, child.algorithm, key, child.tbs, child.signature):
            refuse(reason.BAD_CERTIFICATE_SIGNATURE, child.subject)
