"""REDIRECT (RFC 5685) with a real strongSwan: it follows us, and we follow it."""

import subprocess
from contextlib import contextmanager

import pytest

from host_tools.peers.strongswan import connection
from tests.interop import board as boards
from tests.interop.test_children import ping
from tests.interop.tunnel import TOWARDS_US, Tunnel

SECOND = {"board": "192.0.2.3", "gateway": "192.0.2.4"}
LINKS = {"board": "dev0", "gateway": "gw0"}


@contextmanager
def second_address(namespaces, who):
    """One more address of the board's or strongSwan's on the link between them."""
    words = ("ip", "-n", getattr(namespaces, who), "address")
    where = (f"{SECOND[who]}/24", "dev", LINKS[who])
    subprocess.run([*words, "add", *where], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([*words, "delete", *where], check=True, capture_output=True)


@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_strongswan_follows_us(namespaces, gateway, tmp_path, runtime):
    """In IKE_SA_INIT, to another address, which is the board's too. The emulated board answers from its first one, and
    sends strongSwan there once more: it serves whoever comes from the address that it would send him to."""
    gateway.configure(connection(**TOWARDS_US))
    text = boards.responder(f'redirect_to = "{SECOND["board"]}"\n')
    words = ("--runtime", runtime, "--heap", "111k")
    with second_address(namespaces, "board"), boards.Board(namespaces, tmp_path, text, *words) as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        gateway.wait_for(r"redirected to 192\.0\.2\.3")
        gateway.wait_for(r"generating IKE_SA_INIT request 0 \[ .*N\(REDIR_FROM\)")
        board.wait_for("child_up")
        assert {(row["reason"], row["notify"]) for row in board.events("closed")} == {(241, 16407)}
        assert "5 packets transmitted, 5 received" in ping(gateway, "10.2.0.1")
        Tunnel(board, gateway, "responder", runtime).agree()


@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_we_follow_strongswan(namespaces, gateway, tmp_path, runtime):
    """It sends us away while the tunnel is up."""
    both = f"local_addrs = 192.0.2.1, {SECOND['gateway']}"
    gateway.configure(connection().replace("local_addrs = 192.0.2.1", both))
    text = boards.initiator("redirect = true\n")
    words = ("--runtime", runtime, "--heap", "111k")
    with second_address(namespaces, "gateway"), boards.Board(namespaces, tmp_path, text, *words) as board:
        board.wait_for("child_up")
        gateway.wait_for(r"parsed IKE_SA_INIT request 0 \[ .*N\(REDIR_SUP\)")
        gateway.swanctl("--redirect", "--ike", "peer", "--gateway", SECOND["gateway"])
        (row,) = board.wait_for("redirected")
        assert (row["old"][0], row["new"]) == ("192.0.2.1", [SECOND["gateway"], 500])
        board.wait_for("reauthenticated")
        gateway.wait_for(r"client got redirected from 192\.0\.2\.1")
        board.type(do="ping", to="10.1.0.1", count=5, interval_ms=200)
        assert all(row["answered"] for row in board.wait_for("ping", 5))
        assert f"local-host={SECOND['gateway']}" in gateway.sas()
        Tunnel(board, gateway, "initiator", runtime).agree()
        assert board.finish()["failure"] is None
