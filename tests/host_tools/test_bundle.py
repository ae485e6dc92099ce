"""The archive of a bug report: all that helps, and no secret, in whatever dress."""

import io
import json
import zipfile
from base64 import b64encode

import pytest
from click.testing import CliRunner

from host_tools import bundle, secrets
from host_tools.cli import main
from host_tools.recording import parse, record
from tests.handshake import events, lifetime, line
from uike import event

PSK = "a key that nobody guesses"
PASSWORD = "the wireless word"
CONFIGURATION = f"""
trace_keys = true
[wifi]
ssid = "net"
password = "{PASSWORD}"
[connection.hq]
role = "initiator"
remote = "192.0.2.1"
local_id = "dev.example"
psk = "{PSK}"
unheard_of = "who knows what this is"
[connection.lab]
role = "initiator"
remote = "192.0.2.9"
local_id = "dev.example"
psk_hex = "00112233445566778899aabbccddeeff"
"""


def lines_of(side):
    """A side's console, as it was."""
    return [line(vars(event)[name], sa, 43, body) for name, sa, body in side.log]


def packed(tmp_path, data, *words):
    (tmp_path / "board.toml").write_text(CONFIGURATION)
    (tmp_path / "run.trace").write_bytes(data)
    out = tmp_path / "bug.zip"
    words = ["bundle", str(tmp_path / "run.trace"), "-o", str(out), "--config", str(tmp_path / "board.toml"), *words]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_is_in_it(tmp_path):
    world, _ = lifetime()
    files = packed(tmp_path, b"\n".join([line(event.GREETING, 0, 1, b"uike 0.1.0 on esp32"), *lines_of(world.board)]))
    assert set(files) == {
        "README.txt", "versions.json", "config.json",
        "run.trace", "run.txt", "run.verdict.txt", "run.verdict.json", "run.svg",
    }  # fmt: skip
    assert json.loads(files["run.verdict.json"])["case"] == "UP"
    assert json.loads(files["versions.json"])["boards"] == ["uike 0.1.0 on esp32"]
    assert len(parse(files["run.trace"].split(b"\n")).events) == len(events(world.board)) + 1
    assert b"IKE_SA_INIT request" in files["run.txt"] and files["run.svg"].startswith(b"<svg")


def test_a_configuration_without_its_secrets(tmp_path):
    files = packed(tmp_path, line(event.GREETING, 0, 1, b"uike"))
    tree = json.loads(files["config.json"])
    assert tree["wifi"] == {"ssid": "net", "password": "(removed)"} and tree["trace_keys"] is True
    assert tree["connection"]["hq"]["psk"] == tree["connection"]["hq"]["unheard_of"] == "(removed)"
    assert tree["connection"]["lab"]["psk_hex"] == "(removed)" and tree["connection"]["hq"]["remote"] == "192.0.2.1"


def test_tables_of_secrets():
    tree = {
        "admin": {"secret": "the administrator's"},
        "relay": [{"listen": 80, "to": "10.1.0.7:80", "token": "a relay's"}],
        "connection": {
            "hq": {"local_ts": ["10.1.0.0/16"], "psks": {"remote": "the first's", "b.example": "0x1122334455"}},
            "users": {"eap_users": {"local": "her password"}},
        },
    }
    assert secrets.of(tree) == [
        b"the administrator's", b"a relay's", b"the first's", b"0x1122334455", bytes.fromhex("1122334455"),
        b"her password",
    ]  # fmt: skip
    assert secrets.without(tree) == {
        "admin": {"secret": "(removed)"},
        "relay": [{"listen": 80, "to": "10.1.0.7:80", "token": "(removed)"}],
        "connection": {
            "hq": {"local_ts": ["10.1.0.0/16"], "psks": {"remote": "(removed)", "b.example": "(removed)"}},
            "users": {"eap_users": {"local": "(removed)"}},
        },
    }


def test_no_secret_in_any_dress(tmp_path):
    world, ear = lifetime()
    key = ear.ciphers[0][0]
    hexadecimal = "00112233445566778899aabbccddeeff"
    said = [
        b"the user typed " + PSK.encode(),
        b"and in hexadecimal " + PSK.encode().hex().encode(),
        b"joined with " + b64encode(b"x" + PASSWORD.encode()),
        b"psk_hex " + hexadecimal.encode() + b" raw " + bytes.fromhex(hexadecimal).replace(b"\n", b""),
        line(event.KEYS, 0, 5, b"\0\x0c\x10\0\0\0" + key),
        line(event.COMMAND_ERROR, 0, 6, b"unknown: " + PSK.encode()),
    ]
    log = tmp_path / "charon.log"
    log.write_bytes(b"secret: " + PSK.encode())
    files = packed(tmp_path, b"\n".join([*lines_of(world.board), *said]), "--log", str(log))
    nonces = {bytes(each) for each in ear.secrets if len(each) == 64}  # Ni | Nr, the key of SKEYSEED, is public
    hidden = {bytes(each) for each in ear.secrets} - nonces
    hidden |= {PSK.encode(), PASSWORD.encode(), hexadecimal.encode(), bytes.fromhex(hexadecimal), key}
    records = [each for each in map(record, files["run.trace"].split(b"\n")) if each]
    assert len(hidden) > 20 and len(records) > 10
    for data in (*files.values(), *records):
        for secret in hidden:
            assert not secrets.found_in(data, [secret]), secret
    assert b"(removed)" in files["run.trace"] and b"(removed)" in files["peer.log"]


@pytest.mark.parametrize("secret", [b"four", b"a key", b"0123456789abcdef" * 2])
def test_a_secret_is_found_wherever_it_stands(secret):
    for before in range(4):
        for after in range(4):
            data = b64encode(b"x" * before + secret + b"y" * after)
            assert secrets.found_in(b"-" + data + b"-", [secret]) or len(secret) < 6
    for data in (secret, secret.hex().encode(), secret.hex().upper().encode()):
        assert secrets.found_in(b"<" + data + b">", [secret])
        assert not secrets.found_in(secrets.scrub(b"<" + data + b">", [secret]), [secret])


def test_what_is_no_recording(tmp_path):
    (tmp_path / "x.trace").write_bytes(b"nothing\n")
    done = CliRunner().invoke(main, ["bundle", str(tmp_path / "x.trace"), "-o", str(tmp_path / "bug.zip")])
    assert done.exit_code == 2 and "no trace record" in done.stderr and not (tmp_path / "bug.zip").exists()


def test_the_board_it_is(tmp_path):
    files = packed(tmp_path, line(event.GREETING, 0, 1, b"uike"), "--board", "esp32-generic")
    assert json.loads(files["board.json"])["name"] == "esp32-generic"
    assert bundle.pack({})
