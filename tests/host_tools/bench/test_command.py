"""The tables of `uike bench`, from figures of a known kind; and figures that cannot be had fail in one line."""

import io

from click.testing import CliRunner
from rich.console import Console

from host_tools.bench import command, cpython, peers, vm
from host_tools.cli import main

ROLE = {"fuel": 12_300_000, "crypto_fuel": 10_000_000, "ratio": 1.23, "heap_peak": 2048, "heap_idle": 1024}
FIGURES = {
    "heap": "111k",
    "vm": {
        "handshakes": [{"ike": "aes128-sha256-x25519", "esp": "aes128-sha256", "initiator": ROLE, "responder": ROLE}],
        "packets": [
            {
                "esp": "aes128gcm16",
                "packets": [{"size": 64, "fuel_out": 1_500_000, "fuel_in": 1_400_000, "growth": 0}],
            }
        ],
    },
    "cpython": {
        "python": "3.11.7",
        "handshakes": [
            {"ike": "i", "esp": "e", "initiator_cpu_ms": 0.5, "responder_cpu_ms": 0.25, "per_second": 1333},
        ],
        "packets": [
            {"esp": "aes128gcm16", "packets": [{"size": 64, "out_per_second": 12345, "in_per_second": 6789}]},
        ],
    },
    "peers": {
        "core": 1,
        "rows": [{"what": "handshake", "strongswan": 0.62, "uike": 0.42, "ratio": 0.677, "aim": "at most 1"}],
    },
}


def lines(figures):
    screen = Console(file=io.StringIO(), width=160)
    for table in command.tables(figures):
        screen.print(table)
    return [" ".join(line.split()) for line in screen.file.getvalue().splitlines()]


def test_the_tables():
    found = lines(FIGURES)
    assert "aes128-sha256-x25519 / aes128-sha256 initiator 12.3 10.0 1.230 2.0 1.0" in found
    assert "responder 12.3 10.0 1.230 2.0 1.0" in found
    assert "aes128gcm16 64 1.5 1.4 0" in found
    assert "i / e 0.50 0.25 1,333" in found
    assert "aes128gcm16, 64 bytes 12,345 6,789" in found
    assert "Beside strongSwan, same run, same core (CPU 1)" in found and "handshake 0.62 0.42 0.68 at most 1" in found


def test_without_peers_there_is_no_such_table():
    figures = {name: each for name, each in FIGURES.items() if name != "peers"}
    assert not [line for line in lines(figures) if "strongSwan" in line]


def test_a_figure_that_cannot_be_had_is_one_line(monkeypatch, tmp_path):
    for name in ("handshake", "packets"):
        monkeypatch.setattr(vm, name, lambda *_: {})
    for name in ("handshakes", "packets"):
        monkeypatch.setattr(cpython, name, lambda *_: {})
    monkeypatch.setattr(peers, "CHARON", str(tmp_path / "charon"))
    monkeypatch.setattr(peers.os, "geteuid", lambda: 0)
    output = tmp_path / "bench.json"
    done = CliRunner().invoke(main, ["bench", "--peers", "--output", str(output)])
    assert done.exit_code == 1 and not output.exists()
    assert done.stderr.splitlines()[-1].startswith("uike bench: no strongSwan to compare with:")
