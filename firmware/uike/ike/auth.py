"""What both sides of the IKE_AUTH exchange have: ID, CERT and AUTH payloads (RFC 7296 section 2.15).

The exchange itself is in `ike/join` and `ike/accept`: no board needs both at once.
"""

from uike import iana, reason
from uike.crypto import equal
from uike.transient import load
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_ID_MAX = 256
_KEY_PAD = b"Key Pad for IKEv2"


def can_move(connection):
    """Our word that we speak RFC 4555."""
    return [notify(iana.MOBIKE_SUPPORTED)] if connection.mobike else []


def id_body(identity):
    return bytes((identity[0], 0, 0, 0)) + identity[1]


def peer_id(body):
    if not 4 < len(body) <= _ID_MAX:
        raise Refusal(reason.BAD_ID_PAYLOAD, iana.INVALID_SYNTAX)
    return body[0], body[4:]


def same(wanted, peer):
    """Whether the peer is who is wanted; distinguished names may be written in several ways."""
    if wanted == peer or wanted[0] != iana.ID_DER_ASN1_DN:
        return wanted == peer
    return load("uike.pki.identity").match(wanted[0], wanted[1], peer[0], peer[1])


def certificates(sa):
    """CERT payloads: ours first, then those between it and a CA; or our raw public key."""
    found = sa.connection.cert
    if sa.connection.key == b"device":
        found = load("uike.pki.device").read(sa.endpoint.store)[1]
        if not found:
            raise Refusal(reason.OWN_CERTIFICATE_MISSING, iana.AUTHENTICATION_FAILED)
    return [(iana.CERT, bytes((load("uike.wire.cert").encoding(data),)) + data) for data in found]


def trusted(sa):
    """CERTREQ, if the peer is to prove itself with a certificate."""
    if not sa.connection.cacerts:
        return []
    found = load("uike.ike.certreq").trusted(sa)
    forget(sa)
    return found


def payload(sa, initiators, id_body):
    """Our AUTH payload."""
    octets = octets_of(sa, initiators, id_body)
    if not sa.connection.key:
        return iana.AUTH, bytes((iana.AUTH_SHARED_KEY, 0, 0, 0)) + mac(sa, octets, _psk(sa))
    body = load("uike.ike.auth_sign").sign(sa, octets)
    forget(sa)
    return iana.AUTH, body


def verify(sa, message, initiators, id_body, body):
    """Raises Refusal unless `body` is the AUTH payload that only the holder of the key can make."""
    if len(body) < 4:
        raise Refusal(reason.BAD_AUTH_PAYLOAD, iana.INVALID_SYNTAX)
    octets = octets_of(sa, initiators, id_body)
    by_key = body[0] == iana.AUTH_SHARED_KEY
    if by_key if sa.connection.cacerts else not by_key:
        raise Refusal(reason.AUTH_METHOD_REFUSED, iana.AUTHENTICATION_FAILED, body[:1])
    if not by_key:
        forget(sa)
        load("uike.ike.auth_verify").verify(sa, message, peer_id(id_body), octets, body)
        forget(sa)
    elif not equal(mac(sa, octets, _psk(sa)), body[4:]):
        raise Refusal(reason.PSK_DIFFERS, iana.AUTHENTICATION_FAILED)


def forget(sa):
    """What one signature needs is not in memory with what the next one does."""
    sa.endpoint.release()
    sa.endpoint.loaded = True  # we are


def octets_of(sa, initiators, id_body):
    """What the AUTH of one side covers: its first message, the other's nonce, and prf(SK_p, its ID)."""
    setup = sa.setup
    if initiators:
        message, nonce, sk_p = setup.request, setup.nonce_r, sa.sk_pi
    else:
        message, nonce, sk_p = setup.response, setup.nonce_i, sa.sk_pr
    return message + nonce + sa.endpoint.crypto.prf(sa.prf, sk_p, id_body)


def _psk(sa):
    """The peer's own, if it has one."""
    return sa.setup.psk or sa.connection.psk


def mac(sa, octets, key):
    """The AUTH data of a shared key: prf(prf(key, "Key Pad for IKEv2"), octets)."""
    prf = sa.endpoint.crypto.prf
    return prf(sa.prf, prf(sa.prf, key, _KEY_PAD), octets)
