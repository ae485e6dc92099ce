"""Proposals in strongSwan's keywords: "aes128-sha256-x25519" to transforms (type, id, key bits).

A hash keyword means integrity and, for IKE, the PRF when no prf keyword says otherwise; with an AEAD cipher it means
only the PRF. Several algorithms of one type are alternatives. Used by `uike.config`, on the device and on the host.
"""

from uike import iana

_ENCR = {
    "aes128": (iana.ENCR_AES_CBC, 128),
    "aes256": (iana.ENCR_AES_CBC, 256),
    "aes128gcm16": (iana.ENCR_AES_GCM_16, 128),
    "aes256gcm16": (iana.ENCR_AES_GCM_16, 256),
    "aes128gcm128": (iana.ENCR_AES_GCM_16, 128),
    "aes256gcm128": (iana.ENCR_AES_GCM_16, 256),
    "chacha20poly1305": (iana.ENCR_CHACHA20_POLY1305, 0),
}
_INTEG = {
    "sha256": iana.AUTH_HMAC_SHA2_256_128,
    "sha384": iana.AUTH_HMAC_SHA2_384_192,
    "sha512": iana.AUTH_HMAC_SHA2_512_256,
}
_PRF = {
    "prfsha256": iana.PRF_HMAC_SHA2_256,
    "prfsha384": iana.PRF_HMAC_SHA2_384,
    "prfsha512": iana.PRF_HMAC_SHA2_512,
}
_KE = {
    "x25519": iana.CURVE25519,
    "curve25519": iana.CURVE25519,
    "ecp256": iana.ECP_256,
    "modp2048": iana.MODP_2048,
}
_ESN = {"esn": iana.ESN_YES, "noesn": iana.NO_ESN}

IKE_ALLOWED = "a cipher, a hash or prf, a group: aes128-sha256-x25519, aes256gcm16-prfsha384-ecp256; ciphers aes128 aes256 aes128gcm16 aes256gcm16 chacha20poly1305; hashes sha256 sha384 sha512; prfs prfsha256 prfsha384 prfsha512; groups x25519 ecp256 modp2048"  # noqa: E501
ESP_ALLOWED = "aes128-sha256, aes128gcm16, ...; ciphers aes128 aes256 aes128gcm16 aes256gcm16 chacha20poly1305; hashes sha256 sha384 sha512; esn, noesn"  # noqa: E501


def parse(text, ike):
    """Transforms of one proposal, in the order of the registry's types. ValueError says what is wrong with it."""
    found = _sort_words(text, ike)
    encr, integ, prf, group, esn = found
    if not encr:
        raise ValueError("no cipher")
    kinds = [row[1] != iana.ENCR_AES_CBC for row in encr]
    aead = kinds[0]
    if not all(kinds) and any(kinds):
        raise ValueError("AEAD and other ciphers in one proposal; make it two")
    if not aead and not integ:
        raise ValueError("no hash for the integrity of a CBC cipher")
    if ike:
        if not prf:
            prf = [(iana.PRF, row[1] - iana.AUTH_HMAC_SHA2_256_128 + iana.PRF_HMAC_SHA2_256, 0) for row in integ]
        if not prf:
            raise ValueError("no prf or hash")
        if not group:
            raise ValueError("no group")
    elif aead and integ:
        raise ValueError("an AEAD cipher takes no hash")
    if not ike and not esn:
        esn = [(iana.ESN, iana.NO_ESN, 0)]
    return tuple(encr + prf + ([] if aead else integ) + group + esn)


def _sort_words(text, ike):
    """Five lists of transforms: ciphers, integrity, PRFs, groups, sequence numbers."""
    encr, integ, prf, group, esn = [], [], [], [], []
    for word in text.split("-"):
        if word in _ENCR:
            _add(encr, (iana.ENCR,) + _ENCR[word], word)
        elif word in _INTEG:
            _add(integ, (iana.INTEG, _INTEG[word], 0), word)
        elif word in _PRF and ike:
            _add(prf, (iana.PRF, _PRF[word], 0), word)
        elif word in _KE:
            _add(group, (iana.KE_METHOD, _KE[word], 0), word)
        elif word in _ESN and not ike:
            _add(esn, (iana.ESN, _ESN[word], 0), word)
        else:
            raise ValueError("%s: unknown" % (word or "an empty word"))
    return encr, integ, prf, group, esn


def _add(transforms, transform, word):
    if transform in transforms:
        raise ValueError("%s: given twice" % word)
    transforms.append(transform)
