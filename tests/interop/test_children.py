"""Further Child SAs, narrowing, deletion, reauthentication and the death of either side, with a real strongSwan."""

import os
import signal
import subprocess

import pytest

from host_tools.peers.network import Namespaces
from host_tools.peers.strongswan import Gateway, connection
from tests.interop import board as boards
from tests.interop.tunnel import TOWARDS_US, network_behind, tunnel

SECOND = '[connection.hq.child.second]\nremote_ts = ["10.3.0.0/16"]\n'
ROLES = ["initiator", "responder"]
RUNTIMES = ["cpython", "vm"]


def selector(first, last):
    return "070000100000ffff" + first + last


def ping(gateway, address, count=5):
    """strongSwan's side pings an address of the board."""
    command = Namespaces.command(gateway.namespaces.gateway, "ping", "-q", "-c", count, "-i", "0.2", "-W", "5", address)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("esp", ["aes128-sha256", "aes128-sha256-x25519"])
def test_a_packet_makes_the_second_child_sa(namespaces, gateway, tmp_path, runtime, esp):
    gateway.configure(connection(esp=esp, second="local_ts = 10.3.0.0/16"))
    words = ("--runtime", runtime, "--heap", "111k")
    text = boards.initiator(SECOND, esp=esp)
    with network_behind(namespaces, "10.3.0.1"), boards.Board(namespaces, tmp_path, text, *words) as board:
        board.wait_for("child_up")
        board.type(do="ping", to="10.3.0.1", count=10, interval_ms=500)
        first, second = board.wait_for("child_up", 2)
        assert second["remote_ts"] == [selector("0a030000", "0a03ffff")] and second["local_ts"] == first["local_ts"]
        assert [4, 31, 0] in second["transforms"] if "x25519" in esp else len(second["transforms"]) == 3
        rows = board.wait_for("ping", 10)
        answered = [row["sequence"] for row in rows if row["answered"]]
        assert answered and answered == list(range(answered[0], 11))  # all that came after the Child SA did
        assert f"spi-in={second['spi_out']} spi-out={second['spi_in']}" in gateway.sas()
        board.type(do="ping", to="10.1.0.1", count=3, interval_ms=100)
        assert all(row["answered"] for row in board.wait_for("ping", 13)[10:])


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("esp", ["aes128-sha256", "aes128-sha256-x25519"])
def test_strongswan_asks_for_the_second_child_sa(gateway, tmp_path, runtime, esp):
    more = '[connection.branch.child.second]\nlocal_ts = ["10.4.0.0/16"]\n'
    theirs = {"esp": esp, "second": "local_ts = dynamic\n remote_ts = 10.4.0.0/16"}
    with tunnel(gateway, tmp_path, runtime, "responder", more, {"esp": esp}, **theirs) as both:
        gateway.swanctl("--initiate", "--child", "more", "--timeout", "20")
        second = both.board.wait_for("child_up", 2)[1]
        assert second["local_ts"] == [selector("0a040000", "0a04ffff")]
        assert ([4, 31, 0] in second["transforms"]) is ("x25519" in esp)
        for address in ("10.4.0.1", "10.2.0.1"):
            assert "5 packets transmitted, 5 received" in ping(gateway, address)
        both.agree(2)
        gateway.swanctl("--rekey", "--child", "more")
        both.board.wait_for("child_rekeyed")
        both.agree(2)
        gateway.swanctl("--terminate", "--child", "more", "--timeout", "5")
        both.agree(1)
        assert "5 packets transmitted, 5 received" in ping(gateway, "10.2.0.1")


def test_strongswan_has_no_such_second_child(gateway, tmp_path):
    """TS_UNACCEPTABLE for the second one leaves the first one alone."""
    gateway.configure(connection())
    with boards.Board(gateway.namespaces, tmp_path, boards.initiator(SECOND), "--runtime", "cpython") as board:
        board.wait_for("child_up")
        board.type(do="ping", to="10.3.0.1", count=1)
        (refused,) = board.wait_for("reject")
        assert refused["reason"] == 83
        gateway.wait_for("traffic selectors .* unacceptable")
        assert not board.wait_for("ping")[0]["answered"]
        board.type(do="ping", to="10.1.0.1", count=3, interval_ms=100)
        assert all(row["answered"] for row in board.wait_for("ping", 4)[1:])
        assert len(board.events("child_up")) == 1 and not board.events("closed")


# -- narrowing (section 2.9) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_strongswan_narrows(namespaces, gateway, tmp_path, runtime):
    changes, theirs = {"remote_ts": "0.0.0.0/0"}, {"local_ts": "10.1.0.0/24,10.1.2.0/24"}
    with (
        network_behind(namespaces, "10.1.2.1"),
        tunnel(gateway, tmp_path, runtime, "initiator", "", changes, **theirs) as both,
    ):
        (up,) = both.board.events("child_up")
        assert up["remote_ts"] == [selector("0a010000", "0a0100ff"), selector("0a010200", "0a0102ff")]
        both.begin_pings(5)
        both.end_pings()
        for count, who in enumerate(("we", "they"), 1):  # what was agreed is replaced, not what was asked for
            both.rekey(who, "child")
            both.board.wait_for("child_rekeyed", count)
            assert both.board.events("child_up")[count]["remote_ts"] == up["remote_ts"]
        both.agree()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_we_narrow(gateway, tmp_path, runtime):
    with tunnel(gateway, tmp_path, runtime, "responder", remote_ts="10.0.0.0/8") as both:
        (up,) = both.board.events("child_up")
        assert up["local_ts"] == [selector("0a020000", "0a02ffff")]
        assert "remote-ts=[10.2.0.0/16]" in gateway.sas()
        assert "5 packets transmitted, 5 received" in ping(gateway, "10.2.0.1")
        both.rekey("they", "child")
        both.board.wait_for("child_rekeyed")
        assert "remote-ts=[10.2.0.0/16]" in both.agree()


# -- deletion, death, reauthentication -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_we_delete_the_child_sa(gateway, tmp_path, runtime, role):
    with tunnel(gateway, tmp_path, runtime, role) as both:
        both.board.type(do="delete")
        (down,) = both.board.wait_for("child_down")
        assert down["reason"] == 91
        gateway.wait_for("received DELETE for ESP CHILD_SA")
        both.agree(0)


@pytest.mark.parametrize("role", ROLES)
def test_strongswan_is_killed(namespaces, tmp_path, role):
    del namespaces
    suffix = "-k" + role[0]
    with Namespaces(suffix) as made, Gateway(made, tmp_path) as gateway:
        gateway.configure(connection(**(TOWARDS_US if role == "responder" else {})))
        text = getattr(boards, role)("dpd_delay = 1\n")
        with boards.Board(made, tmp_path, text, "--runtime", "cpython") as board:
            board.wait_for("greeting")
            if role == "responder":
                gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
            board.wait_for("established")
            os.kill(gateway.pid, signal.SIGKILL)
            (closed,) = board.wait_for("closed")
            assert (closed["reason"], closed["exchange"]) == (92, 37)
            assert len(board.events("child_down")) == 1


@pytest.mark.parametrize("role", ROLES)
def test_the_board_is_killed(gateway, tmp_path, role):
    """What is left at strongSwan is replaced by the board's next IKE SA, or ends with its own liveness check."""
    gateway.configure(connection(dpd="1s", **(TOWARDS_US if role == "responder" else {})))
    text = getattr(boards, role)()
    with boards.Board(gateway.namespaces, tmp_path, text, "--runtime", "cpython") as board:
        board.wait_for("greeting")
        if role == "responder":
            gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        board.wait_for("established")
        board.kill()
    gateway.wait_for("giving up after 3 retransmits", 40)
    assert "state=ESTABLISHED" not in gateway.sas()


def test_strongswan_reauthenticates(gateway, tmp_path):
    """As the initiator it deletes the IKE SA and begins anew."""
    theirs = {"more": "reauth_time = 2s\n rekey_time = 0\n over_time = 60s\n rand_time = 0"}
    with tunnel(gateway, tmp_path, "cpython", "responder", **theirs) as both:
        both.board.wait_for("closed", 2)
        both.board.wait_for("child_up", 3)
        assert {row["reason"] for row in both.board.events("closed")} == {90}
        gateway.wait_for("reauthenticating IKE_SA peer")
        assert "5 packets transmitted" in ping(gateway, "10.2.0.1")


def test_strongswan_ends_what_we_do_not_reauthenticate(gateway, tmp_path):
    """As the responder it tells us the lifetime (RFC 4478), which we do not speak, and deletes the IKE SA."""
    gateway.configure(connection(more="reauth_time = 2s\n rekey_time = 0\n over_time = 1s\n rand_time = 0"))
    with boards.Board(gateway.namespaces, tmp_path, boards.initiator(), "--runtime", "cpython") as board:
        (closed,) = board.wait_for("closed")
        assert closed["reason"] == 90
        assert "AUTH_LFT" in gateway.log()
        board.type(do="connect")
        board.wait_for("child_up", 2)
