"""IKE SAs without a Child SA (RFC 6023), whose first one comes with a packet: both roles, with a real strongSwan."""

import pytest

from host_tools.peers.strongswan import connection
from tests.interop import board as boards
from tests.interop.test_children import ping
from tests.interop.tunnel import TOWARDS_US, Tunnel

RUNTIMES = ["cpython", "vm"]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("esp", ["aes128-sha256", "aes128-sha256-x25519"])
def test_we_begin_without_a_child_sa(gateway, tmp_path, runtime, esp):
    gateway.configure(connection(esp=esp, more="childless = force"))
    text = boards.initiator("childless = true\n", esp=esp)
    with boards.Board(gateway.namespaces, tmp_path, text, "--runtime", runtime, "--heap", "111k") as board:
        board.wait_for("established")
        gateway.wait_for(r"parsed IKE_AUTH request 1 \[ IDi N\(INIT_CONTACT\) IDr AUTH CPRQ\(")
        assert "spi-in" not in gateway.sas() and not board.events("child_up")
        board.type(do="ping", to="10.1.0.1", count=10, interval_ms=300)
        board.wait_for("child_up")
        rows = board.wait_for("ping", 10)
        answered = [row["sequence"] for row in rows if row["answered"]]
        assert answered and answered == list(range(answered[0], 11))  # all that came after the Child SA did
        Tunnel(board, gateway, "initiator", runtime).agree()
        assert board.finish()["established"]  # the packets before it are lost


@pytest.mark.parametrize("allowed", ["never", "allow"])
def test_a_gateway_may_forbid_it(gateway, tmp_path, allowed):
    """Then the Child SA comes with IKE_AUTH, as it always does."""
    gateway.configure(connection(more=f"childless = {allowed}"))
    text = boards.initiator("childless = true\n")
    with boards.Board(gateway.namespaces, tmp_path, text, "--runtime", "cpython") as board:
        board.wait_for("established")
        board.type(do="ping", to="10.1.0.1", count=3, interval_ms=100)
        board.wait_for("ping", 3)
        requests = (
            "generating CREATE_CHILD_SA response" if allowed == "allow" else "generating IKE_AUTH response 1 .* SA TSi"
        )
        gateway.wait_for(requests)
        Tunnel(board, gateway, "initiator", "cpython").agree()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_strongswan_begins_without_a_child_sa(gateway, tmp_path, runtime):
    gateway.configure(connection(**TOWARDS_US, more="childless = force"))
    with boards.Board(
        gateway.namespaces, tmp_path, boards.responder(), "--runtime", runtime, "--heap", "111k"
    ) as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        gateway.wait_for(r"parsed IKE_SA_INIT response 0 \[ .*N\(CHDLESS_SUP\)")
        gateway.wait_for("generating CREATE_CHILD_SA request")
        board.wait_for("child_up")
        assert "5 packets transmitted, 5 received" in ping(gateway, "10.2.0.1")
        Tunnel(board, gateway, "responder", runtime).agree()
        assert board.finish()["failure"] is None
