"""Pre-shared keys with a real strongSwan: each way to write one, read alike by both; and a responder with many peers."""

import pytest

from host_tools.peers.strongswan import connection
from tests.interop import board as boards
from tests.interop.tunnel import TOWARDS_US

# As it stands between the quotes of swanctl.conf, and of our file where that has other rules for quotes
WRITTEN = {
    "hexadecimal": "0xC0ffee00112233",
    "an odd digit": "0xabc",
    "colons": "0xAB:cd:0f",
    "large x": "0XABCD",
    "base64": "0sQUI=",
    "large s": "0SQUJD",
    "spaces": "  a key with spaces  ",
    "a hash": "hash # inside; and = and {}",
    "not ASCII": "schl\u00fcssel",
    "quotes": r"a \"quoted\" \\ key",
}


@pytest.mark.parametrize("case", WRITTEN)
def test_the_same_string(namespaces, gateway, tmp_path, case):
    gateway.configure(connection(psk=WRITTEN[case]))
    text = boards.initiator(psk=WRITTEN[case])
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython", "--duration", "0.1") as board:
        assert board.wait_for_end()["established"]


PSKS = """
[connection.branch.psks]
"alice@example" = "0xa11ce0"
"*.branch.example" = "0sYnJhbmNo"
"%any" = "a key for all"
"""
PEERS = {
    "alice@example": "0xa11ce0",
    "printer.branch.example": "branch",
    "ALICE@example": "0xa11ce0",
    "somebody.example": "a key for all",
}


def many(gateway, tmp_path, runtime, local_id, psk, more=PSKS):
    """What a board with several keys makes of strongSwan with that identity and that key."""
    gateway.configure(connection(local_id=local_id, psk=psk, **TOWARDS_US))
    text = boards.responder(more, remote_id="%any")
    text = "\n".join(line for line in text.split("\n") if not line.startswith("psk"))
    with boards.Board(gateway.namespaces, tmp_path, text, "--runtime", runtime) as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "10", check=False)
        gateway.wait_for("IKE_SA peer.* established|received AUTHENTICATION_FAILED")
        return board.finish()


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_many_peers(gateway, tmp_path, peer, runtime):
    result = many(gateway, tmp_path, runtime, peer, PEERS[peer])
    assert result["established"] and result["failure"] is None


@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_none_for_that_peer(gateway, tmp_path, runtime):
    more = "\n".join(line for line in PSKS.split("\n") if "%any" not in line)
    result = many(gateway, tmp_path, runtime, "alcie@example", "0xa11ce0", more)
    assert not result["established"] and result["failure"]["reason"] == "NO_PSK_FOR_PEER"
    assert "alcie@example; the nearest that has one is alice@example" in result["failure"]["text"]


def test_the_key_of_another_peer(gateway, tmp_path):
    assert many(gateway, tmp_path, "cpython", "alice@example", "a key for all")["failure"]["reason"] == "PSK_DIFFERS"
