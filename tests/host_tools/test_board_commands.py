"""The commands that speak to a board, against emulated boards on a socket and on a pseudo-terminal."""

import contextlib
import json
import time
from base64 import b64encode

import pytest
from click.testing import CliRunner

from host_tools import admin, demo, ports, records
from host_tools.cli import main
from host_tools.emulator.board import EmulatedBoard
from host_tools.emulator.clock import RealClock
from host_tools.emulator.host import Host
from host_tools.emulator.network import Switch
from host_tools.emulator.serial import SerialError, SerialPort
from uike import reason

PSK = "5a" * 32
FILE = """
[connection.hq]
role = "initiator"
remote = "192.0.2.1"
local_id = "dev.example"
remote_id = "gw.example"
psk = "correct horse battery staple"
remote_ts = ["10.1.0.0/16"]
[wifi]
ssid = "net"
password = "a password"
"""


class Desk:
    """A board with a serial port, a gateway that it may reach, and a file of configuration."""

    def __init__(
        self, tmp_path, runtime="cpython", where="socket://127.0.0.1:0", blank=False, files=(), trees=None, entry=None
    ):
        clock = RealClock()
        self.switch = Switch(clock)
        ours, theirs = trees or demo.configurations(PSK)
        files = dict(files) if blank else {"config.json": json.dumps(ours).encode(), **dict(files)}
        self.host = Host("board", clock, self.switch.attach(demo.INITIATOR), files=files)
        there = {"config.json": json.dumps(theirs).encode()}
        gateway = Host("gateway", clock, self.switch.attach(demo.GATEWAY), files=there)
        self.heard = []
        self.host.on_line = self.heard.append
        self.serial = SerialPort(self.host, where)
        self.boards = [EmulatedBoard(gateway, "cpython"), EmulatedBoard(self.host, runtime, entry=entry)]
        self.path = tmp_path / "gw.toml"
        self.path.write_text(FILE)
        for board in self.boards:
            board.start()

    def run(self, *arguments, code=0, text=None):
        """(what `uike` printed on stdout, what on stderr)"""
        result = CliRunner().invoke(main, arguments, env={"UIKE_PORT": self.serial.url}, input=text)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result.stdout, result.stderr

    def until(self, name, number=None):
        """Waits for an event, with that reason if it is given."""
        end = time.monotonic() + 60
        while not [event for event in self.said(name) if number in (None, event.fields.get("reason"))]:
            assert time.monotonic() < end, f"no {name}"
            time.sleep(0.01)

    def said(self, name):
        return [event for event in map(records.parse, list(self.heard)) if event and event.name == name]

    def close(self):
        for board in self.boards:
            board.stop()
        self.serial.close()
        assert all(board.verdict.ok for board in self.boards) and not self.boards[1].violations


@contextlib.contextmanager
def desk(*arguments, **options):
    made = Desk(*arguments, **options)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize(("runtime", "where"), [("cpython", "pty"), ("cpython", "socket://127.0.0.1:0"), ("vm", "pty")])
def test_a_life_on_the_desk(tmp_path, runtime, where):
    """status, provision, status, reset: as somebody would type them."""
    with desk(tmp_path, runtime, where) as there:
        there.until("child_up")
        found = json.loads(there.run("status", "--json")[0])
        (sa,) = found["sas"]
        assert (found["board"], sa["state"], sa["peer"]) == (runtime, "ESTABLISHED", "gw.example")
        assert sa["suite"] == "AES_CBC_128/PRF_HMAC_SHA2_256/HMAC_SHA2_256_128/CURVE25519"
        assert sa["children"][0]["suite"] == "AES_CBC_128/HMAC_SHA2_256_128/NO_ESN"
        assert sa["children"][0]["local_ts"] == ["10.9.0.1/32"] and sa["address"] == "10.9.0.1"
        assert (found["heap"] is None) == (runtime == "cpython") and not found["admin"]
        out, err = there.run("provision", "--config", str(there.path))
        assert "acknowledged with SHA-256" in out and "no [admin] secret is set" in out and "stored" in err
        assert json.loads(there.host.files["network.json"]) == {"wifi": {"ssid": "net", "password": "a password"}}
        assert b"correct horse" in there.host.files["config.json"]
        there.until("closed", reason.PEER_SAID_AUTH_FAILED)  # the gateway has another PSK
        out, _ = there.run("status")
        assert "hq        initiator, remote 192.0.2.1" in out and "PEER_SAID_AUTH_FAILED" in out
        for text in (out, there.run("status", "--json")[0]):
            assert "horse" not in text and "a password" not in text and PSK not in text
        out, _ = there.run("reset", text="y\n")
        assert "no key" in out and there.host.files.keys() == {"seed"}
        assert "uike provision --config FILE" in there.run("status")[0]
        assert len(there.said("greeting")) == 3


def test_what_makes_no_sense_changes_nothing(tmp_path):
    with desk(tmp_path) as there:
        before = dict(there.host.files)
        there.path.write_text(FILE.replace('"initiator"', '"king"'))
        _, err = there.run("provision", "--config", str(there.path), code=2)
        assert "role" in err and "allowed" in err
        assert there.run("reset", code=1, text="n\n")
        assert there.host.files["config.json"] == before["config.json"] and len(there.said("greeting")) < 2


def test_the_admin_secret(tmp_path):
    with desk(tmp_path) as there:
        there.path.write_text(FILE + '[admin]\nsecret = "open sesame"\n')
        out, _ = there.run("provision", "--config", str(there.path))
        assert "no [admin]" not in out and there.host.files["admin"] == admin.key("open sesame")
        assert json.loads(there.run("status", "--json")[0])["admin"]
        before = dict(there.host.files)
        _, err = there.run("provision", "--config", str(there.path), code=1)
        assert "ADMIN_PROOF_WANTED" in err and "UIKE_ADMIN" in err
        for _ in range(3):
            _, err = there.run("reset", "--yes", "--admin", "open barley", code=1)
            assert "ADMIN_PROOF_WRONG" in err
        _, err = there.run("reset", "--yes", "--admin", "open sesame", code=1)
        assert "ADMIN_PAUSE" in err and "the next try in 1 s" in err
        assert there.host.files["config.json"] == before["config.json"]
        time.sleep(1.0)
        there.path.write_text(FILE)  # without the table: the secret stays
        there.run("provision", "--config", str(there.path), "--admin", "open sesame")
        assert there.host.files["attempts"] == b"\0" and there.host.files["admin"] == before["admin"]
        there.run("reset", "--yes", "--admin", "open sesame")
        assert not there.host.files.keys() & {"admin", "config.json"}


def test_debug_live_kept_and_replayed(tmp_path):
    kept = tmp_path / "trace"
    with desk(tmp_path) as there:
        out, _ = there.run("provision", "--config", str(there.path), "--json")
        assert json.loads(out)["restarted"]
        out, _ = there.run("debug", "--duration", "2.5", "-w", str(kept))
        assert "IKEv2:(SA " in out and "sent IKE_SA_INIT request" in out and "AUTHENTICATION_FAILED" in out
    replay = CliRunner().invoke(main, ["debug", "-r", str(kept)])
    assert replay.exit_code == 0 and replay.stdout == out
    objects = CliRunner().invoke(main, ["debug", "-r", str(kept), "--json", "--group", "ike", "--connection", "hq"])
    events = [json.loads(line) for line in objects.stdout.splitlines()]
    assert {"negotiating", "closed", "reconnect"} <= {each["event"] for each in events}
    assert not {"message", "seed"} & {each["event"] for each in events}
    none = CliRunner().invoke(main, ["debug", "-r", str(kept), "--connection", "other"])
    assert none.exit_code == 0 and none.stdout == ""


def test_no_board():
    for port, code, text in (
        ("socket://127.0.0.1:1", 3, "nobody listens there"),
        ("/dev/not-there", 3, "carries data"),
        ("gopher://x", 3, "gopher"),
    ):
        result = CliRunner().invoke(main, ["status", "--port", port])
        assert (result.exit_code, result.stdout) == (code, "") and text in result.stderr
    assert CliRunner().invoke(main, ["status", "--prt", "x"]).exit_code == 2


def test_a_port_without_a_board(monkeypatch):
    monkeypatch.setattr("host_tools.link.TRY_S", 0.01)
    result = CliRunner().invoke(main, ["status", "--port", "loop://"])
    assert result.exit_code == 3 and "no uike board answers" in result.stderr


class Plugged:
    def __init__(self, device, vid):
        self.device, self.vid, self.serial_number = device, vid, "1"


def test_which_port(monkeypatch):
    found = [Plugged("/dev/ttyS0", None)]
    monkeypatch.setattr(ports.list_ports, "comports", lambda: found)
    with pytest.raises(ports.PortError, match="plugged in"):
        ports.choose(None)
    found.append(Plugged("/dev/ttyUSB1", 0x10C4))
    said = []
    assert ports.choose(None, said.append) == "/dev/ttyUSB1" and "/dev/ttyUSB1" in said[0]
    found.append(Plugged("/dev/ttyACM0", 0x303A))
    with pytest.raises(ports.PortError, match="several boards(.|\n)*/dev/ttyACM0(.|\n)*/dev/ttyUSB1"):
        ports.choose(None)
    assert ports.choose("COM3") == "COM3"


def test_permission_is_explained(monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ports.serial, "serial_for_url", denied)
    with pytest.raises(ports.PortError, match="dialout"):
        ports.opened("/dev/ttyUSB0")


@pytest.mark.parametrize("command", ["status", "provision", "reset", "debug"])
def test_each_help_has_an_example(command):
    result = CliRunner().invoke(main, [command, "--help"], terminal_width=200)
    assert result.exit_code == 0 and f"Example: uike {command}" in result.stdout and "--json" in result.stdout


def test_a_narrow_buffer_and_a_slow_board():
    class Board:
        lines: list = []
        name = "slow"

        def type_line(self, line):
            self.lines.append(line)

        def unread(self):
            return sum(len(line) + 1 for line in self.lines)

    board = Board()
    port = SerialPort(board, "socket://127.0.0.1:0")
    port._take(b64encode(bytes(140)) + b"\n" + b"x" * 300 + b"\nnext\n")
    assert [len(line) for line in board.lines] == [188, 71] or sum(map(len, board.lines)) <= 262
    board.lines.clear()
    port._take(b"\nall is well\r\n")
    assert board.lines == [b"all is well"]
    port.close()
    with pytest.raises(SerialError, match="neither pty nor socket"):
        SerialPort(board, "tty")
