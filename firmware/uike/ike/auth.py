"""What both sides of the IKE_AUTH exchange have: ID and AUTH payloads, by a pre-shared key (RFC 7296 section 2.15).

The exchange itself is in `ike/join` and `ike/accept`: no board needs both at once.
"""

from uike import iana, reason
from uike.crypto import equal
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


def payload(sa, initiators, id_body):
    data = _mac(sa, sa.connection.psk, initiators, id_body)
    return iana.AUTH, bytes((iana.AUTH_SHARED_KEY, 0, 0, 0)) + data


def verify(sa, initiators, id_body, body):
    """Raises Refusal unless `body` is the AUTH payload that only the holder of the key can make."""
    if len(body) < 4:
        raise Refusal(reason.BAD_AUTH_PAYLOAD, iana.INVALID_SYNTAX)
    if body[0] != iana.AUTH_SHARED_KEY:
        raise Refusal(reason.AUTH_METHOD_REFUSED, iana.AUTHENTICATION_FAILED, body[:1])
    if not equal(_mac(sa, sa.connection.psk, initiators, id_body), body[4:]):
        raise Refusal(reason.PSK_DIFFERS, iana.AUTHENTICATION_FAILED)


def _mac(sa, psk, initiators, id_body):
    """The AUTH data of one side: `initiators` tells whose, `id_body` is the body of its ID payload.

    AUTH = prf(prf(PSK, "Key Pad for IKEv2"), message | nonce of the other side | prf(SK_p, ID))"""
    setup, prf = sa.setup, sa.endpoint.crypto.prf
    if initiators:
        message, nonce, sk_p = setup.request, setup.nonce_r, sa.sk_pi
    else:
        message, nonce, sk_p = setup.response, setup.nonce_i, sa.sk_pr
    return prf(sa.prf, prf(sa.prf, psk, _KEY_PAD), message + nonce + prf(sa.prf, sk_p, id_body))
