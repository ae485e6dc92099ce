"""Postquantum preshared keys (RFC 8784) with a real strongSwan, both roles: who has which, who insists, what becomes."""

import pytest

from host_tools.peers.network import INNER
from host_tools.peers.strongswan import connection
from tests.interop import board as boards
from tests.interop.test_suites import check_counters
from tests.interop.tunnel import TOWARDS_US, Tunnel

PPK = "0x" + "5aa5" * 16
OURS = f'ppk = "{PPK}"\nppk_id = "ppk@example"\n'
OURS_REQUIRED = OURS + "ppk_required = true\n"
RUNTIMES = ["cpython", "vm"]


def theirs(ppk_id="ppk@example", secret=PPK, required=False, fixed=True, **changes):
    """A swanctl.conf with a PPK; unless `fixed`, a responder takes whichever of its PPKs the peer names."""
    more = (f"ppk_id = {ppk_id}\n" if fixed else "") + f"ppk_required = {'yes' if required else 'no'}"
    secrets = f'secrets {{ ppk-1 {{ secret = "{secret}"\n id = {ppk_id} }} }}\n'
    return connection(more=more, **changes) + secrets


# The board's lines, strongSwan's changes, what is in the parsed response, and what strongSwan says
UP = {
    "the same": (OURS, {}, True),
    "both insist": (OURS_REQUIRED, {"required": True}, True),
    "another id": (OURS, {"ppk_id": "other@example"}, False),
}


@pytest.mark.parametrize("case", UP)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_board_as_initiator(namespaces, gateway, tmp_path, runtime, case):
    ours, changes, used = UP[case]
    gateway.configure(theirs(**changes, fixed=used))
    words = ("--runtime", runtime, "--ping", INNER, "--count", 3, "--interval", 0.1)
    with boards.Board(namespaces, tmp_path, boards.initiator(ours), *words) as board:
        board.wait_for("ping", 3)
        check_counters(gateway, 3)
        result = board.finish()
    assert result["status"] == 0 and result["pings"] == {"sent": 3, "answered": 3}
    gateway.wait_for(r"parsed IKE_SA_INIT request 0 \[ .*N\(USE_PPK\)")
    if used:
        gateway.wait_for(r"generating IKE_AUTH response 1 \[ .*N\(PPK_ID\)")
    else:
        gateway.wait_for("no PPK available, using NO_PPK_AUTH notify")
        assert [row["reason"] for row in board.events("reject")] == [145]


@pytest.mark.parametrize("case", UP)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_board_as_responder(namespaces, gateway, tmp_path, runtime, case):
    ours, changes, used = UP[case]
    gateway.configure(theirs(**TOWARDS_US, **changes))
    with boards.Board(namespaces, tmp_path, boards.responder(ours), "--runtime", runtime) as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        board.wait_for("child_up")
        Tunnel(board, gateway, "responder", runtime).agree()
        result = board.finish()
    assert result["established"] and result["failure"] is None, result
    gateway.wait_for(r"generating IKE_AUTH request 1 \[ .*N\(PPK_ID\)")
    assert bool([row for row in board.events("reject") if row["reason"] == 144]) == (not used)


# As above; the reason in the JSON, and a line of strongSwan's log
NONE = {"ppk_id": None}
AS_INITIATOR = {
    "another id, we insist": (OURS_REQUIRED, {"ppk_id": "other@example"}, "PEER_REFUSED_PPK", "PPK"),
    "another id, they insist": (
        OURS,
        {"ppk_id": "other@example", "required": True, "fixed": False},
        "PEER_REFUSED_PPK",
        "PPK required",
    ),
    "other bytes": (OURS, {"secret": "0x1234"}, "PEER_REFUSED_PPK", "MAC mismatched"),
    "they have none, we insist": (OURS_REQUIRED, NONE, "PPK_NOT_OFFERED", "."),
    "we have none, they insist": ("", {"required": True}, "PEER_SAID_AUTH_FAILED", "PPK required"),
}
AS_RESPONDER = {
    "another id, we insist": (OURS_REQUIRED, {"ppk_id": "other@example"}, "PPK_ID_UNKNOWN"),
    "another id, they insist": (OURS, {"ppk_id": "other@example", "required": True}, "PPK_ID_UNKNOWN"),
    "other bytes": (OURS, {"secret": "0x1234"}, "PPK_DIFFERS"),
    "other bytes, both insist": (OURS_REQUIRED, {"secret": "0x1234", "required": True}, "PPK_OR_KEY_DIFFERS"),
    "they have none, we insist": (OURS_REQUIRED, NONE, "PPK_NOT_OFFERED"),
}


def configured(changes, **base):
    return connection(**base) if changes is NONE else theirs(**base, **changes)


@pytest.mark.parametrize("case", AS_INITIATOR)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_refused_as_initiator(namespaces, gateway, tmp_path, runtime, case):
    ours, changes, reason, line = AS_INITIATOR[case]
    gateway.configure(configured(changes))
    with boards.Board(namespaces, tmp_path, boards.initiator(ours), "--runtime", runtime) as board:
        result = board.wait_for_end()
    assert result["status"] == 1 and not result["established"]
    assert result["failure"]["reason"] == reason and result["failure"]["remedy"], result["failure"]
    gateway.wait_for(line)


@pytest.mark.parametrize("case", AS_RESPONDER)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_refused_as_responder(namespaces, gateway, tmp_path, runtime, case):
    ours, changes, reason = AS_RESPONDER[case]
    gateway.configure(configured(changes, **TOWARDS_US))
    with boards.Board(namespaces, tmp_path, boards.responder(ours), "--runtime", runtime) as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "10", check=False)
        gateway.wait_for("received AUTHENTICATION_FAILED")
        result = board.finish()
    assert result["status"] == 1 and not result["established"]
    assert result["failure"]["reason"] == reason and result["failure"]["remedy"], result["failure"]


@pytest.mark.parametrize("role", ["initiator", "responder"])
def test_rekeyed(namespaces, gateway, tmp_path, role):
    """The keys of what comes after hang on the PPK too."""
    gateway.configure(theirs(required=True, **(TOWARDS_US if role == "responder" else {})))
    make = {"initiator": boards.initiator, "responder": boards.responder}[role]
    with boards.Board(namespaces, tmp_path, make(OURS_REQUIRED), "--runtime", "cpython") as board:
        if role == "responder":
            board.wait_for("greeting")
            gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        board.wait_for("established")
        tunnel = Tunnel(board, gateway, role, "cpython")
        for who, what in (("we", "child"), ("they", "ike"), ("we", "ike"), ("they", "child")):
            tunnel.rekey(who, what)
            board.wait_for(
                f"{what}_rekeyed", 1 if who == "we" and what == "child" or who == "they" and what == "ike" else 2
            )
            tunnel.agree()
        assert board.finish()["failure"] is None
