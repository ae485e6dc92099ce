"""`uike image`: the same inputs give the same bytes, and what does not belong together is refused."""

import hashlib
import json
from binascii import crc32

import pytest
from click.testing import CliRunner

from host_tools import boards, image_command
from host_tools.cli import main
from host_tools.esp32 import flash
from tests.esp32.test_flash import ESP32, ESP32C3, mounted, official

FILE = """
[wifi]
ssid = "net"
password = "not so secret"

[connection.hq]
role = "initiator"
remote = "192.0.2.1"
local_id = "dev.example"
remote_id = "gw.example"
psk = "a key that nobody guesses"
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "micropython.bin").write_bytes(official(ESP32))
    (tmp_path / "board.toml").write_text(FILE)

    def call(*words, board="esp32-generic", micropython="micropython.bin", config="board.toml"):
        given = ["image", board, "-o", str(tmp_path / "out.bin")]
        given += ["--micropython", str(tmp_path / micropython)] if micropython else []
        given += ["--config", str(tmp_path / config)] if config else []
        return CliRunner().invoke(main, [*given, *words])

    return call


def files(tmp_path):
    merged = (tmp_path / "out.bin").read_bytes()
    place = flash.file_system_place(official(ESP32), len(merged))
    system = mounted(merged[place.offset : place.offset + place.size])

    def read(path):
        with system.open(path, "rb") as file:
            return file.read()

    return read


def test_a_file_for_a_board(run, tmp_path):
    outcome = run("--allow-unknown", "--json")
    assert outcome.exit_code == 0, outcome.output
    report = json.loads(outcome.stdout)
    data = (tmp_path / "out.bin").read_bytes()
    assert report["size"] == len(data) == 4 << 20 and report["sha256"] == hashlib.sha256(data).hexdigest()
    read = files(tmp_path)
    assert read("boot.py").startswith(b"import micropython\nmicropython.kbd_intr(-1)\n")  # before anything else
    assert read("main.py") == b"import uike_start\nuike_start.main(False)\n" and read("uike_start.mpy")[:1] == b"M"
    assert read("a/main.mpy")[:1] == b"M" and read("a/uike/endpoint.mpy")[:1] == b"M"
    settings = json.loads(read("store/board.json")[4:])
    assert settings == {"board": "esp32-generic", "mhz": 240, "led": 2}
    stored = read("store/config.json")
    assert stored[:4] == crc32(stored[4:]).to_bytes(4, "big")
    connection = json.loads(stored[4:])["connection"]["hq"]
    assert connection["proposals"] == boards.load("esp32-generic").proposals
    assert json.loads(read("store/network.json")[4:]) == {"wifi": {"ssid": "net", "password": "not so secret"}}
    assert run("--allow-unknown").exit_code == 0 and (tmp_path / "out.bin").read_bytes() == data


def test_time_servers_and_a_board_with_ethernet(run, tmp_path):
    (tmp_path / "board.toml").write_text('[ntp]\nservers = ["192.0.2.123"]\n' + FILE[FILE.index("[connection") :])
    assert run("--allow-unknown", board="olimex-esp32-poe").exit_code == 0
    read = files(tmp_path)
    assert json.loads(read("store/network.json")[4:]) == {"ntp": ["192.0.2.123"]}
    settings = json.loads(read("store/board.json")[4:])
    assert settings["ethernet"]["clock_pin"] == 17 and settings["safe_pin"] == 34


def test_secrets_are_not_shown(run):
    outcome = run("--allow-unknown")
    assert "not so secret" not in outcome.output and "nobody guesses" not in outcome.output


def test_an_image_that_nobody_knows_is_refused(run, tmp_path):
    outcome = run()
    assert outcome.exit_code == 2 and "take --allow-unknown" in outcome.stderr
    assert not (tmp_path / "out.bin").exists()


def test_an_image_of_another_chip_is_refused(run, tmp_path):
    (tmp_path / "c3.bin").write_bytes(official(ESP32C3))
    outcome = run("--allow-unknown", micropython="c3.bin")
    assert outcome.exit_code == 2 and "an image for the esp32c3, and esp32-generic has an esp32" in outcome.stderr


def test_a_board_without_flash(run):
    assert "emulated has no flash: use uike emulate" in run(board="emulated").stderr


def test_off_line_it_says_where_to_put_the_image(run, monkeypatch, tmp_path):
    monkeypatch.setenv("UIKE_CACHE", str(tmp_path / "cache"))

    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(image_command.urllib.request, "urlopen", refuse)
    outcome = run(micropython=None)
    assert outcome.exit_code == 2 and f"put it at {tmp_path / 'cache'}" in outcome.stderr
    name = boards.load("esp32-generic").micropython.file
    (tmp_path / "cache" / "micropython" / name).write_bytes(official(ESP32))
    assert "SHA-256" in run(micropython=None).stderr  # what is kept is checked too


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('ssid = "net"', 'ssid = ""', "[wifi] ssid: bad value; allowed: 1 to 32 bytes"),
        ('ssid = "net"', "", "[wifi] ssid: missing"),
        ('ssid = "net"', 'sid = "net"', "[wifi] sid: unknown; allowed: ssid, password"),
        ('"not so secret"', '"short"', "[wifi] password: bad value; allowed: 8 to 63"),
        ("[wifi]", '[static]\naddress = "192.0.2.7"\n[wifi]', "[static] netmask: missing"),
        ("[wifi]", "[ethernet]\n[wifi]", "ethernet: unknown"),
        ("[wifi]", "[ntp]\n[wifi]", "[ntp]: not a table with servers; allowed: servers, a list"),
        (
            "[wifi]",
            '[ntp]\nservers = ["a", "b", "c", "d"]\n[wifi]',
            "[ntp] servers: bad value; allowed: a list of at most 3",
        ),
        ("[wifi]", '[ntp]\nservers = ["a b"]\n[wifi]', "[ntp] servers: bad value"),
    ],
)
def test_tables_that_are_refused(run, tmp_path, old, new, said):
    (tmp_path / "board.toml").write_text(FILE.replace(old, new))
    outcome = run("--allow-unknown")
    assert outcome.exit_code == 2 and said in outcome.stderr and "short" not in outcome.stderr
