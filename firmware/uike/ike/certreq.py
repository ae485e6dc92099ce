"""Which CAs we trust, as the peer is told (RFC 7296 section 3.7). Transient, for connections with certificates."""

from uike import iana
from uike.pki.certificate import Certificate
from uike.pki.key import identifier


def trusted(sa):
    """CERTREQ with the key hashes of our trust anchors; nothing without any."""
    crypto = sa.endpoint.crypto
    found = [identifier(crypto, Certificate(data).spki) for data in sa.connection.cacerts]
    return [(iana.CERTREQ, bytes((iana.CERT_X509_SIGNATURE,)) + b"".join(found))] if found else []
