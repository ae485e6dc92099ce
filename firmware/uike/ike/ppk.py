"""Postquantum preshared keys (RFC 8784): a further secret of both sides goes into the keys of an IKE SA. Transient.

    HDR, SAi1, KEi, Ni, N(USE_PPK) -->                             <-- HDR, SAr1, KEr, Nr, N(USE_PPK)
    HDR, SK {IDi, AUTH, N(PPK_IDENTITY) [, N(NO_PPK_AUTH)], ...} -->    <-- HDR, SK {IDr, AUTH [, N(PPK_IDENTITY)], ...}

    SK_d, SK_pi, SK_pr = prf+(PPK, SK_d'), prf+(PPK, SK_pi'), prf+(PPK, SK_pr')

AUTH is made with the new keys, NO_PPK_AUTH with the old ones, by an initiator that would do without. Rekeyed SAs and
Child SAs inherit what SK_d has; one that is negotiated anew, after a redirection or to authenticate anew, begins here.
"""

from uike import iana, reason
from uike.crypto import wipe
from uike.ike import auth
from uike.ike.keys import prf_plus
from uike.wire.message import notify
from uike.wire.refusal import Refusal


def prove(sa, id_i):
    """The initiator's AUTH and what goes with it, a list of payloads. The keys of `sa` stay as they are."""
    connection = sa.connection
    plain = None if connection.ppk_required else auth.payload(sa, True, id_i)[1]
    kept = _mix(sa)
    payloads = [auth.payload(sa, True, id_i)]
    _replace(sa, kept)
    payloads.append(notify(iana.PPK_IDENTITY, bytes((iana.PPK_ID_FIXED,)) + connection.ppk_id))
    if plain:  # the method is that of AUTH
        payloads.append(notify(iana.NO_PPK_AUTH, plain[4:]))
    return payloads


def settle(sa, response):
    """The initiator learns whether the responder has the PPK: before its AUTH is verified."""
    if response.notify(iana.PPK_IDENTITY) is not None:
        for key in _mix(sa):
            wipe(key)
        return
    missing = Refusal(reason.PPK_NOT_USED, iana.AUTHENTICATION_FAILED)
    if sa.connection.ppk_required:
        raise missing
    sa.endpoint.note(sa, missing)


def verify(sa, request, initiators, id_i, body):
    """The responder's side of `auth.verify`: returns the payloads that its response gets."""
    connection = sa.connection
    named, plain = request.notify(iana.PPK_IDENTITY), request.notify(iana.NO_PPK_AUTH)
    if not sa.setup.ppk:
        missing = reason.PPK_NOT_OFFERED
        named = None
    elif named is None:
        missing = reason.PPK_NOT_USED
    elif connection.ppk and named[:1] in (b"\x01", b"\x02") and named[1:] == connection.ppk_id:
        _verify_mixed(sa, request, id_i, body, plain)
        return [notify(iana.PPK_IDENTITY)]
    else:
        missing = reason.PPK_ID_UNKNOWN
    missing = Refusal(missing, iana.AUTHENTICATION_FAILED, named[1:] if named else b"")
    if connection.ppk_required or named is not None and plain is None:
        raise missing
    sa.endpoint.note(sa, missing)
    auth.verify(sa, request, initiators, id_i, body[:4] + plain if named is not None else body)
    return []


def _verify_mixed(sa, request, id_i, body, plain):
    """With the PPK; when that fails, NO_PPK_AUTH tells which of two secrets it was."""
    kept = _mix(sa)
    try:
        auth.verify(sa, request, True, id_i, body)
        for key in kept:
            wipe(key)
    except Refusal as refusal:
        if refusal.reason not in (reason.PSK_DIFFERS, reason.SIGNATURE_DIFFERS):
            raise
        refusal.reason = reason.PPK_OR_KEY_DIFFERS
        if plain is not None and body[0] == iana.AUTH_SHARED_KEY:
            _replace(sa, kept)
            auth.verify(sa, request, True, id_i, body[:4] + plain)
            refusal.reason = reason.PPK_DIFFERS
        raise refusal


def _mix(sa):
    """Puts the PPK into the keys of `sa`; returns the old ones, which the caller wipes or puts back."""
    kept = (sa.sk_d, sa.sk_pi, sa.sk_pr)
    crypto, ppk = sa.endpoint.crypto, sa.connection.ppk
    sa.sk_d, sa.sk_pi, sa.sk_pr = [prf_plus(crypto, sa.prf, ppk, key, len(key)) for key in kept]
    return kept


def _replace(sa, kept):
    for key in (sa.sk_d, sa.sk_pi, sa.sk_pr):
        wipe(key)
    sa.sk_d, sa.sk_pi, sa.sk_pr = kept
