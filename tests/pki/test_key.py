"""Keys in the forms that others write, and requests for certificates that others understand."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.crypto.guest_vectors import Fixed
from tests.pki.authority import key
from uike import iana
from uike.crypto.soft import Provider as Soft
from uike.hal.cpython.crypto import Provider as Host
from uike.pki import csr, name
from uike.pki import key as keys
from uike.pki import signature as signatures
from uike.wire.refusal import Refusal

FORMS = [
    ("rsa2048", "PKCS8", iana.KEY_RSA, iana.RSASSA_PKCS1 + iana.SHA2_256),
    ("rsa2048", "TraditionalOpenSSL", iana.KEY_RSA, iana.RSASSA_PSS + iana.SHA2_384),
    ("p256", "PKCS8", iana.KEY_P256, iana.ECDSA + iana.SHA2_256),
    ("p256", "TraditionalOpenSSL", iana.KEY_P256, iana.ECDSA + iana.SHA2_512),
    ("p384", "PKCS8", iana.KEY_P384, iana.ECDSA + iana.SHA2_384),
    ("p384", "TraditionalOpenSSL", iana.KEY_P384, iana.ECDSA + iana.SHA2_256),
    ("ed25519", "PKCS8", iana.KEY_ED25519, iana.EDDSA + iana.HASH_IDENTITY),
]
every_form = pytest.mark.parametrize(("kind", "form", "number", "algorithm"), FORMS)


def private_bytes(kind, form):
    return key(kind).private_bytes(Encoding.DER, getattr(PrivateFormat, form), NoEncryption())


def public_bytes(kind):
    return key(kind).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@every_form
@pytest.mark.parametrize("provider", [Host, Soft])
def test_a_private_key_knows_its_public_key(provider, kind, form, number, algorithm):
    private = keys.parse_private(private_bytes(kind, form))
    assert private[0] == number
    public = provider().public_key(private, Fixed(None))
    assert keys.build_public(public) == public_bytes(kind)
    assert keys.parse_public(public_bytes(kind)) == public


@every_form
@pytest.mark.parametrize("provider", [Host, Soft])
def test_one_signs_and_the_other_verifies(provider, kind, form, number, algorithm):
    private = keys.parse_private(private_bytes(kind, form))
    signed = signatures.sign(provider(), algorithm, private, b"message", Fixed(None))
    public = keys.parse_public(public_bytes(kind))
    for other in (Host(), Soft()):
        assert signatures.verify(other, algorithm, public, b"message", signed) is True
        assert signatures.verify(other, algorithm, public, memoryview(b"massage"), memoryview(signed)) is False


@every_form
def test_a_wiped_buffer_leaves_no_key(kind, form, number, algorithm):
    """What is parsed are views: whoever owns the buffer can wipe it, and the key is gone."""
    data = bytearray(private_bytes(kind, form))
    private = keys.parse_private(data)
    assert any(any(part) for part in private[1:])
    data[:] = bytes(len(data))
    assert not any(any(part) for part in private[1:])


@pytest.mark.parametrize("kind", ["p224", "p521"])
def test_private_keys_that_we_do_not_use(kind):
    found = keys.parse_private(private_bytes(kind, "PKCS8"))
    assert (found is None) is (kind == "p224")
    for provider in (Host(), Soft()):
        if found:
            with pytest.raises(ValueError):
                provider.sign(iana.ECDSA + iana.SHA2_512, found, b"", Fixed(None))


def test_no_private_keys():
    good = private_bytes("p256", "PKCS8")
    for bad in (b"", good[:-1], good + b"\0", b"\x30\x00", b"\x30\x03\x02\x01\x00", public_bytes("p256")):
        with pytest.raises(Refusal):
            keys.parse_private(bad)


@pytest.mark.parametrize("identities", [(), ((iana.ID_FQDN, b"gw.example.org"), (iana.ID_IPV4_ADDR, bytes(4)))])
@every_form
@pytest.mark.parametrize("provider", [Host, Soft])
def test_a_request_is_one_for_openssl(provider, kind, form, number, algorithm, identities):
    private = keys.parse_private(private_bytes(kind, form))
    subject = name.parse("C=DE, O=Example, CN=gw")
    request = csr.build_request(provider(), algorithm, private, subject, identities, Fixed(None))
    found = x509.load_der_x509_csr(request)
    assert found.is_signature_valid
    assert found.subject.public_bytes() == subject
    assert found.public_key() == key(kind).public_key()
    if identities:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert [str(each.value) for each in names] == ["gw.example.org", "0.0.0.0"]
    else:
        assert not list(found.extensions)


def test_every_identifier_is_read_as_it_is_written():
    numbers = [scheme + sha for scheme in (iana.RSASSA_PKCS1, iana.RSASSA_PSS, iana.ECDSA) for sha in (2, 3, 4)]
    written = {number: signatures.build_identifier(number) for number in [*numbers, iana.EDDSA + iana.HASH_IDENTITY]}
    assert len(set(written.values())) == 10
    for number, data in written.items():
        assert signatures.parse(data) == number


# RFC 7427 appendix A: the very bytes.
PUBLISHED = {
    iana.RSASSA_PKCS1 + iana.SHA2_256: "300d06092a864886f70d01010b0500",
    iana.RSASSA_PKCS1 + iana.SHA2_384: "300d06092a864886f70d01010c0500",
    iana.RSASSA_PKCS1 + iana.SHA2_512: "300d06092a864886f70d01010d0500",
    iana.ECDSA + iana.SHA2_256: "300a06082a8648ce3d040302",
    iana.ECDSA + iana.SHA2_384: "300a06082a8648ce3d040303",
    iana.ECDSA + iana.SHA2_512: "300a06082a8648ce3d040304",
    iana.RSASSA_PSS + iana.SHA2_256: "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
    "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120",
}


@pytest.mark.parametrize("algorithm", PUBLISHED)
def test_identifiers_of_rfc_7427(algorithm):
    data = bytes.fromhex(PUBLISHED[algorithm])
    assert signatures.build_identifier(algorithm) == data and signatures.parse(data) == algorithm


@pytest.mark.parametrize(
    "data",
    [
        "300d06092a864886f70d0101050500",  # SHA-1 with RSA
        "300d06092a864886f70d0101040500",  # MD5 with RSA
        "300d06092a864886f70d01010e0500",  # SHA-224 with RSA
        "300906072a8648ce3d0401",  # SHA-1 with ECDSA
        "300a06082a8648ce3d040301",  # SHA-224 with ECDSA
        "300d06092a864886f70d01010a3000",  # PSS with its defaults: SHA-1
        "300b06092a864886f70d01010a",  # PSS without parameters: RFC 4055 has them required
        "300c06082a8648ce3d0403020500",  # ECDSA with NULL
        "300706032b65700500",  # Ed25519 with NULL
        "300506032b6571",  # Ed448
        "300d06096086480165030402010500",  # a hash
    ],
)
def test_algorithms_that_are_refused(data):
    assert signatures.parse(bytes.fromhex(data)) == 0
