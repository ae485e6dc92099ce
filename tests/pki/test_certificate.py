"""Certificates taken apart: field by field what `cryptography` finds in them."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.pki.authority import DER, T0, Authority, alt_names, issue, key, usage
from uike import iana, reason
from uike.pki import identity
from uike.pki import key as keys
from uike.pki import signature as signatures
from uike.pki.certificate import Certificate
from uike.wire.refusal import Refusal

SHA2 = [(hashes.SHA256(), iana.SHA2_256), (hashes.SHA384(), iana.SHA2_384), (hashes.SHA512(), iana.SHA2_512)]


@pytest.mark.parametrize(("sha", "number"), SHA2)
@pytest.mark.parametrize(
    ("kind", "pss", "scheme"),
    [
        ("rsa2048", False, iana.RSASSA_PKCS1),
        ("rsa2048", True, iana.RSASSA_PSS),
        ("rsa4096", False, iana.RSASSA_PKCS1),
        ("p256", False, iana.ECDSA),
        ("p384", False, iana.ECDSA),
        ("p521", False, iana.ECDSA),
        ("ed25519", False, iana.EDDSA),
    ],
)
def test_field_by_field(kind, pss, scheme, sha, number):
    private = key(kind)
    text = "C=DE, O=Ex\u00e4mple, CN=Root"
    der = issue(text, private.public_key(), text, private, serial=2**63 + 5, sha=sha, pss=pss, days=9000)
    theirs, ours = x509.load_der_x509_certificate(der), Certificate(der)
    assert ours.raw == der and ours.tbs == theirs.tbs_certificate_bytes
    assert int.from_bytes(ours.serial, "big") == theirs.serial_number
    assert ours.issuer == theirs.issuer.public_bytes() and ours.subject == theirs.subject.public_bytes()
    assert ours.not_before == T0 == int(theirs.not_valid_before_utc.timestamp())
    assert ours.not_after == int(theirs.not_valid_after_utc.timestamp()) > 1 << 31
    assert ours.signature == theirs.signature
    assert ours.algorithm == scheme + (iana.HASH_IDENTITY if kind == "ed25519" else number)
    assert signatures.build_identifier(ours.algorithm) in der
    assert ours.spki == keys.build_public(ours.key())
    assert (ours.ca, ours.path_len, ours.key_usage, ours.purposes) == (False, None, 0xFF, None)
    assert (ours.critical, ours.constrained, ours.alt_names) == (None, False, b"")


@pytest.mark.parametrize("path_len", [None, 0, 1, 300])
def test_basic_constraints(path_len):
    found = Authority(path_len=path_len).certificate
    assert found.ca is True and found.path_len == path_len
    assert Authority(critical=[x509.BasicConstraints(False, None)]).certificate.ca is False


def test_key_usage():
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    )
    for place, each in enumerate(names.split()):
        assert Authority(critical=[usage(each)]).certificate.key_usage == 0x80 >> place
    assert iana.KU_KEY_CERT_SIGN == 0x80 >> 5


def test_purposes():
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CODE_SIGNING]
    found = Authority().certify(extensions=[x509.ExtendedKeyUsage(purposes)])
    assert found.purposes == [bytes.fromhex("2b06010505070301"), bytes.fromhex("2b06010505070303")]


def test_identities():
    names = ("gw.example.org", "user@example.org", "192.0.2.1", "2001:db8::1")
    general = list(alt_names(*names)) + [x509.UniformResourceIdentifier("https://example.org")]
    found = Authority().certify(extensions=[x509.SubjectAlternativeName(general)])
    assert [(kind, bytes(data)) for kind, data in identity.borne(found)] == [
        (iana.ID_DER_ASN1_DN, bytes(found.subject)),
        (iana.ID_FQDN, b"gw.example.org"),
        (iana.ID_RFC822_ADDR, b"user@example.org"),
        (iana.ID_IPV4_ADDR, bytes([192, 0, 2, 1])),
        (iana.ID_IPV6_ADDR, bytes.fromhex("20010db8" + "00" * 11 + "01")),
    ]
    assert not list(identity.borne(Authority().certify(text="", names=())))


def test_critical_extensions_that_we_do_not_know():
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0")
    assert Authority().certify(extensions=[unknown]).critical is None
    assert Authority().certify(critical=[unknown]).critical == bytes.fromhex("2b06010401868d1f01")


def test_name_constraints():
    limits = x509.NameConstraints([x509.DNSName("example.org")], None)
    assert Authority(critical=[limits]).certificate.constrained is True
    assert Authority(critical=[limits]).certificate.critical is None


def test_times_to_the_second():
    for moment in (
        0,
        951_782_399,
        951_782_400,
        1_709_164_800,
        2_524_607_999,
        2_524_608_000,
        4_107_542_399,
        4_107_542_400,
    ):
        der = issue("CN=a", key("p256").public_key(), "CN=a", key("p256"), start=moment, days=1)
        theirs = x509.load_der_x509_certificate(der)
        assert int(theirs.not_valid_before_utc.timestamp()) == Certificate(der).not_before == moment


def test_sha1_and_strange_curves_have_no_number():
    der = issue("CN=a", key("p224").public_key(), "CN=a", key("rsa2048"))
    assert Certificate(der).key() is None
    sha1 = der.replace(bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105"))
    assert Certificate(sha1).algorithm == 0


def test_inner_and_outer_algorithm_are_the_same():
    der = issue("CN=a", key("p256").public_key(), "CN=a", key("p256"))
    oid = bytes.fromhex("2a8648ce3d040302")
    at = der.rindex(oid)
    with pytest.raises(Refusal) as caught:
        Certificate(der[:at] + oid[:-1] + b"\3" + der[at + len(oid) :])
    assert caught.value.reason == reason.BAD_CERTIFICATE and caught.value.notify == iana.AUTHENTICATION_FAILED


def test_an_extension_twice():
    first = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0")
    second = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.2"), b"\5\0")
    der = Authority().issue(extensions=[first, second])
    with pytest.raises(Refusal) as caught:
        Certificate(der.replace(bytes.fromhex("2b06010401868d1f02"), bytes.fromhex("2b06010401868d1f01")))
    assert caught.value.reason == reason.BAD_CERTIFICATE


def test_certreq():
    """SHA-1 of the whole SubjectPublicKeyInfo, not only of the key in it (RFC 7296 section 3.7)."""
    from cryptography.hazmat.primitives.serialization import PublicFormat

    from uike.hal.cpython.crypto import Provider

    public = key("p256").public_key().public_bytes(DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA1())
    digest.update(public)
    assert keys.identifier(Provider(), Authority().certificate.spki) == digest.finalize()
