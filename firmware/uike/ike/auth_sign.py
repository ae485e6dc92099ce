"""Proving who we are with a private key (RFC 7296 section 2.15, RFC 4754, RFC 7427, RFC 8420). Transient.

We sign with the method of RFC 7427 if the peer speaks it, else with those of old.
"""

from uike import iana, reason
from uike.pki import device, key, signature
from uike.wire.refusal import Refusal

# Kind of key, what we sign with by RFC 7427, the method of old (0: none), and what that one stands for
_WAYS = (
    (iana.KEY_RSA, iana.RSASSA_PSS + iana.SHA2_256, iana.AUTH_RSA, iana.RSASSA_PKCS1 + iana.SHA2_256),
    (iana.KEY_P256, iana.ECDSA + iana.SHA2_256, iana.AUTH_ECDSA_256, iana.ECDSA + iana.SHA2_256),
    (iana.KEY_P384, iana.ECDSA + iana.SHA2_384, iana.AUTH_ECDSA_384, iana.ECDSA + iana.SHA2_384),
    (iana.KEY_ED25519, iana.EDDSA + iana.HASH_IDENTITY, 0, 0),
)


def sign(sa, octets):
    """The body of our AUTH payload. `octets` is what it covers."""
    crypto, random = sa.endpoint.crypto, sa.endpoint.random
    mine = sa.connection.key
    private = key.parse_private(device.read(sa.endpoint.store)[0] if mine == b"device" else mine)
    for kind, algorithm, method, of_old in _WAYS:
        if private and kind == private[0]:
            break
    else:
        raise Refusal(reason.KEY_REFUSED, iana.AUTHENTICATION_FAILED)
    taken = sa.setup.hashes
    if bytes((0, algorithm & 15)) in [taken[i : i + 2] for i in range(0, len(taken), 2)]:
        identifier = signature.build_identifier(algorithm)
        head = bytes((iana.AUTH_DIGITAL_SIGNATURE, 0, 0, 0, len(identifier))) + identifier
        return head + signature.sign(crypto, algorithm, private, octets, random)
    if not method:
        raise Refusal(reason.NO_COMMON_SIGNATURE, iana.AUTHENTICATION_FAILED)
    return bytes((method, 0, 0, 0)) + crypto.sign(of_old, private, octets, random)
