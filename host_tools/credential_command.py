"""`uike provision csr` and `cert`: a key that is made on the board, and the certificate that a CA gives for it.

The board's side is `firmware/uike/app/carry.py` and `credentials.py`. The key never comes here.
"""

import contextlib
import json
from base64 import b64decode

import rich_click as click
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from host_tools import admin, arguments, board_command
from host_tools.authority import Authority, der
from host_tools.link import CommandError

_CLOSING_S = 3.0  # until the peers have answered
_NO_MEMORY = "not enough memory"
_PEM = serialization.Encoding.PEM
_restart_option = click.option(
    "--restart/--no-restart", default=True, help="Use what was installed at once.  [default: restart]"
)


@click.command()
@click.option("--subject", required=True, metavar="NAME", help="Such as C=DE, O=Example, CN=gw.")
@click.option("--name", "names", multiple=True, metavar="ID", help="Host name, address or e-mail; as often as wanted.")
@click.option("--kind", type=click.Choice(["p256", "ed25519"]), default="p256", help="Of the key.  [default: p256]")
@click.option(
    "--ca", nargs=2, type=arguments.FILE, metavar="CERT KEY", help="Sign it here with these (PEM), and install that."
)
@click.option("-o", "--output", type=arguments.OUTPUT, metavar="OUT", help="[default: stdout]")
@_restart_option
@board_command.admin_option
@board_command.on_board
def csr(port, as_json, subject, names, kind, ca, output, restart, secret):
    """Let a board make a key, and a request for its certificate.

    The request (PKCS #10, PEM) is for your CA; what that gives, `uike provision cert` installs. With --ca both are done
    at once, and OUT gets the certificate. Connections with key = "device" use it.

    Example: uike provision csr --subject "C=DE, O=Example, CN=gw" --name gw.example -o gw.csr
    """
    authority = _authority(*ca) if ca else None
    asked = json.dumps({"subject": subject, "names": names, "kind": kind}).encode()
    with _asking(port, secret, restart) as ask:
        board_command.progress("the board makes a key and signs with it")
        answer = ask("csr", asked)
        request = x509.load_der_x509_csr(b64decode(answer["csr"]))
        if not request.is_signature_valid:
            raise board_command.Failed("the request's signature is wrong: ask again")
        made = request
        if authority:
            made = authority.answer(request)
            _install(ask, [made, *_sent_along(authority.certificate)])
    text = made.public_bytes(_PEM).decode()
    if output:
        output.write_text(text)
    result = {"subject": made.subject.rfc4514_string(), "names": list(names), "kind": kind, "port": port}
    done = f"{'installed' if ca else 'a request'}: {result['subject']}{' for ' if names else ''}{', '.join(names)}"
    shown = [f"{done}, in {output}"] if output else [done] if ca else [text.rstrip()]
    board_command.emit(as_json, {**result, "installed": bool(ca), "pem": text}, shown)


@click.command()
@click.option(
    "--cert", "path", type=arguments.FILE, required=True, metavar="FILE", help="PEM: its own, then its issuers."
)
@_restart_option
@board_command.admin_option
@board_command.on_board
def cert(port, as_json, path, restart, secret):
    """Install the certificate that a CA made of the board's request.

    The board takes it if it is for its key and leads to one of the cacerts of its connections.

    Example: uike provision cert --cert gw.pem
    """
    chain = _loaded(path)
    with _asking(port, secret, restart) as ask:
        count = _install(ask, chain)
    own = chain[0].subject.rfc4514_string()
    result = {"installed": count, "subject": own, "until": chain[0].not_valid_after_utc.isoformat(), "port": port}
    board_command.emit(as_json, result, [f"installed: {own}, good until {result['until']}; certificates: {count}"])


def _install(ask, chain):
    """Gives a board its chain; how many certificates it took."""
    return ask("cert", b"".join(map(der, chain)))["installed"]


@contextlib.contextmanager
def _asking(port, secret, restart):
    """A function of verb and body, that returns the board's answer. Where it has no room for it beside its tunnels they
    are closed. In the end it restarts, if they were or if a certificate was installed: that needs a heap in order."""
    closed = installed = False

    def ask(verb, body):
        nonlocal closed, installed
        try:
            answer = link.request(admin.prove(link, {"do": verb}, body, secret), body)
            installed = installed or verb == "cert"
            return answer
        except CommandError as error:
            if str(error) != _NO_MEMORY:
                raise
        if closed:
            raise board_command.Failed("the board has not enough memory for it, even without its tunnels")
        board_command.say("the board has no room for it beside its tunnels: they are closed, and it restarts after it")
        link.request({"do": "close"})
        link.listen(_CLOSING_S)
        closed = True
        return ask(verb, body)

    with board_command.linked(port) as link:
        try:
            yield ask
        finally:
            if closed or installed and restart:
                board_command.start_again(link)


def _sent_along(certificate):
    """An issuer that is no root: the peer may not know it."""
    return [certificate] if certificate.issuer != certificate.subject else []


def _loaded(path):
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError:
        raise board_command.Failed(f"{path}: no certificates in PEM", board_command.WRONG_USE) from None


def _authority(path, key_path):
    certificate = _loaded(path)[0]
    try:
        private = serialization.load_pem_private_key(key_path.read_bytes(), None)
    except (ValueError, TypeError):  # the text of the error may hold parts of the file
        raise board_command.Failed(f"{key_path}: no key in PEM without a password", board_command.WRONG_USE) from None
    if private.public_key() != certificate.public_key():
        raise board_command.Failed(f"{key_path} is not the key of {path}", board_command.WRONG_USE)
    return Authority(certificate=certificate, private=private)
