"""A certificate authority for labs and measurements: a root of its own, and certificates for what it is shown.

Nothing here guards the root's key: a real one does not live on the PC beside the boards.
"""

import datetime
import ipaddress
from base64 import b64encode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

DAYS = 3650  # a lab's certificates outlive the lab
KINDS = ("p256", "rsa2048", "ed25519")
_DER = serialization.Encoding.DER


def private_key(kind: str):
    """A new private key: one of `KINDS`."""
    if kind == "rsa2048":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def der(thing) -> bytes:
    """The DER of a certificate, or of a private key in PKCS #8."""
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(_DER)
    return thing.private_bytes(_DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(identity):
    """subjectAltName of an identity: an address, user@example.org, or gw.example.org."""
    try:
        found = x509.IPAddress(ipaddress.ip_address(identity))
    except ValueError:
        found = x509.RFC822Name(identity) if "@" in identity else x509.DNSName(identity)
    return x509.SubjectAlternativeName([found])


def _usage(authority):
    names = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign"
    )
    wanted = ("key_cert_sign", "crl_sign") if authority else ("digital_signature",)
    return x509.KeyUsage(**{name: name in wanted for name in names.split()}, encipher_only=False, decipher_only=False)


class Authority:
    """A root with a new key, or the one of a certificate and its key. `certificate` is of `cryptography`."""

    def __init__(self, kind: str = "p256", name: str = "uike lab", *, certificate=None, private=None):
        self._private = private or private_key(kind)
        if not certificate:
            issuer, public = _name(name), self._private.public_key()
            builder = self._builder(issuer, issuer, public, x509.BasicConstraints(True, 0), _usage(True))
            certificate = builder.sign(self._private, self._hash())
        self.certificate = certificate

    def issue(self, identity: str, public, subject: x509.Name | None = None) -> x509.Certificate:
        """A certificate for the holder of a public key, with the identity as its subjectAltName."""
        issuer, subject = self.certificate.subject, subject or _name(identity)
        builder = self._builder(issuer, subject, public, x509.BasicConstraints(False, None), _usage(False))
        return builder.add_extension(_alternative(identity), False).sign(self._private, self._hash())

    def answer(self, request: x509.CertificateSigningRequest) -> x509.Certificate:
        """A certificate for what a request (PKCS #10) asks: its subject, key and subjectAltName, nothing else."""
        issuer, public = self.certificate.subject, request.public_key()
        builder = self._builder(issuer, request.subject, public, x509.BasicConstraints(False, None), _usage(False))
        try:
            names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            builder = builder.add_extension(names.value, False)
        except x509.ExtensionNotFound:
            pass  # its subject is its identity
        return builder.sign(self._private, self._hash())

    def _builder(self, issuer, subject, public, constraints, usage):
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=DAYS))
        return builder.add_extension(constraints, True).add_extension(usage, True)

    def _hash(self):
        return None if isinstance(self._private, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def credentials(kind: str, *identities: str) -> list[dict]:
    """What connections of these identities need to know each other by certificates of one new root: `cert`, `key` and
    `cacerts` as a device has them, in base64. No clock is asked."""
    authority = Authority(kind)
    trusted = [b64encode(der(authority.certificate)).decode()]
    found = []
    for identity in identities:
        private = private_key(kind)
        certificate = authority.issue(identity, private.public_key())
        own, secret = (b64encode(der(each)).decode() for each in (certificate, private))
        found.append({"cert": [own], "key": secret, "cacerts": trusted, "require_time": False})
    return found
