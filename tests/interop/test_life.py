"""An SA's life with a real strongSwan: liveness, deletion from either side, group and cookie retries, a dead peer."""

import re
import subprocess
import sys

import pytest

from host_tools.peers.network import GATEWAY, INNER, Namespaces
from host_tools.peers.strongswan import Gateway, connection
from tests.interop import board as boards
from tests.interop.tunnel import TOWARDS_US as RESPONDER

RUNTIMES = pytest.mark.parametrize("runtime", ["cpython", "vm"])


def up(namespaces, gateway, tmp_path, runtime, more="", **theirs):
    """A board with its tunnel up, as initiator."""
    gateway.configure(connection(**theirs))
    board = boards.Board(namespaces, tmp_path, boards.initiator(more), "--runtime", runtime)
    board.wait_for("child_up")
    return board


@RUNTIMES
def test_we_ask_whether_the_peer_is_there(namespaces, gateway, tmp_path, runtime):
    with up(namespaces, gateway, tmp_path, runtime, "dpd_delay = 1\n") as board:
        board.wait_for("liveness", 2)
        result = board.finish()
    assert result["established"] and result["failure"] is None
    assert len(re.findall(r"parsed INFORMATIONAL request \d+ \[ \]", gateway.log())) >= 2


@RUNTIMES
def test_the_peer_asks_whether_we_are_there(namespaces, gateway, tmp_path, runtime):
    with up(namespaces, gateway, tmp_path, runtime, dpd="1s") as board:
        gateway.wait_for(r"sending DPD request[\s\S]*parsed INFORMATIONAL response[\s\S]*sending DPD request")
        gateway.wait_for(r"(parsed INFORMATIONAL response[\s\S]*){2}")
        assert "state=ESTABLISHED" in gateway.sas()
        assert board.finish()["failure"] is None


@RUNTIMES
def test_the_peer_dies(namespaces, gateway, tmp_path, runtime):
    with up(namespaces, gateway, tmp_path, runtime, "dpd_delay = 1\n") as board:
        namespaces.link(False)
        try:
            (closed,) = board.wait_for("closed")
        finally:
            namespaces.link(True)
        result = board.finish()
    assert closed["exchange"] == 37
    assert result["status"] == 1 and result["established"] and result["failure"]["reason"] == "PEER_DEAD"


@RUNTIMES
def test_the_peer_deletes_the_ike_sa(namespaces, gateway, tmp_path, runtime):
    with up(namespaces, gateway, tmp_path, runtime) as board:
        assert "terminate completed successfully" in gateway.swanctl("--terminate", "--ike", "peer", "--timeout", "5")
        board.wait_for("closed")
        result = board.finish()
    assert result["closed"] == "DELETED_BY_PEER" and result["failure"] is None
    assert "IKE_SA deleted" in gateway.log() and "retransmit" not in gateway.log()


@RUNTIMES
def test_the_peer_deletes_the_child_sa(namespaces, gateway, tmp_path, runtime):
    with up(namespaces, gateway, tmp_path, runtime) as board:
        gateway.swanctl("--terminate", "--child", "net", "--timeout", "5")
        (down,) = board.wait_for("child_down")
        gateway.wait_for("CHILD_SA closed")
        assert "state=ESTABLISHED" in gateway.sas() and not board.events("closed")
        board.finish()
    assert down["reason"] == 90
    gateway.wait_for("received DELETE for IKE_SA peer")


@RUNTIMES
def test_we_delete(namespaces, gateway, tmp_path, runtime):
    with up(namespaces, gateway, tmp_path, runtime) as board:
        board.type(do="close", name="hq")
        board.wait_for("closed")
        gateway.wait_for("received DELETE for IKE_SA peer")
        assert "peer" not in gateway.sas()
        assert board.finish()["closed"] == "DELETED_BY_US"


@RUNTIMES
def test_and_connect_again(namespaces, gateway, tmp_path, runtime):
    with up(namespaces, gateway, tmp_path, runtime) as board:
        for count in (2, 3):
            board.type(do="close")
            board.wait_for("closed", count - 1)
            gateway.wait_for(f"(received DELETE for IKE_SA peer[\\s\\S]*){{{count - 1}}}")
            board.type(do="connect", name="hq")
            board.wait_for("child_up", count)
        assert board.finish()["failure"] is None


def test_the_peer_wants_another_group(namespaces, gateway, tmp_path):
    """INVALID_KE_PAYLOAD: our first guess is a group that strongSwan does not have."""
    gateway.configure(connection(ike="aes128-sha256-ecp256"))
    configuration = boards.initiator(ike="aes128-sha256-x25519-ecp256")
    words = ("--runtime", "cpython", "--ping", INNER, "--count", 1)
    with boards.Board(namespaces, tmp_path, configuration, *words) as board:
        board.wait_for("ping")
        result = board.finish()
    assert result["status"] == 0 and "ECP_256" in result["ike"]
    assert "requesting ECP_256" in gateway.log()


def test_we_want_another_group(namespaces, gateway, tmp_path):
    gateway.configure(connection(**RESPONDER, ike="aes128-sha256-x25519-ecp256"))
    configuration = boards.responder(ike="aes128-sha256-ecp256")
    with boards.Board(namespaces, tmp_path, configuration, "--runtime", "cpython") as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "10")
        result = board.finish()
    assert result["established"] and result["failure"] is None and "ECP_256" in result["ike"]
    assert "peer didn't accept key exchange method" in gateway.log() or "peer didn't accept DH group" in gateway.log()


HALF_OPEN = f"""
import os, socket, sys
sys.path[:0] = {sys.path!r}
from host_tools import demo
from uike import config
from uike.endpoint import Endpoint
from uike.hal.cpython.crypto import Provider
endpoint = Endpoint(config.load(demo.configurations("00")[0]), Provider(), os.urandom)
endpoint.connect(endpoint.connections[0], "192.0.2.2", "{GATEWAY}", 0)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.sendto(endpoint.outgoing()[0][0], ("{GATEWAY}", 500))
    sock.settimeout(5)
    sock.recv(2000)
"""


def test_a_cookie_is_sent_back(namespaces, charon, tmp_path):
    """strongSwan asks for cookies once there is a half-open IKE SA; the one here is never finished."""
    del charon  # its ports are in use: this one needs a namespace of its own
    with Namespaces("b") as others, Gateway(others, tmp_path, "cookie_threshold = 1") as gateway:
        gateway.configure(connection())
        command = Namespaces.command(others.board, sys.executable, "-c", HALF_OPEN)
        subprocess.run(command, check=True, timeout=20)
        words = ("--runtime", "cpython", "--ping", INNER, "--count", 1)
        with boards.Board(others, tmp_path, boards.initiator(), *words) as board:
            board.wait_for("ping")
            result = board.finish()
        assert result["status"] == 0
        gateway.wait_for(r"generating IKE_SA_INIT response 0 \[ N\(COOKIE\) \]")
        gateway.wait_for(r"parsed IKE_SA_INIT request 0 \[ N\(COOKIE\) SA KE No")


@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_strongswan_sends_our_cookie_back(namespaces, gateway, tmp_path, runtime):
    gateway.configure(connection(**RESPONDER))
    configuration = boards.responder("cookie_threshold = 0\n")  # always
    with boards.Board(namespaces, tmp_path, configuration, "--runtime", runtime) as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        board.wait_for("child_up")
        result = board.finish()
    assert result["established"] and result["failure"] is None
    gateway.wait_for(r"parsed IKE_SA_INIT response 0 \[ N\(COOKIE\) \]")
    gateway.wait_for(r"generating IKE_SA_INIT request 0 \[ N\(COOKIE\) SA KE No")
