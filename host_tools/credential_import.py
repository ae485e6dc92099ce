"""What people have already, key and certificates in one bundle, as the files that a configuration names."""

import os
from pathlib import Path
from typing import NamedTuple

import rich_click as click
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from uike import identity
from uike.pki.identity import match as same

WRONG_USE = 2
_PEM = serialization.Encoding.PEM
_SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


class NotUsable(Exception):
    """The bundle is not what a board can use; the text says what is missing."""


class Bundle(NamedTuple):
    """`own` is the key's certificate, `between` lead from it to a root, in order; `roots` sign themselves."""

    key: object
    own: x509.Certificate
    between: list
    roots: list


def sort(key, certificates: list) -> Bundle:
    """A bundle of certificates in whatever order. Raises NotUsable."""
    if key is None:
        raise NotUsable("no private key in it: give its file as well")
    public = key.public_key().public_bytes(_PEM, _SPKI)
    own = [each for each in certificates if each.public_key().public_bytes(_PEM, _SPKI) == public]
    if not own:
        raise NotUsable(f"none of {len(certificates)} certificates in it is of that private key")
    others = [each for each in certificates if each not in own]
    roots = [each for each in others if each.issuer == each.subject]
    between, last = [], own[0]
    while True:
        above = [each for each in others if each.subject == last.issuer and each not in roots + between]
        if not above:
            return Bundle(key, own[0], between, roots)
        last = above[0]
        between.append(last)


def names(certificate: x509.Certificate) -> list[str]:
    """The identities that a peer can know a certificate by, the likeliest first, as a configuration writes them."""
    found = []
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for kind in (x509.DNSName, x509.RFC822Name, x509.IPAddress):
            found += [str(each) for each in extension.get_values_for_type(kind)]
    except x509.ExtensionNotFound:
        pass
    subject = ", ".join(part.rfc4514_string() for rdn in certificate.subject.rdns for part in rdn)
    try:
        written = identity.parse(subject)
        if written and same(*written, written[0], certificate.subject.public_bytes(), False):
            found.append(subject)
    except ValueError:
        pass  # a name that a configuration cannot write
    return found


def write(bundle: Bundle, folder: Path, stem: str) -> list[str]:
    """Makes the files, the key's readable by their owner alone, and returns the lines of the configuration.

    Raises NotUsable rather than write over a file."""
    private = bundle.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain = b"".join(each.public_bytes(_PEM) for each in (bundle.own, *bundle.between))
    roots = b"".join(each.public_bytes(_PEM) for each in bundle.roots)
    parts = {"cert": (f"{stem}.pem", chain, 0o644), "key": (f"{stem}.key", private, 0o600)}
    if roots:
        parts["cacerts"] = (f"{stem}-ca.pem", roots, 0o644)
    taken = [name for name, _, _ in parts.values() if (folder / name).exists()]
    if taken:
        raise NotUsable(f"{folder / taken[0]} is there already: choose another --name")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data, mode in parts.values():
        with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
    known = names(bundle.own)
    lines = [f'local_id = "{known[0]}"'] if known else []
    for key, (name, _, _) in parts.items():
        lines.append(f'{key} = "{name}"' if key == "key" else f'{key} = ["{name}"]')
    return lines


def command_of(read):
    """A command whose `read(options)` gives a key and a list of certificates."""

    @click.option(
        "-d",
        "--directory",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=".",
        metavar="DIR",
        help="Where the files go. [default: here]",
    )
    @click.option(
        "--name", "stem", default="board", show_default=True, metavar="NAME", help="What their names begin with."
    )
    @click.option("--password", envvar="UIKE_PASSWORD", metavar="TEXT", help="Of the key; better in UIKE_PASSWORD.")
    @click.pass_context
    def command(context, folder, stem, **options):
        try:
            bundle = sort(*read(**options))
            lines = write(bundle, folder, stem)
        except (NotUsable, OSError) as error:
            click.echo(f"uike {context.info_name}: {error}", err=True)
            context.exit(WRONG_USE)
        for each in names(bundle.own)[1:]:
            click.echo(f"uike {context.info_name}: local_id may also be {each}", err=True)
        if not bundle.roots:
            click.echo(f"uike {context.info_name}: no root in it: cacerts is to name the CA of the gateway", err=True)
        for line in lines:
            click.echo(line)

    command.__doc__ = read.__doc__
    return command
