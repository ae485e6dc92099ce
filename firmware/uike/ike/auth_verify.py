"""Whether certificate and signature prove who the peer is (RFC 7296 section 2.15, RFC 4754, RFC 7427). Transient.

Or the signature alone, when the peer's key is known (RFC 7670): it then does not matter what its CERT payloads say.
"""

from uike import iana, reason
from uike.pki import clock, identity, path, signature
from uike.pki.certificate import Certificate, refuse
from uike.pki.key import parse_public
from uike.transient import load
from uike.wire.cert import encoding
from uike.wire.refusal import Refusal

_CERTIFICATES_MAX = 6  # of the peer

# The methods of old: their number, kind of key, algorithm
_METHODS = (
    (iana.AUTH_RSA, iana.KEY_RSA, iana.RSASSA_PKCS1 + iana.SHA2_256),
    (iana.AUTH_ECDSA_256, iana.KEY_P256, iana.ECDSA + iana.SHA2_256),
    (iana.AUTH_ECDSA_384, iana.KEY_P384, iana.ECDSA + iana.SHA2_384),
    (iana.AUTH_ECDSA_521, iana.KEY_P521, iana.ECDSA + iana.SHA2_512),
)


def verify(sa, message, peer, octets, body):
    """`Refusal` unless `message` proves that its sender is `peer`, (ID type, data). `body` is its AUTH payload's."""
    connection, endpoint = sa.connection, sa.endpoint
    if encoding(connection.cacerts[0]) == iana.CERT_RAW_PUBLIC_KEY:  # bound to `remote_id`, see config
        _check(endpoint.crypto, parse_public(connection.cacerts[0]), b"", octets, body)
        return
    shown = []
    for kind, start, end in message.payloads:
        if kind == iana.CERT and message.buffer[start] == iana.CERT_X509_SIGNATURE and len(shown) < _CERTIFICATES_MAX:
            shown.append(Certificate(bytes(message.buffer[start + 1 : end])))
    if not shown:
        refuse(reason.CERTIFICATE_MISSING)
    now, known = clock.read(endpoint, connection.require_time)
    anchors = [Certificate(data) for data in connection.cacerts]
    crls = [load("uike.pki.crl").Crl(data) for data in connection.crls]
    path.validate(endpoint.crypto, shown[0], shown[1:], anchors, now, known, crls, connection.revocation)
    identity.check(shown[0], peer[0], peer[1])
    _check(endpoint.crypto, shown[0].key(), shown[0].subject, octets, body)
    clock.learn(endpoint.store, now, known)


def _check(crypto, public, subject, octets, body):
    """The signature itself, by a public key of `subject`."""
    if public is None or public[0] == iana.KEY_RSA and not 256 <= len(public[1]) <= 512:
        refuse(reason.KEY_REFUSED, subject)
    method, data = body[0], body[4:]
    if method == iana.AUTH_DIGITAL_SIGNATURE:
        if not data or len(data) < 1 + data[0]:
            raise Refusal(reason.BAD_AUTH_PAYLOAD, iana.INVALID_SYNTAX)
        at = 1 + data[0]
        algorithm = signature.parse(data[1:at])
        if not algorithm:
            refuse(reason.SIGNATURE_ALGORITHM_REFUSED, subject)
        sound = signature.verify(crypto, algorithm, public, octets, data[at:])
    else:
        rows = [row for row in _METHODS if row[0] == method]
        if not rows:
            refuse(reason.AUTH_METHOD_REFUSED, body[:1])
        sound = rows[0][1] == public[0] and _of_old(crypto, rows[0][2], public, octets, data)
    if not sound:
        refuse(reason.SIGNATURE_DIFFERS, subject)


def _of_old(crypto, algorithm, public, octets, data):
    """RSA may have signed any hash: what it was is in the signature. SHA-1 is not taken."""
    scheme, number = algorithm & 0xF0, algorithm & 15
    tried = (number,) if scheme != iana.RSASSA_PKCS1 else (iana.SHA2_256, iana.SHA2_384, iana.SHA2_512)
    for each in tried:
        if crypto.verify(scheme + each, public, octets, data):
            return True
    return False
