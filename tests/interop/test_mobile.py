"""Boards that move, peers that vanish, authentication anew, with a real strongSwan."""

import os
import re
import signal
import subprocess

import pytest

from host_tools.peers.network import BOARD, INNER, Namespaces
from host_tools.peers.strongswan import Gateway, connection
from tests.interop import board as boards
from tests.interop.tunnel import TOWARDS_US as RESPONDER

MOVED = "192.0.2.3"
RUNTIMES = pytest.mark.parametrize("runtime", ["cpython", "vm"])


def readdress(namespaces, old, new):
    """The board's network takes one address away and gives it another one."""
    for verb, address in (("delete", old), ("add", new)):
        command = ("ip", "-n", namespaces.board, "address", verb, f"{address}/24", "dev", "dev0")
        subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.fixture
def mobile(namespaces):
    """A function that gives the board its second address; it has the first one again after the test."""
    done = []

    def move():
        readdress(namespaces, BOARD, MOVED)
        done.append(True)

    yield move
    if done:
        readdress(namespaces, MOVED, BOARD)


def ping(board, count=3):
    """Pings of a board that is up: from the address that it has now, which strongSwan does not let it keep."""
    before = len(board.events("ping"))
    board.type(do="ping", to=INNER, count=count, interval_ms=100)
    pings = board.wait_for("ping", before + count)[before:]
    assert all(each["answered"] for each in pings), pings


def up(namespaces, tmp_path, runtime, more=""):
    return boards.Board(namespaces, tmp_path, boards.initiator(more), "--runtime", runtime)


def pinging(namespaces, tmp_path, runtime, more="", count=40):
    words = ("--runtime", runtime, "--ping", INNER, "--count", count, "--interval", 0.1)
    return boards.Board(namespaces, tmp_path, boards.initiator(more), *words)


@RUNTIMES
def test_the_board_moves_while_traffic_flows(namespaces, gateway, tmp_path, mobile, runtime):
    gateway.configure(connection())
    with pinging(namespaces, tmp_path, runtime) as board:
        board.wait_for("ping", 5)
        mobile()
        board.type(do="moved")
        (moved,) = board.wait_for("address_changed")
        gateway.wait_for(r"parsed INFORMATIONAL request \d+ \[ N\(UPD_SA_ADDR\) N\(NATD_S_IP\) N\(NATD_D_IP\) \]")
        seen = len([each for each in board.events("ping") if each["answered"]])
        pings = board.wait_for("ping", seen + 8)
        assert all(each["answered"] for each in pings[-5:])
        assert f"remote-host={MOVED}" in gateway.sas() and gateway.sas().count("state=ESTABLISHED") == 1
        board.finish()
    assert moved["old_local"] == (BOARD, 4500) or moved["old_local"] == [BOARD, 4500]
    assert "N(MOBIKE_SUP)" in gateway.log()
    assert len(board.events("established")) == 1 and not board.events("reject")


@RUNTIMES
def test_without_mobike_the_board_negotiates_anew(namespaces, gateway, tmp_path, mobile, runtime):
    gateway.configure(connection(more="mobike = no"))
    with up(namespaces, tmp_path, runtime) as board:
        board.wait_for("child_up")
        ping(board)
        mobile()
        board.type(do="moved")
        board.wait_for("reauthenticated")
        ping(board)
        gateway.wait_for("received DELETE for IKE_SA peer")
        assert f"remote-host={MOVED}" in gateway.sas() and gateway.sas().count("state=ESTABLISHED") == 1
        board.finish()
    assert len(board.events("established")) == 2 and gateway.log().count("N(INIT_CONTACT)") == 1


@RUNTIMES
def test_charon_is_killed(namespaces, charon, tmp_path, runtime):
    del charon  # the other tests need it alive
    with Namespaces("k") as others, Gateway(others, tmp_path) as gateway:
        gateway.configure(connection())
        words = ("--runtime", runtime)
        with boards.Board(others, tmp_path, boards.initiator("dpd_delay = 1\n"), *words) as board:
            board.wait_for("child_up")
            os.kill(gateway.pid, signal.SIGKILL)
            board.wait_for("liveness")
            (closed,) = board.wait_for("closed")
            result = board.finish()
    assert closed["exchange"] == 37 and result["failure"]["reason"] == "PEER_DEAD"


@RUNTIMES
def test_our_reauth_time(namespaces, gateway, tmp_path, runtime):
    gateway.configure(connection())
    with up(namespaces, tmp_path, runtime, "reauth_time = 3\n") as board:
        for count in (1, 2):
            board.wait_for("reauthenticated", count)
            ping(board)
        gateway.wait_for(r"(received DELETE for IKE_SA peer[\s\S]*){2}")
        assert not board.events("closed")
        assert board.finish()["closed"] == "DELETED_BY_US"
    assert "peer requested virtual IP 10.9.0." in gateway.log() and gateway.log().count("N(INIT_CONTACT)") == 1


def test_the_reauth_time_of_the_peer(namespaces, gateway, tmp_path):
    gateway.configure(connection(more="reauth_time = 12s\n rand_time = 0s\n over_time = 5s"))
    with up(namespaces, tmp_path, "cpython") as board:
        board.wait_for("reauthenticated")
        ping(board)
        board.finish()
    assert re.search(r"generating IKE_AUTH response 1 \[ .*N\(AUTH_LFT\)", gateway.log())


def test_our_auth_lifetime(namespaces, gateway, tmp_path):
    """strongSwan as initiator, told by us when its time is up; the old SA goes, the new one stays."""
    gateway.configure(connection(**RESPONDER, more="reauth_time = 3600s"))
    configuration = boards.responder("auth_lifetime = 12\n")
    with boards.Board(namespaces, tmp_path, configuration, "--runtime", "cpython") as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "10")
        gateway.wait_for("received AUTH_LIFETIME")
        board.wait_for("established", 2)
        board.wait_for("closed")
        board.finish()
    assert board.events("closed")[0]["reason"] == 90


@RUNTIMES
def test_we_delete_the_child_sa_that_we_have_replaced(namespaces, gateway, tmp_path, runtime):
    gateway.configure(connection())
    with pinging(namespaces, tmp_path, runtime, "esp_rekey_time = 2\n", 60) as board:
        board.wait_for("child_rekeyed", 2)
        gateway.wait_for(r"received DELETE for ESP CHILD_SA")
        board.finish()
    assert all(each["answered"] for each in board.events("ping"))


def test_the_peer_deletes_the_child_sa_that_it_has_replaced(namespaces, gateway, tmp_path):
    gateway.configure(connection())
    with pinging(namespaces, tmp_path, "cpython", count=60) as board:
        board.wait_for("ping", 2)
        gateway.swanctl("--rekey", "--child", "net")
        board.wait_for("child_rekeyed")
        board.wait_for("child_down", seconds=15)
        gateway.wait_for("CHILD_SA closed")
        board.finish()
    assert all(each["answered"] for each in board.events("ping"))
