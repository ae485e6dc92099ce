"""IKE fragments (RFC 7383) with a real strongSwan in both directions, and on the wire as tshark decrypts them."""

import re

import pytest

from host_tools.peers.network import Namespaces
from host_tools.peers.strongswan import Gateway, connection
from tests.interop import board as boards

SUITES = ["aes128-sha256-x25519", "aes256gcm16-prfsha384-x25519"]
OURS = "fragment_size = 200\n"
RUNTIMES = ["cpython", "vm"]


@pytest.fixture(scope="module")
def narrow(namespaces, tmp_path_factory):
    """A strongSwan whose own messages are cut at 200 bytes, too."""
    with (
        Namespaces("-frag") as made,
        Gateway(made, tmp_path_factory.mktemp("narrow"), "fragment_size = 200") as gateway,
    ):
        yield gateway


def check(board, gateway, is_initiator):
    """Both sides sent their IKE_AUTH message in fragments, and say of the other's the same as the other does."""
    rows = [row for row in board.events("fragment") if row["exchange"] == 35]
    for out in (True, False):
        numbers = [(row["number"], row["of"]) for row in rows if row["out"] is out]
        total = len(numbers)
        assert numbers == [(n + 1, total) for n in range(total)] and total >= 2, rows
        response = out is not is_initiator
        assert all(row["response"] is response and row["length"] + 32 <= 200 for row in rows if row["out"] is out)
        kind = "response" if response else "request"
        for number in range(1, total + 1):
            verb = "parsed" if out else "generating"
            assert re.search(rf"{verb} IKE_AUTH {kind} 1 \[ EF\({number}/{total}\) \]", gateway.log()), gateway.log()
    assert "FRAG_SUP" in gateway.log()


@pytest.mark.parametrize("ike", SUITES)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_fragments_as_initiator(narrow, tmp_path, runtime, ike):
    narrow.configure(connection(ike=ike, more="fragmentation = yes"))
    words = ("--runtime", runtime, "--heap", "111k")
    with boards.Board(narrow.namespaces, tmp_path, boards.initiator(OURS, ike=ike), *words) as board:
        board.wait_for("child_up")
        assert "state=ESTABLISHED" in narrow.sas()
        check(board, narrow, True)
        assert board.finish()["failure"] is None


@pytest.mark.parametrize("ike", SUITES)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_fragments_as_responder(narrow, tmp_path, runtime, ike):
    theirs = {"remote": "192.0.2.2", "pool": False, "ask_address": True, "local_ts": "dynamic"}
    narrow.configure(connection(ike=ike, remote_ts="10.2.0.0/16", more="fragmentation = force", **theirs))
    words = ("--runtime", runtime, "--heap", "111k")
    with boards.Board(narrow.namespaces, tmp_path, boards.responder(OURS, ike=ike), *words) as board:
        board.wait_for("greeting")
        narrow.swanctl("--initiate", "--child", "net", "--timeout", "20")
        board.wait_for("child_up")
        check(board, narrow, False)
        assert board.finish()["failure"] is None


@pytest.mark.parametrize(("theirs", "ours"), [("no", OURS), ("yes", OURS + "fragmentation = false\n")])
def test_without_both_words_there_are_none(narrow, tmp_path, theirs, ours):
    narrow.configure(connection(more=f"fragmentation = {theirs}"))
    with boards.Board(narrow.namespaces, tmp_path, boards.initiator(ours), "--runtime", "cpython") as board:
        board.wait_for("child_up")
        assert not board.events("fragment") and "EF(" not in narrow.log()
        assert board.finish()["failure"] is None
