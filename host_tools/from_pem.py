"""`uike from-pem`: key, certificate and CAs from PEM files of whatever order, for a configuration."""

import re

import rich_click as click
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from host_tools import arguments, credential_import

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


def read(files, password):
    """Take key, certificate, intermediates and CA from PEM files, in whatever order, and write what a board wants.

    The lines of the configuration are printed; the key's file is for your eyes alone.

    Example: uike from-pem bundle.pem ca.pem --name gw
    """
    keys, certificates = [], []
    for path in files:
        for block in _BLOCK.finditer(path.read_bytes()):
            _take(block, path, password, keys, certificates)
    if len(keys) > 1:
        raise credential_import.NotUsable(f"{len(keys)} private keys: a board has one")
    return keys[0] if keys else None, certificates


def _take(block, path, password, keys, certificates):
    kind, data = block[1], block[0]
    try:
        if kind.endswith(b"PRIVATE KEY"):
            secret = password.encode() if password and b"ENCRYPTED" in data else None
            keys.append(serialization.load_pem_private_key(data, secret))
        elif kind == b"CERTIFICATE":
            certificates.append(x509.load_pem_x509_certificate(data))
    except (ValueError, TypeError):  # what they say may hold parts of the file
        what = "a private key that is broken, or encrypted: --password" if kind != b"CERTIFICATE" else "no certificate"
        raise credential_import.NotUsable(f"{path}: {what}") from None


command = click.command()(
    click.argument("files", type=arguments.FILE, nargs=-1, required=True)(credential_import.command_of(read))
)
