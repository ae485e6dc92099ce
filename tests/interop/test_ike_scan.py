"""ike-scan, a scanner with an IKE implementation of its own, against our responder: it is told no, in words it knows."""

import re
import subprocess

import pytest

from host_tools.peers.network import BOARD, Namespaces
from tests.interop import board as boards


def scan(namespaces, *words) -> str:
    command = Namespaces.command(namespaces.gateway, "ike-scan", "--sport=0", "--retry=2", *words, BOARD)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_ike_scan(namespaces, tmp_path, runtime):
    with boards.Board(namespaces, tmp_path, boards.responder(), "--runtime", runtime, "--heap", "111k") as board:
        board.wait_for("greeting")
        board.wait_for("self_test")
        said = scan(namespaces, "--ikev2")  # it offers 3DES, DES and MODP groups below 2048
        assert re.search(rf"{BOARD}\tNotify message 14 \(NO_PROPOSAL_CHOSEN\) HDR=\(CKY-R=0{{16}}, IKEv2\)", said), said
        assert "0 returned handshake; 1 returned notify" in said
        (closed,) = board.wait_for("closed")
        assert (closed["reason"], closed["notify"]) == (72, 14)
        assert "0 returned handshake; 0 returned notify" in scan(namespaces)  # IKE version 1
        drops = board.wait_for("drop")
        assert {row["reason"] for row in drops} == {4}
        assert "0 returned handshake; 1 returned notify" in scan(namespaces, "--ikev2")
