"""Algorithms that a peer may offer, ours and others: the registry's name and strongSwan's keyword of each transform.

`uike.iana` and `uike.keywords` know what this firmware speaks; what follows is for reading a peer's offers, and for
writing a configuration of the other end.
"""

from uike import iana

_FOREIGN = {  # (transform type, number): (IANA's name, strongSwan's keyword)
    (iana.ENCR, 2): ("ENCR_DES", "des"),
    (iana.ENCR, 3): ("ENCR_3DES", "3des"),
    (iana.ENCR, 11): ("ENCR_NULL", "null"),
    (iana.ENCR, 13): ("ENCR_AES_CTR", "aes{bits}ctr"),
    (iana.ENCR, 14): ("ENCR_AES_CCM_8", "aes{bits}ccm8"),
    (iana.ENCR, 15): ("ENCR_AES_CCM_12", "aes{bits}ccm12"),
    (iana.ENCR, 16): ("ENCR_AES_CCM_16", "aes{bits}ccm16"),
    (iana.ENCR, 18): ("ENCR_AES_GCM_8", "aes{bits}gcm8"),
    (iana.ENCR, 19): ("ENCR_AES_GCM_12", "aes{bits}gcm12"),
    (iana.ENCR, 23): ("ENCR_CAMELLIA_CBC", "camellia{bits}"),
    (iana.PRF, 1): ("PRF_HMAC_MD5", "prfmd5"),
    (iana.PRF, 2): ("PRF_HMAC_SHA1", "prfsha1"),
    (iana.PRF, 4): ("PRF_AES128_XCBC", "prfaesxcbc"),
    (iana.PRF, 8): ("PRF_AES128_CMAC", "prfaescmac"),
    (iana.INTEG, 1): ("AUTH_HMAC_MD5_96", "md5"),
    (iana.INTEG, 2): ("AUTH_HMAC_SHA1_96", "sha1"),
    (iana.INTEG, 5): ("AUTH_AES_XCBC_96", "aesxcbc"),
    (iana.INTEG, 8): ("AUTH_AES_CMAC_96", "aescmac"),
    (iana.KE_METHOD, 1): ("MODP_768", "modp768"),
    (iana.KE_METHOD, 2): ("MODP_1024", "modp1024"),
    (iana.KE_METHOD, 5): ("MODP_1536", "modp1536"),
    (iana.KE_METHOD, 15): ("MODP_3072", "modp3072"),
    (iana.KE_METHOD, 16): ("MODP_4096", "modp4096"),
    (iana.KE_METHOD, 17): ("MODP_6144", "modp6144"),
    (iana.KE_METHOD, 18): ("MODP_8192", "modp8192"),
    (iana.KE_METHOD, 20): ("ECP_384", "ecp384"),
    (iana.KE_METHOD, 21): ("ECP_521", "ecp521"),
    (iana.KE_METHOD, 28): ("BRAINPOOL_P256R1", "ecp256bp"),
    (iana.KE_METHOD, 29): ("BRAINPOOL_P384R1", "ecp384bp"),
    (iana.KE_METHOD, 30): ("BRAINPOOL_P512R1", "ecp512bp"),
    (iana.KE_METHOD, 32): ("CURVE448", "x448"),
    (iana.KE_METHOD, 35): ("ML_KEM_512", "mlkem512"),
    (iana.KE_METHOD, 36): ("ML_KEM_768", "mlkem768"),
    (iana.KE_METHOD, 37): ("ML_KEM_1024", "mlkem1024"),
}
NAMES = {key: name for key, (name, _) in _FOREIGN.items()}
_OURS = {
    (iana.ENCR, iana.ENCR_AES_CBC): "aes{bits}",
    (iana.ENCR, iana.ENCR_AES_GCM_16): "aes{bits}gcm16",
    (iana.ENCR, iana.ENCR_CHACHA20_POLY1305): "chacha20poly1305",
    (iana.PRF, iana.PRF_HMAC_SHA2_256): "prfsha256",
    (iana.PRF, iana.PRF_HMAC_SHA2_384): "prfsha384",
    (iana.PRF, iana.PRF_HMAC_SHA2_512): "prfsha512",
    (iana.INTEG, iana.AUTH_HMAC_SHA2_256_128): "sha256",
    (iana.INTEG, iana.AUTH_HMAC_SHA2_384_192): "sha384",
    (iana.INTEG, iana.AUTH_HMAC_SHA2_512_256): "sha512",
    (iana.KE_METHOD, iana.MODP_2048): "modp2048",
    (iana.KE_METHOD, iana.ECP_256): "ecp256",
    (iana.KE_METHOD, iana.CURVE25519): "x25519",
    (iana.ESN, iana.NO_ESN): "noesn",
    (iana.ESN, iana.ESN_YES): "esn",
}
_WORDS = {**{key: word for key, (_, word) in _FOREIGN.items()}, **_OURS}


def word(transform: tuple[int, int, int]) -> str | None:
    """strongSwan's keyword of a transform (type, id, key bits); None when it has none here."""
    kind, number, bits = transform
    found = _WORDS.get((kind, number))
    return found.format(bits=bits or "") if found else None


def proposal_words(transforms) -> str:
    """A proposal in strongSwan's keywords, the way this device's `proposals` take it. What is implied is left out."""
    transforms = [each for each in transforms if each[0] != iana.ESN or each[1] != iana.NO_ESN]
    hashes = {word(each) for each in transforms if each[0] == iana.INTEG}
    order = (iana.ENCR, iana.INTEG, iana.PRF, iana.KE_METHOD, iana.ESN)
    prfs = {word(each) for each in transforms if each[0] == iana.PRF}
    implied = hashes and prfs == {f"prf{each}" for each in hashes}
    words = [
        word(each) or f"{each[0]}:{each[1]}"
        for kind in order
        for each in transforms
        if each[0] == kind and not (kind == iana.PRF and implied)
    ]
    return "-".join(words)


def supported(transform: tuple[int, int, int]) -> bool:
    """Whether this firmware speaks it."""
    kind, number, bits = transform
    if (kind, number) not in _OURS:
        return False
    return kind != iana.ENCR or number == iana.ENCR_CHACHA20_POLY1305 or bits in (128, 256)
