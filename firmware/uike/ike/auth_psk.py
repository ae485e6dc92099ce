"""Authentication with a pre-shared key (RFC 7296 section 2.15)."""

_KEY_PAD = b"Key Pad for IKEv2"


def make(sa, psk, initiators, id_body):
    """The AUTH data of one side: `initiators` tells whose, `id_body` is the body of its ID payload.

    AUTH = prf(prf(PSK, "Key Pad for IKEv2"), message | nonce of the other side | prf(SK_p, ID))"""
    setup, prf = sa.setup, sa.endpoint.crypto.prf
    if initiators:
        message, nonce, sk_p = setup.request, setup.nonce_r, sa.sk_pi
    else:
        message, nonce, sk_p = setup.response, setup.nonce_i, sa.sk_pr
    return prf(sa.prf, prf(sa.prf, psk, _KEY_PAD), message + nonce + prf(sa.prf, sk_p, id_body))
