"""`uike from-pkcs12`: key, certificate and CAs from a PKCS #12 file (.p12, .pfx), for a configuration."""

import rich_click as click
from cryptography.hazmat.primitives.serialization import pkcs12

from host_tools import arguments, credential_import


def read(file, password):
    """Take key, certificate, intermediates and CA from a PKCS #12 file (.p12, .pfx), and write what a board wants.

    The lines of the configuration are printed; the key's file is for your eyes alone.

    Example: UIKE_PASSWORD=... uike from-pkcs12 gw.p12 --name gw
    """
    try:
        key, own, others = pkcs12.load_key_and_certificates(file.read_bytes(), (password or "").encode() or None)
    except ValueError:  # what it says may hold parts of the file
        raise credential_import.NotUsable(f"{file}: no PKCS #12 file, or another --password") from None
    return key, [each for each in (own, *others) if each]


command = click.command()(click.argument("file", type=arguments.FILE)(credential_import.command_of(read)))
