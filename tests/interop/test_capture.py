"""A tunnel to a real strongSwan, recorded with its datagrams and keys: tshark reads every message and packet in the clear."""

import json
import os
import subprocess

import pytest

from host_tools.peers.network import INNER
from host_tools.peers.strongswan import connection
from tests.interop import board as boards

RUNS = [
    ("cpython", "aes128-sha256-x25519", "aes128-sha256"),
    ("vm", "aes128-sha256-x25519", "aes128-sha256"),
    ("cpython", "aes256gcm16-prfsha256-ecp256", "aes256gcm16"),
]
FIELDS = ("isakmp.exchangetype", "isakmp.id.data.fqdn", "esp.spi", "icmp.type", "_ws.malformed")


def dissected(path, profile):
    """What tshark finds in each packet."""
    command = ["tshark", "-r", str(path), "-T", "json", "-o", "esp.enable_encryption_decode:TRUE"]
    for table in ("ikev2_decryption_table", "esp_sa"):
        for row in (profile / table).read_text().splitlines():
            command += ["-o", f"uat:{table}:{row}"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [packet["_source"]["layers"] for packet in json.loads(done.stdout)]


@pytest.mark.parametrize(("runtime", "ike", "esp"), RUNS)
def test_tshark_reads_it_all(namespaces, gateway, tmp_path, runtime, ike, esp):
    gateway.configure(connection(ike=ike, esp=esp))
    text = "trace_datagrams = true\ntrace_keys = true\n" + boards.initiator(ike=ike, esp=esp)
    trace = tmp_path / "board.trace"
    with boards.Board(namespaces, tmp_path, text, "--runtime", runtime, "--record", trace) as board:
        board.wait_for("established")
        board.type(do="ping", to=INNER, count=2, interval_ms=50)
        board.wait_for("ping", 2)
        board.type(do="rekey", what="child")
        board.wait_for("child_rekeyed")
        board.type(do="rekey", what="ike")
        board.wait_for("ike_rekeyed")
        board.type(do="ping", to=INNER, count=2, interval_ms=50)
        board.wait_for("ping", 4)
        assert board.finish()["failure"] is None
    command = [boards.UIKE, "pcap", trace, "-o", tmp_path / "out.pcapng", "--keys", tmp_path / "profile"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "WARNING" in done.stderr and "no datagrams" not in done.stderr
    assert os.stat(tmp_path / "profile" / "esp_sa").st_mode & 0o777 == 0o600
    packets = dissected(tmp_path / "out.pcapng", tmp_path / "profile")
    assert not [each for each in packets if "_ws.malformed" in each]
    exchanges = [each["isakmp.exchangetype"][0] for each in packets if "isakmp.exchangetype" in each]
    assert exchanges[:4] == ["34", "34", "35", "35"] and exchanges.count("36") == 4 and exchanges.count("37") >= 4
    names = [each["isakmp.id.data.fqdn"] for each in packets if "isakmp.id.data.fqdn" in each]
    assert names == [["dev.example", "gw.example"], ["gw.example"]]  # inside of SK
    pings = [each["icmp.type"][0] for each in packets if "icmp.type" in each]
    assert pings == ["8", "0"] * 4 and len([each for each in packets if "esp.spi" in each]) == 8
