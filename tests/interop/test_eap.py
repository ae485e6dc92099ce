"""EAP with a real strongSwan, in both roles: each method that the board has, and what a wrong password is called.

strongSwan serves GTC from XAuth's users, which are those of EAP.
"""

import subprocess

import pytest

from host_tools.peers.network import INNER, Namespaces
from host_tools.peers.strongswan import connection
from tests.interop import board as boards
from tests.interop.test_certificates import Party, without_psk
from tests.interop.tunnel import TOWARDS_US

PASSWORD = "correct horse"


@pytest.fixture
def server(gateway):
    return gateway


def arrange(server, tmp_path, method, kind="p256", password=PASSWORD, user="carol", more=""):
    """Configures both; returns the text of the board's file."""
    ca = Party(kind, "A CA")
    theirs = Party(kind, "gw.example", ca)
    server.credentials(x509=theirs.pem(), x509ca=ca.pem(), private=theirs.private())
    text = connection(auth="pubkey")
    at = text.index("remote {")
    theirs = text[at:].replace("auth = pubkey", f"auth = eap-{method}\n eap_id = %any", 1)
    text = text[:at] + theirs.replace("cacerts = test.pem", "", 1)
    server.configure(text + f'secrets {{ eap-1 {{ id = carol\n secret = "{PASSWORD}" }} }}\n')
    (tmp_path / "ca.pem").write_bytes(ca.pem())
    lines = more or 'cacerts = ["ca.pem"]\n'
    return without_psk(boards.initiator(lines + f'eap_id = "{user}"\neap_password = "{password}"\n'))


RUNS = [(runtime, method, "p256") for runtime in ("cpython", "vm") for method in ("mschapv2", "md5", "gtc")]


@pytest.mark.parametrize(("runtime", "method", "kind"), [*RUNS, ("cpython", "mschapv2", "rsa2048")])
def test_board_as_initiator(namespaces, server, tmp_path, runtime, method, kind):
    text = arrange(server, tmp_path, method, kind)
    words = ("--runtime", runtime, "--heap", "111k", "--ping", INNER, "--count", 3, "--interval", 0.1)
    with boards.Board(namespaces, tmp_path, text, *words) as board:
        board.wait_for("ping", 3)
        result = board.finish()
    assert result["status"] == 0 and result["pings"] == {"sent": 3, "answered": 3}
    assert f"EAP method EAP_{method.upper()} succeeded" in server.log()


def test_eap_only(namespaces, server, tmp_path):
    text = arrange(server, tmp_path, "mschapv2", more="eap_only = true\n")
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython", "--ping", INNER, "--count", 1) as board:
        board.wait_for("ping", 1)
        result = board.finish()
    assert result["status"] == 0 and "EAP method EAP_MSCHAPV2 succeeded" in server.log()


REFUSED = {
    "wrong password": ("EAP_FAILED", {"method": "mschapv2", "password": "wrong horse"}),
    "wrong password, MD5": ("EAP_FAILED", {"method": "md5", "password": "wrong horse"}),
    "wrong password, GTC": ("EAP_FAILED", {"method": "gtc", "password": "wrong horse"}),
    "unknown user": ("EAP_FAILED", {"method": "mschapv2", "user": "dave"}),
    "a method that we do not take": (
        "EAP_METHOD_REFUSED",
        {"method": "md5", "more": 'cacerts = ["ca.pem"]\neap_methods = ["mschapv2"]\n'},
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused(namespaces, server, tmp_path, why):
    expected, changes = REFUSED[why]
    text = arrange(server, tmp_path, **changes)
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython") as board:
        result = board.wait_for_end()
    assert result["status"] == 1 and not result["established"]
    assert result["failure"]["reason"] == expected


# -- the board asks --------------------------------------------------------------------------------------------------


def asked(server, tmp_path, runtime="cpython", methods='"mschapv2", "md5"', user="carol", password=PASSWORD, only=""):
    """What a board that asks makes of strongSwan, which proves itself by a password; `only` is its one method."""
    ca = Party("p256", "A CA")
    board = Party("p256", "dev.example", ca)
    server.credentials(x509ca=ca.pem())
    text = connection(auth="psk", local_id="laptop.example", **TOWARDS_US)
    local, remote = text.index("local {"), text.index("remote {")
    ours = text[local:remote].replace("auth = psk", f"auth = eap{only}\n eap_id = {user}", 1)
    theirs = text[remote:].replace("auth = psk", "auth = pubkey\n cacerts = test.pem", 1)
    secrets = f'secrets {{ eap-1 {{ id = {user}\n secret = "{password}" }} }}\n'
    server.configure(text[:local] + ours + theirs + secrets)
    for name, data in (("cert", board.pem()), ("key", board.private())):
        (tmp_path / f"{name}.pem").write_bytes(data)
    more = f'cert = ["cert.pem"]\nkey = "key.pem"\neap_methods = [{methods}]\n'
    more += f'[connection.branch.eap_users]\nalice = "0x616263"\ncarol = "{PASSWORD}"\n'
    configuration = without_psk(boards.responder(more, remote_id="%any"))
    words = ("--runtime", runtime, "--heap", "111k")
    with boards.Board(server.namespaces, tmp_path, configuration, *words) as running:
        running.wait_for("greeting")
        if "completed successfully" in server.swanctl("--initiate", "--child", "net", "--timeout", "20", check=False):
            ping = ("ping", "-q", "-c", "3", "-i", "0.1", "-W", "5", "10.2.0.1")
            command = Namespaces.command(server.namespaces.gateway, *ping)
            assert "3 received" in subprocess.run(command, capture_output=True, text=True, check=False).stdout
        else:
            running.wait_for("closed")
        return running.finish()


ASKED = [("cpython", "mschapv2"), ("cpython", "md5"), ("vm", "mschapv2")]


@pytest.mark.parametrize(("runtime", "method"), ASKED)
def test_board_as_responder(server, tmp_path, runtime, method):
    result = asked(server, tmp_path, runtime, f'"{method}"')
    assert result["established"] and result["failure"] is None
    assert f"EAP method EAP_{method.upper()} succeeded" in server.log()


def test_strongswan_takes_another_method(server, tmp_path):
    """It is offered MS-CHAPv2, and says that it wants MD5."""
    assert asked(server, tmp_path, only="-md5")["established"]
    assert "EAP method EAP_MD5 succeeded" in server.log()


WRONG = {
    "wrong password": ("EAP_WRONG_PASSWORD", {"password": "wrong horse"}),
    "wrong password, MD5": ("EAP_WRONG_PASSWORD", {"password": "wrong horse", "methods": '"md5"'}),
    "unknown user": ("EAP_UNKNOWN_USER", {"user": "dave"}),
    "no method in common": ("EAP_METHODS_REFUSED_BY_PEER", {"only": "-md5", "methods": '"mschapv2"'}),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_the_board_refuses(server, tmp_path, why):
    expected, changes = WRONG[why]
    result = asked(server, tmp_path, **changes)
    assert not result["established"] and result["failure"]["reason"] == expected
