"""What `uike gateway` writes for strongSwan, loaded into one; and what `uike from-strongswan` reads, run on a board."""

import subprocess

import pytest

from host_tools.peers.network import GATEWAY, INNER
from host_tools.peers.strongswan import connection
from tests.interop import board as boards
from tests.interop.tunnel import TOWARDS_US


def uike(*words) -> str:
    done = subprocess.run([boards.UIKE, *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("role", ["initiator", "responder"])
def test_the_other_end_of_a_board(namespaces, gateway, tmp_path, role):
    text = {"initiator": boards.initiator, "responder": boards.responder}[role]()
    (tmp_path / "board.toml").write_text(text)
    words = ("gateway", "--config", tmp_path / "board.toml", "--secrets", "--address", GATEWAY)
    written = uike(*words, *(("--board-address", "192.0.2.2") if role == "responder" else ()))
    if role == "initiator":
        gateway.configure(written)
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython") as board:
        if role == "responder":
            board.wait_for("greeting")
            gateway.configure(written)  # it begins by itself: start_action = start
        board.wait_for("established")
        if role == "initiator":
            board.type(do="ping", to=INNER, count=3, interval_ms=20)
            board.wait_for("ping", 3)
        result = board.finish()
    assert result["established"] and result["failure"] is None
    assert result["pings"] == ({"sent": 3, "answered": 3} if role == "initiator" else {"sent": 0, "answered": 0})
    gateway.swanctl("--terminate", "--ike", {"initiator": "hq", "responder": "branch"}[role], "--force", check=False)


@pytest.mark.parametrize("role", ["initiator", "responder"])
def test_a_board_made_from_strongswans_file(namespaces, gateway, tmp_path, role):
    text = connection(**(TOWARDS_US if role == "responder" else {}))
    (tmp_path / "swanctl.conf").write_text(text)
    made = uike("from-strongswan", tmp_path / "swanctl.conf")
    assert f'role = "{role}"' in made
    gateway.configure(text)
    with boards.Board(namespaces, tmp_path, made, "--runtime", "cpython") as board:
        if role == "responder":
            board.wait_for("greeting")
            gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        board.wait_for("established")
        if role == "initiator":
            board.type(do="ping", to=INNER, count=3, interval_ms=20)
            board.wait_for("ping", 3)
        result = board.finish()
    assert result["established"] and result["failure"] is None
    assert result["pings"]["answered"] == (3 if role == "initiator" else 0)
