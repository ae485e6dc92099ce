"""Raw public keys with a real strongSwan: each side has the other's, nobody has a certificate.

strongSwan 5.9 knows the payloads of RFC 7670 not at all and sends none; it does not stumble over ours.
"""

import pytest
from cryptography.hazmat.primitives import serialization

from host_tools.peers.network import INNER
from host_tools.peers.strongswan import connection
from tests.interop import board as boards
from tests.interop.test_certificates import KEYS, PEM, without_psk
from tests.interop.test_suites import check_counters
from tests.interop.tunnel import TOWARDS_US

SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PKCS8 = serialization.PrivateFormat.PKCS8


def public(key):
    return key.public_key().public_bytes(PEM, SPKI)


def private(key):
    return key.private_bytes(PEM, PKCS8, serialization.NoEncryption())


def arrange(gateway, tmp_path, kind, role, known=None):
    """Configures both; returns the text of the board's file. `known` is the key that the board takes for the gateway's."""
    ours, theirs = KEYS[kind](), KEYS[kind]()
    gateway.credentials(private=private(theirs))
    folder = gateway.directory / "pubkey"
    folder.mkdir(exist_ok=True)
    (folder / "dev.pem").write_bytes(public(ours))
    (folder / "gw.pem").write_bytes(public(theirs))
    text = connection(auth="pubkey", **(TOWARDS_US if role == "responder" else {}))
    text = text.replace("cacerts = test.pem", "pubkeys = dev.pem")
    gateway.configure(text.replace("certs = test.pem", "pubkeys = gw.pem"))
    for name, data in (("gw.pem", public(known or theirs)), ("dev.pem", public(ours)), ("dev.key", private(ours))):
        (tmp_path / name).write_bytes(data)
    make = {"initiator": boards.initiator, "responder": boards.responder}[role]
    return without_psk(make('cert = ["dev.pem"]\nkey = "dev.key"\ncacerts = ["gw.pem"]\n'))


@pytest.mark.parametrize(("runtime", "kind"), [("cpython", "ed25519"), ("cpython", "rsa2048"), ("vm", "p256")])
def test_board_as_initiator(namespaces, gateway, tmp_path, runtime, kind):
    text = arrange(gateway, tmp_path, kind, "initiator")
    words = ("--runtime", runtime, "--heap", "111k", "--ping", INNER, "--count", 3, "--interval", 0.1)
    with boards.Board(namespaces, tmp_path, text, *words) as board:
        board.wait_for("ping", 3)
        check_counters(gateway, 3)
        result = board.finish()
    assert result["status"] == 0 and result["pings"] == {"sent": 3, "answered": 3}


@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_board_as_responder(namespaces, gateway, tmp_path, runtime):
    text = arrange(gateway, tmp_path, "p256", "responder")
    with boards.Board(namespaces, tmp_path, text, "--runtime", runtime, "--heap", "111k") as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        board.wait_for("child_up")
        result = board.finish()
    assert result["established"] and result["failure"] is None, result


def test_another_key_than_the_one_that_is_known(namespaces, gateway, tmp_path):
    text = arrange(gateway, tmp_path, "p256", "initiator", known=KEYS["p256"]())
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython") as board:
        result = board.wait_for_end()
    assert result["status"] == 1 and result["failure"]["reason"] == "SIGNATURE_DIFFERS"
