"""Keying material: SKEYSEED, the seven SK_* keys, KEYMAT (RFC 7296 sections 2.13, 2.14, 2.17)."""

from uike import iana
from uike.crypto import suites, wipe
from uike.wire.proposals import get


def prf_plus(crypto, prf, key, seed, size):
    """`size` bytes of prf+(key, seed), in a bytearray that the caller wipes."""
    out = bytearray(size)
    block = b""
    at = 0
    counter = 1
    while at < size:
        block = crypto.prf(prf, key, block + seed + bytes((counter,)))
        take = min(len(block), size - at)
        out[at : at + take] = block[:take]
        at += take
        counter += 1
    return out


def _parts(material, *sizes):
    """Cuts `material` into bytearrays of these sizes, and wipes it."""
    parts = []
    at = 0
    for size in sizes:
        parts.append(material[at : at + size])
        at += size
    wipe(material)
    return parts


def make_ike_keys(sa, skeyseed, nonces):
    """Fills in the keys of `sa` from SKEYSEED, Ni | Nr, its SPIs and its chosen transforms."""
    crypto = sa.endpoint.crypto
    encr, bits = get(sa.transforms, iana.ENCR)
    integ = get(sa.transforms, iana.INTEG)[0]
    sa.prf = get(sa.transforms, iana.PRF)[0]
    d, a, e = suites.prf_size(sa.prf), suites.integ_key_size(integ), suites.encr_key_size(encr, bits)
    material = prf_plus(crypto, sa.prf, skeyseed, nonces + sa.spi_i + sa.spi_r, 3 * d + 2 * a + 2 * e)
    # {SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr}
    sa.sk_d, ai, ar, ei, er, sa.sk_pi, sa.sk_pr = _parts(material, d, a, a, e, e, d, d)
    to_responder = crypto.cipher(encr, ei, integ, ai)
    to_initiator = crypto.cipher(encr, er, integ, ar)
    sa.seal, sa.open = (to_responder, to_initiator) if sa.initiator else (to_initiator, to_responder)
    for key in (ai, ar, ei, er):
        wipe(key)


def child_ciphers(sa, transforms, seed, initiator):
    """(outgoing, incoming) ciphers of a Child SA: KEYMAT = prf+(SK_d, [g^ir |] Ni | Nr), the direction of the
    exchange's initiator first; `initiator` tells whether that was us."""
    crypto = sa.endpoint.crypto
    encr, bits = get(transforms, iana.ENCR)
    integ = get(transforms, iana.INTEG)[0]
    e, a = suites.encr_key_size(encr, bits), suites.integ_key_size(integ)
    ei, ai, er, ar = _parts(prf_plus(crypto, sa.prf, sa.sk_d, seed, 2 * (e + a)), e, a, e, a)
    to_responder = crypto.cipher(encr, ei, integ, ai)
    to_initiator = crypto.cipher(encr, er, integ, ar)
    for key in (ei, ai, er, ar):
        wipe(key)
    if get(transforms, iana.ESN)[0] == iana.ESN_YES:
        to_responder.high, to_initiator.high = bytearray(4), bytearray(4)
    return (to_responder, to_initiator) if initiator else (to_initiator, to_responder)
