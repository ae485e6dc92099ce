"""Sizes of the algorithms that we speak, by IANA number (RFC 7296 section 3.3.2; RFC 8247). Used wherever keys are cut.

All sizes are in bytes, key lengths in the Key Length attribute are in bits (RFC 7296 section 3.3.5).
"""

from uike import iana

# PRF: (output and preferred key size) (RFC 4868)
PRF = {iana.PRF_HMAC_SHA2_256: 32, iana.PRF_HMAC_SHA2_384: 48, iana.PRF_HMAC_SHA2_512: 64}

# Integrity: (key, ICV) (RFC 4868)
INTEG = {
    iana.AUTH_HMAC_SHA2_256_128: (32, 16),
    iana.AUTH_HMAC_SHA2_384_192: (48, 24),
    iana.AUTH_HMAC_SHA2_512_256: (64, 32),
}

# Encryption: (allowed Key Length values in bits, salt, IV, ICV of its own, block)
# (RFC 3602; RFC 4106, 5282; RFC 7634, whose key length is fixed and never negotiated: 0)
ENCR = {
    iana.ENCR_AES_CBC: ((128, 256), 0, 16, 0, 16),
    iana.ENCR_AES_GCM_16: ((128, 256), 4, 8, 16, 1),
    iana.ENCR_CHACHA20_POLY1305: ((0,), 4, 8, 16, 1),
}

# Key exchange: (public value, shared secret) (RFC 8031, RFC 5903, RFC 3526)
KE = {iana.CURVE25519: (32, 32), iana.ECP_256: (64, 32), iana.MODP_2048: (256, 256)}


def prf_size(prf_id):
    """Output, and key, of a PRF. KeyError for an unknown one, here as in all functions below."""
    return PRF[prf_id]


def is_aead(encr_id):
    """Whether the cipher authenticates by itself, so that no integrity transform goes with it."""
    return ENCR[encr_id][3] != 0


def encr_key_size(encr_id, key_bits):
    """Key material to cut for a cipher, its salt included. ValueError for a key length it does not have.

    key_bits is the Key Length attribute, 0 when it is absent.
    """
    row = ENCR[encr_id]
    if key_bits not in row[0]:
        raise ValueError("key length")
    return (key_bits or 256) // 8 + row[1]


def integ_key_size(integ_id):
    """Key of an integrity transform; 0 for none."""
    return INTEG[integ_id][0] if integ_id else 0


def iv_size(encr_id):
    """IV carried in each message."""
    return ENCR[encr_id][2]


def icv_size(encr_id, integ_id):
    """ICV at the end of each message: the cipher's own, or that of the integrity transform."""
    return ENCR[encr_id][3] or INTEG[integ_id][1]


def block_size(encr_id):
    """What plaintext is padded to; 1 means that any length will do."""
    return ENCR[encr_id][4]


def ke_size(group):
    """Public value, as it travels in the KE payload."""
    return KE[group][0]
