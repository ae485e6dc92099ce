"""Which CAs we trust, as the peer is told (RFC 7296 section 3.7). Transient, for connections with certificates."""

from uike import iana
from uike.pki.certificate import Certificate
from uike.pki.key import identifier
from uike.wire.cert import encoding


def trusted(sa):
    """CERTREQ with the key hashes of our trust anchors, or for the raw key that we know; nothing without any."""
    crypto, anchors = sa.endpoint.crypto, sa.connection.cacerts
    if not anchors:
        return []
    kind = encoding(anchors[0])
    found = [identifier(crypto, Certificate(data).spki) for data in anchors if kind == iana.CERT_X509_SIGNATURE]
    return [(iana.CERTREQ, bytes((kind,)) + b"".join(found))]
