"""Every suite, both roles, both runtimes: a tunnel with a real strongSwan, believed by strongSwan's own counters."""

import subprocess

import pytest

from host_tools.peers.network import INNER, Namespaces
from host_tools.peers.strongswan import connection
from tests.interop import board as boards

PINGS = 3
PING_BYTES = 20 + 8 + 56

IKE = [
    "aes128-sha256-x25519",
    "aes256-sha256-ecp256",
    "aes128-sha256-modp2048",
    "aes128-sha256-prfsha384-x25519",
    "aes256-sha512-x25519",
    "aes128gcm16-prfsha256-x25519",
    "aes256gcm16-prfsha384-ecp256",
    "aes256gcm16-prfsha512-modp2048",
    "chacha20poly1305-prfsha256-x25519",
]
ESP = ["aes128-sha256", "aes256-sha256", "aes128gcm16", "aes256gcm16", "chacha20poly1305"]
SUITES = [(ike, "aes128-sha256") for ike in IKE] + [("aes128-sha256-x25519", esp) for esp in ESP[1:]]
VM_SUITES = [
    ("aes128-sha256-x25519", "aes128-sha256"),
    ("aes256gcm16-prfsha384-ecp256", "aes128gcm16"),
    ("chacha20poly1305-prfsha512-modp2048", "chacha20poly1305"),
]
RUNS = [("cpython", *suite) for suite in SUITES] + [("vm", *suite) for suite in VM_SUITES]


def heap(ike):
    """X25519 with a pre-shared key is promised in 96 KB; the others in what a plain board has left."""
    return ("--heap", "96k" if ike == IKE[0] else "111k")


def check_counters(gateway, packets=PINGS):
    """Every packet went through strongSwan's Child SA, in both directions."""
    counters = gateway.counters()
    assert counters["packets-in"] == counters["packets-out"] == packets, counters
    assert counters["bytes-in"] == counters["bytes-out"] == packets * PING_BYTES, counters


@pytest.mark.parametrize(("runtime", "ike", "esp"), RUNS)
def test_board_as_initiator(namespaces, gateway, tmp_path, runtime, ike, esp):
    gateway.configure(connection(ike=ike, esp=esp))
    words = ("--runtime", runtime, *heap(ike), "--ping", INNER, "--count", PINGS, "--interval", 0.1)
    with boards.Board(namespaces, tmp_path, boards.initiator(ike=ike, esp=esp), *words) as board:
        board.wait_for("ping", PINGS)
        check_counters(gateway)
        assert "state=ESTABLISHED" in gateway.sas()
        result = board.finish()
    assert result["status"] == 0 and result["established"] and result["failure"] is None
    assert result["pings"] == {"sent": PINGS, "answered": PINGS}
    assert result["packets"] == {"in": PINGS, "out": PINGS}
    assert result["virtual_ip"].startswith("10.9.0.") and result["local_ts"] == [result["virtual_ip"] + "/32"]
    assert result["remote_ts"] == ["10.1.0.0/16"]
    gateway.wait_for(r"deleting IKE_SA peer|received DELETE for IKE_SA peer")


@pytest.mark.parametrize(("runtime", "ike", "esp"), RUNS)
def test_board_as_responder(namespaces, gateway, tmp_path, runtime, ike, esp):
    configuration = connection(
        ike=ike, esp=esp, remote="192.0.2.2", pool=False, ask_address=True, local_ts="dynamic", remote_ts="10.2.0.0/16"
    )
    gateway.configure(configuration)
    words = ("--runtime", runtime, *heap(ike))
    with boards.Board(namespaces, tmp_path, boards.responder(ike=ike, esp=esp), *words) as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        board.wait_for("child_up")
        ping = Namespaces.command(namespaces.gateway, "ping", "-c", PINGS, "-i", "0.2", "-W", "5", "10.2.0.1")
        done = subprocess.run(ping, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stdout
        check_counters(gateway)
        result = board.finish()
    assert result["established"] and result["failure"] is None
    assert result["virtual_ip"] == "10.8.0.1" and result["local_ts"] == ["10.2.0.0/16"]
    assert result["packets"] == {"in": PINGS, "out": PINGS}
    gateway.wait_for(r"received DELETE for IKE_SA peer")
