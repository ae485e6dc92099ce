"""Certificates and keys of a configuration file: file names become base64 of DER, which is what a device stores."""

from base64 import b64decode, b64encode
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from uike import iana
from uike.wire import cert

_DER = serialization.Encoding.DER
_ON_THE_DEVICE = "device"  # a key that is made there: no file


class CertificateFileError(Exception):
    """A file is missing, or not what it should be; the text names it."""


def embed(table: dict, directory: Path) -> dict:
    """A connection's table with the contents of the files that `cert`, `key`, `cacerts` and `crls` name. A public key
    in PEM may stand for certificates (RFC 7670)."""
    found = dict(table)
    for key in ("cert", "cacerts"):
        if key in table:
            names = table[key] if isinstance(table[key], list) else [table[key]]
            found[key] = [text for name in names for text in _certificates(name, directory)]
    if "crls" in table:
        names = table["crls"] if isinstance(table["crls"], list) else [table["crls"]]
        found["crls"] = [_crl(name, directory) for name in names]
    if table.get("key", _ON_THE_DEVICE) != _ON_THE_DEVICE:
        found["key"] = _key(table["key"], directory)
    if "cert" in found and found.get("key", _ON_THE_DEVICE) != _ON_THE_DEVICE:
        _check_pair(found, table)
    return found


def _read(name, directory):
    if not isinstance(name, str):
        raise CertificateFileError(f"{name!r}: not a file name")
    path = directory / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateFileError(f"{path}: {error.strerror or error}") from error


def _certificates(name, directory):
    data = _read(name, directory)
    if b"-----BEGIN PUBLIC KEY" in data:
        return [_public_key(data, directory / name)]
    try:
        if b"-----BEGIN" in data:
            found = x509.load_pem_x509_certificates(data)
        else:
            found = [x509.load_der_x509_certificate(data)]
    except ValueError:
        raise CertificateFileError(f"{directory / name}: no certificate in PEM or DER") from None
    return [b64encode(each.public_bytes(_DER)).decode() for each in found]


def _public_key(data, path):
    try:
        return b64encode(_spki(serialization.load_pem_public_key(data))).decode()
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateFileError(f"{path}: no public key in PEM") from None


def _spki(key):
    return key.public_bytes(_DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _crl(name, directory):
    data = _read(name, directory)
    try:
        load = x509.load_pem_x509_crl if b"-----BEGIN" in data else x509.load_der_x509_crl
        return b64encode(load(data).public_bytes(_DER)).decode()
    except ValueError:
        raise CertificateFileError(f"{directory / name}: no revocation list in PEM or DER") from None


def _key(name, directory):
    data = _read(name, directory)
    load = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        key = load(data, None)
    except (ValueError, TypeError):  # the text of the error may hold parts of the file
        raise CertificateFileError(f"{directory / name}: no private key in PEM or DER, or an encrypted one") from None
    plain = key.private_bytes(_DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return b64encode(plain).decode()


def _check_pair(found, table):
    shown = b64decode(found["cert"][0])
    if cert.encoding(shown) == iana.CERT_X509_SIGNATURE:
        shown = _spki(x509.load_der_x509_certificate(shown).public_key())
    key = serialization.load_der_private_key(b64decode(found["key"]), None)
    if shown != _spki(key.public_key()):
        raise CertificateFileError(f"the key {table['key']} is not that of the certificate {table['cert']}")
