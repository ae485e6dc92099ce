"""Negotiations that must fail, with a real strongSwan: the right notify on the wire, the right reason in the JSON."""

import pytest

from host_tools.peers.strongswan import connection
from tests.interop import board as boards

REMOTE = {"remote": "192.0.2.2", "pool": False, "ask_address": True, "local_ts": "dynamic", "remote_ts": "10.2.0.0/16"}

# What differs: at the board, at strongSwan; reason and notify in the JSON; a line of strongSwan's log
AS_INITIATOR = {
    "wrong psk": ({"psk": "another key"}, {}, "PEER_SAID_AUTH_FAILED", "AUTHENTICATION_FAILED", "MAC mismatched"),
    "no common IKE proposal": (
        {"ike": "aes256-sha256-ecp256"},
        {"ike": "aes128-sha256-x25519"},
        "PEER_SAID_NO_PROPOSAL",
        "NO_PROPOSAL_CHOSEN",
        "received proposals unacceptable",
    ),
    "no common ESP proposal": (
        {"esp": "aes256gcm16"},
        {"esp": "aes128-sha256"},
        "PEER_SAID_NO_ESP_PROPOSAL",
        "NO_PROPOSAL_CHOSEN",
        "no acceptable proposal found",
    ),
    "unknown identity": (
        {"local_id": "stranger.example"},
        {},
        "PEER_SAID_AUTH_FAILED",
        "AUTHENTICATION_FAILED",
        "no matching peer config found",
    ),
    "another gateway": (
        {"remote_id": "other.example"},
        {},
        "PEER_SAID_AUTH_FAILED",
        "AUTHENTICATION_FAILED",
        "no matching peer config found",
    ),
    "unacceptable selectors": (
        {"remote_ts": "10.77.0.0/16"},
        {},
        "TS_REFUSED_BY_PEER",
        "TS_UNACCEPTABLE",
        "traffic selectors .* unacceptable",
    ),
    "no address to give": (
        {},
        {"pool": False},
        "PEER_SAID_ADDRESS_FAILURE",
        "INTERNAL_ADDRESS_FAILURE",
        "no virtual IP",
    ),
}
AS_RESPONDER = {
    "wrong psk": ({"psk": "another key"}, {}, "PSK_DIFFERS", "AUTHENTICATION_FAILED", "received AUTHENTICATION_FAILED"),
    "no common IKE proposal": (
        {"ike": "aes256-sha256-ecp256"},
        {"ike": "aes128-sha256-x25519"},
        "NO_COMMON_PROPOSAL",
        "NO_PROPOSAL_CHOSEN",
        "received NO_PROPOSAL_CHOSEN notify error",
    ),
    "no common ESP proposal": (
        {"esp": "aes256gcm16"},
        {"esp": "aes128-sha256"},
        "NO_COMMON_ESP_PROPOSAL",
        "NO_PROPOSAL_CHOSEN",
        "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built",
    ),
    "unknown identity": (
        {"remote_id": "dev.example"},
        {"local_id": "stranger.example"},
        "UNKNOWN_PEER_ID",
        "AUTHENTICATION_FAILED",
        "received AUTHENTICATION_FAILED",
    ),
    "unacceptable selectors": (
        {},
        {"remote_ts": "10.77.0.0/16"},
        "TS_REFUSED",
        "TS_UNACCEPTABLE",
        "received TS_UNACCEPTABLE notify, no CHILD_SA built",
    ),
}


@pytest.mark.parametrize("case", AS_INITIATOR)
@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_strongswan_refuses(namespaces, gateway, tmp_path, case, runtime):
    ours, theirs, reason, notify, line = AS_INITIATOR[case]
    gateway.configure(connection(**theirs))
    with boards.Board(namespaces, tmp_path, boards.initiator(**ours), "--runtime", runtime) as board:
        result = board.wait_for_end()
    assert result["status"] == 1 and not result["established"]
    assert (result["failure"]["reason"], result["failure"]["notify"]) == (reason, notify), result["failure"]
    assert result["failure"]["text"] and result["failure"]["remedy"]
    gateway.wait_for(line)


@pytest.mark.parametrize("case", AS_RESPONDER)
@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_we_refuse(namespaces, gateway, tmp_path, case, runtime):
    ours, theirs, reason, notify, line = AS_RESPONDER[case]
    gateway.configure(connection(**{**REMOTE, **theirs}))
    with boards.Board(namespaces, tmp_path, boards.responder(**ours), "--runtime", runtime) as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "10", check=False)
        gateway.wait_for(line)
        result = board.finish()
    assert result["status"] == 1 and not result["established"]
    assert (result["failure"]["reason"], result["failure"]["notify"]) == (reason, notify), result["failure"]
    assert result["failure"]["text"] and result["failure"]["remedy"]


def test_nobody_answers(namespaces, tmp_path):
    configuration = boards.initiator(gateway="192.0.2.77")
    with boards.Board(namespaces, tmp_path, configuration, "--runtime", "cpython") as board:
        result = board.wait_for_end()
    assert result["status"] == 1
    assert result["failure"]["reason"] == "NO_ANSWER" and result["failure"]["exchange"] == "IKE_SA_INIT"
