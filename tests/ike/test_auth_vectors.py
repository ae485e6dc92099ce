"""Published signatures, sound and unsound ones, as AUTH payloads: RFC 7427's form, and those of old where there is one."""

import pytest

from tests.crypto import cases
from uike import iana, reason
from uike.hal.cpython.crypto import Provider
from uike.ike import auth_verify
from uike.pki import key, signature
from uike.wire.refusal import Refusal

SHA = {"SHA-256": iana.SHA2_256, "SHA-384": iana.SHA2_384, "SHA-512": iana.SHA2_512}
FILES = {  # file: scheme
    "rsa_signature_2048_sha256_test": iana.RSASSA_PKCS1,
    "rsa_signature_2048_sha512_test": iana.RSASSA_PKCS1,
    "rsa_signature_3072_sha256_test": iana.RSASSA_PKCS1,
    "rsa_pss_2048_sha256_mgf1_32_test": iana.RSASSA_PSS,
    "rsa_pss_3072_sha256_mgf1_32_test": iana.RSASSA_PSS,
    "ecdsa_secp256r1_sha256_test": iana.ECDSA,
    "ecdsa_secp384r1_sha384_test": iana.ECDSA,
    "ed25519_test": iana.EDDSA,
}
OF_OLD = {iana.KEY_RSA: iana.AUTH_RSA, iana.KEY_P256: iana.AUTH_ECDSA_256, iana.KEY_P384: iana.AUTH_ECDSA_384}


class Bearer:
    """A certificate of which only the key counts."""

    subject = b"\x30\0"

    def __init__(self, spki):
        self.key = lambda: key.parse_public(spki)


def spki(group):
    found = group.get("keyDer") or group.get("publicKeyDer")
    if found:
        return bytes.fromhex(found)
    return key.build_public((iana.KEY_ED25519, bytes.fromhex(group["key"]["pk"])))


def taken(bearer, method, data, message):
    try:
        auth_verify._check(Provider(), bearer.key(), bearer.subject, message, bytes((method, 0, 0, 0)) + data)
        return True
    except Refusal as refusal:
        assert refusal.reason == reason.SIGNATURE_DIFFERS and refusal.notify == iana.AUTHENTICATION_FAILED
        return False


def plain(signed, size):
    """r|s of a DER signature, as the methods of old carry it; None if it has no such form."""
    try:
        return signature._plain(signed, size)
    except Refusal:
        return None


@pytest.mark.parametrize("name", FILES)
def test_wycheproof(name):
    scheme, counts = FILES[name], [0, 0]
    for group, test in cases.wycheproof(f"Signature/wycheproof/{name}.json"):
        number = SHA[group["sha"]] if scheme != iana.EDDSA else iana.HASH_IDENTITY
        bearer, message = Bearer(spki(group)), bytes.fromhex(test["msg"])
        kind, signed = bearer.key()[0], bytes.fromhex(test["sig"])
        identifier = signature.build_identifier(scheme + number)
        data = bytes((len(identifier),)) + identifier + signed
        found = taken(bearer, iana.AUTH_DIGITAL_SIGNATURE, data, message)
        wanted = {"valid": (True,), "acceptable": (True, False), "invalid": (False,)}[test["result"]]
        assert found in wanted, (test["tcId"], test["comment"])
        counts[found] += 1
        if scheme in (iana.RSASSA_PKCS1, iana.ECDSA):
            old = plain(signed, signature._SIZES[kind]) if scheme == iana.ECDSA else signed
            again = old is not None and taken(bearer, OF_OLD[kind], old, message)
            any_hash = scheme == iana.RSASSA_PKCS1 and "hash" in test["comment"].lower()  # as RFC 7296 lets it be
            assert again == found or old is None or any_hash, (test["tcId"], test["comment"])
    assert counts[True] >= 5 and counts[False] + counts[True] > 60
