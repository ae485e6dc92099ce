"""EAP in IKE_AUTH, the initiator's side (RFC 7296 section 2.16, RFC 3748, RFC 5998). Transient, loaded by `ike/join`.

The server has proved itself with its AUTH payload before any of this, unless the configuration says `eap_only`.
Identifiers are answered as they come: IKE's message IDs already tell a repeated request from a new one.
"""

from uike import iana, reason
from uike.crypto import equal
from uike.eap.packet import build, parse, refuse
from uike.ike import auth
from uike.transient import load
from uike.wire.refusal import Refusal

ROUNDS_MAX = 12
_SHARED = bytes((iana.AUTH_SHARED_KEY, 0, 0, 0))
_METHODS = ((iana.EAP_MSCHAPV2, "uike.eap.mschapv2"), (iana.EAP_MD5, "uike.eap.md5"), (iana.EAP_GTC, "uike.eap.gtc"))


def prove(sa, response, id_r):
    """All that follows the first response; returns the last one, whose AUTH payload is verified."""
    key = yield from converse(sa, response)
    octets = auth.octets_of(sa, True, auth.id_body(sa.connection.local_id))
    # HDR, SK {AUTH} -->
    response = yield (iana.IKE_AUTH, [(iana.AUTH, _SHARED + auth.mac(sa, octets, key or sa.sk_pi))])
    #           <-- HDR, SK {AUTH, [CP(CFG_REPLY),] [SAr2, TSi, TSr]}
    body, error = response.body(iana.AUTH), response.error()
    if body is None:
        raise Refusal(reason.PEER_SAID_AUTH_FAILED if error else reason.PAYLOAD_MISSING, iana.AUTHENTICATION_FAILED)
    octets = auth.octets_of(sa, False, id_r)
    if body[:1] != _SHARED[:1] or not equal(auth.mac(sa, octets, key or sa.sk_pr), body[4:]):
        raise refuse(reason.EAP_KEY_DIFFERS)
    return response


def converse(sa, response):
    """The rounds; returns the key of the AUTH payloads to come: the MSK, empty if the method has none."""
    connection = sa.connection
    user = getattr(connection, "eap_id", connection.local_id[1])
    kinds = getattr(connection, "eap_methods", [kind for kind, _ in _METHODS])
    if connection.eap_only:
        kinds = (iana.EAP_MSCHAPV2,)
    chosen = method = refused = None
    for _ in range(ROUNDS_MAX):
        error = response.error()
        packet = response.body(iana.EAP)
        if error and packet is None:
            raise Refusal(reason.PEER_SAID_AUTH_FAILED, error[0], error[1])
        code, number, kind, data = parse(packet)
        if code == iana.EAP_FAILURE:
            raise refuse(_why(refused), bytes((refused or chosen or 0,)))
        if code == iana.EAP_SUCCESS:
            if not method or not method.proved:
                raise refuse(reason.EAP_EARLY_SUCCESS)
            return method.msk or b""
        if code != iana.EAP_REQUEST:
            raise refuse(reason.BAD_EAP)
        if kind == iana.EAP_IDENTITY and not chosen:
            data = user
        elif kind == iana.EAP_NOTIFICATION:
            data = b""
        elif chosen and kind != chosen:  # a method that has begun is seen through (RFC 3748 section 2.1)
            raise refuse(reason.EAP_METHOD_REFUSED, bytes((kind,)))
        elif kind in kinds:
            if not chosen:
                chosen, refused = kind, None
                method = load(dict(_METHODS)[kind]).Method(sa, user, connection.eap_password)
            data = method.answer(number, data)
        else:
            refused, kind, data = kind, iana.EAP_NAK, bytes(kinds)
        response = yield (iana.IKE_AUTH, [build(iana.EAP_RESPONSE, number, kind, data)])
    raise refuse(reason.EAP_TOO_LONG)


def _why(refused):
    """What EAP-Failure means: a method that we would not have, or a password that was wrong."""
    if refused == iana.EAP_TLS:
        return reason.EAP_TLS_REFUSED
    return reason.EAP_METHOD_REFUSED if refused else reason.EAP_FAILED
