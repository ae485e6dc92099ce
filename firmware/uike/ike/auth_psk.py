"""Authentication with a pre-shared key (RFC 7296 section 2.15)."""

_KEY_PAD = b"Key Pad for IKEv2"


def make(sa, psk, octets):
    """The AUTH data over octets: prf(prf(PSK, "Key Pad for IKEv2"), octets)."""
    prf = sa.endpoint.crypto.prf
    return prf(sa.prf, prf(sa.prf, psk, _KEY_PAD), octets)
