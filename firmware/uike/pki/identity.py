"""Whether a certificate bears an IKE identity (RFC 7296 section 4, RFC 4945 section 3.1), as strongSwan sees it.

ID_DER_ASN1_DN is the subject; ID_FQDN, ID_RFC822_ADDR, ID_IPV4_ADDR and ID_IPV6_ADDR are subjectAltNames of the same
type, which alone count: a common name is no host name. Letters of domain names and e-mail addresses have no case.
"""

from uike import iana, reason
from uike.pki.certificate import refuse
from uike.pki.der import Der
from uike.wire.refusal import Refusal

_SHOWN_MAX = 512  # bytes of a refusal's data

_ALT_NAMES = {0x81: iana.ID_RFC822_ADDR, 0x82: iana.ID_FQDN, 0xA4: iana.ID_DER_ASN1_DN}


def borne(certificate):
    """(ID type, data) of each identity that a certificate bears."""
    if len(certificate.subject) > 2:
        yield iana.ID_DER_ASN1_DN, certificate.subject
    if not len(certificate.alt_names):
        return
    der = Der(certificate.alt_names).enter()
    while der.tag():
        tag = der.tag()
        data = der.value()
        if tag in _ALT_NAMES:
            yield _ALT_NAMES[tag], data
        elif tag == 0x87 and len(data) in (4, 16):
            yield (iana.ID_IPV4_ADDR if len(data) == 4 else iana.ID_IPV6_ADDR), data


def match(kind, pattern, other_kind, data, wild=True):
    """Whether an identity is the one of a pattern, both as in ID payloads. A name may begin with * in a pattern, and a
    distinguished name have values of *, unless it is not `wild`. False for what is no identity."""
    if kind != other_kind:
        return False
    if pattern == data:
        return True
    if kind == iana.ID_DER_ASN1_DN:
        try:
            from uike.pki import name  # few need it

            return name.match(pattern, data, wild)
        except Refusal:
            return False
    if kind not in (iana.ID_FQDN, iana.ID_RFC822_ADDR):
        return False
    pattern, data = bytes(pattern).lower(), bytes(data).lower()
    return pattern == data or wild and pattern[:1] == b"*" and data.endswith(pattern[1:])


def check(certificate, kind, data):
    """`Refusal` unless a certificate bears an identity. Its data: the one wanted, then those found, each as its type,
    its length (two bytes) and itself; as many as there is room for."""
    told = _tell(kind, data)
    for found_kind, found in borne(certificate):
        if match(found_kind, found, kind, data, False):
            return
        more = _tell(found_kind, found)
        if len(told) + len(more) <= _SHOWN_MAX:
            told += more
    refuse(reason.CERTIFICATE_IDENTITY, told)


def _tell(kind, data):
    return bytes((kind,)) + len(data).to_bytes(2, "big") + bytes(data)
