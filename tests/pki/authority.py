"""Certificates for tests, made by `cryptography`: an `Authority` issues them, and revocation lists, as told."""

import datetime
import functools
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.x509.oid import NameOID

from tests.crypto import cases
from uike.pki.certificate import Certificate

T0 = 1_800_000_000  # seconds since 1970 when everything was issued
DAY = 86_400
DER = serialization.Encoding.DER


@functools.cache
def key(kind, number=0):
    """A private key, the same in every run; RSA has one of each size."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number + 1]) * 32)
    if kind.startswith("rsa"):
        group, _ = next(cases.wycheproof(f"Signature/wycheproof/rsa_pkcs1_{kind[3:]}_sig_gen_test.json"))
        return serialization.load_der_private_key(bytes.fromhex(group["privateKeyPkcs8"]), None)
    curve = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1, "p224": ec.SECP224R1}[kind]()
    return ec.derive_private_key(1_000_003 + number, curve)


def name(text):
    words = {"C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME}
    pairs = [part.split("=") for part in text.split(", ")] if text else []
    return x509.Name([x509.NameAttribute(words[word], value) for word, value in pairs])


def when(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def usage(*names):
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    )
    return x509.KeyUsage(**{each: each in names for each in every.split()}, encipher_only=False, decipher_only=False)


def alt_names(*values):
    """example.org, user@example.org, 192.0.2.1"""
    found = []
    for value in values:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(value)))
        except ValueError:
            found.append(x509.RFC822Name(value) if "@" in value else x509.DNSName(value))
    return x509.SubjectAlternativeName(found)


def _signed(builder, private, sha, pss):
    algorithm = None if isinstance(private, ed25519.Ed25519PrivateKey) else sha
    pads = padding.PSS(padding.MGF1(sha), sha.digest_size) if pss else None
    deterministic = isinstance(private, ec.EllipticCurvePrivateKey) or None
    return builder.sign(private, algorithm, rsa_padding=pads, ecdsa_deterministic=deterministic)


def issue(
    subject,
    public,
    issuer,
    private,
    extensions=(),
    critical=(),
    start=T0,
    days=365,
    serial=1,
    sha=None,
    pss=False,
):
    """The DER of a certificate. extensions and critical ones are of `cryptography`."""
    builder = x509.CertificateBuilder(
        name(issuer), name(subject), public, serial, when(start), when(start + days * DAY)
    )
    for extension in critical:
        builder = builder.add_extension(extension, True)
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    return _signed(builder, private, sha or hashes.SHA256(), pss).public_bytes(DER)


class Authority:
    """A CA: its own certificate is signed by `above`, another one, or by itself."""

    def __init__(self, text="C=DE, O=Example, CN=Root", above=None, kind="p256", number=0, path_len=None, **options):
        self.text = text
        self.private = key(kind, number)
        issuer = above or self
        options.setdefault("critical", [x509.BasicConstraints(True, path_len), usage("key_cert_sign", "crl_sign")])
        self.der = issue(text, self.private.public_key(), issuer.text, issuer.private, **options)
        self.certificate = Certificate(self.der)

    def issue(self, text="C=DE, O=Example, CN=gw", kind="p256", number=100, names=("gw.example.org",), **options):
        """The DER of a peer's certificate."""
        options.setdefault("critical", [usage("digital_signature")])
        options.setdefault("extensions", [alt_names(*names)] if names else [])
        return issue(text, key(kind, number).public_key(), self.text, self.private, **options)

    def certify(self, *arguments, **options):
        return Certificate(self.issue(*arguments, **options))

    def revoke(self, *serials, start=T0, days=30, private=None, extensions=(), entry_extensions=()):
        """The DER of a revocation list."""
        builder = x509.CertificateRevocationListBuilder(name(self.text), when(start), when(start + days * DAY))
        for serial in serials:
            entry = x509.RevokedCertificateBuilder(serial, when(start - DAY))
            for extension, critical in entry_extensions:
                entry = entry.add_extension(extension, critical)
            builder = builder.add_revoked_certificate(entry.build())
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return _signed(builder, private or self.private, hashes.SHA256(), False).public_bytes(DER)
