"""The estimate of a secret's entropy: what people type is weak, what a generator makes is not, and nothing is told."""

import base64
import json
import random
import re

import pytest
from click.testing import CliRunner

from host_tools import psk_strength
from host_tools.cli import main

WORDS = "correct horse battery staple orange window silver garden monkey planet candle".split()


@pytest.mark.parametrize(
    ("secret", "most"),
    [
        (b"a", 8),
        (b"password", 5),
        (b"P4$$w0rd2024", 12),
        (b"CorrectHorseBatteryStaple", 70),
        (b"secretsecretsecret", 8),
        (b"12345678901234567890123456789012", 30),
        (b"abcdefghijklmnopqrstuvwxyz", 40),
        (b"a" * 64, 12),
        (bytes(32), 16),
        (bytes(range(32)), 48),
        (b"correct horse battery staple", 70),
        (b"a key that nobody guesses", 100),
        (b"Tr0ub4dor&3", 80),
        (b"hunter2" * 9, 30),
    ],
)
def test_what_people_type(secret, most):
    assert 0 < psk_strength.bits(secret) <= most


def test_longer_is_never_much_easier():
    for count in range(1, len(WORDS)):
        shorter, longer = [" ".join(WORDS[:each]).encode() for each in (count, count + 1)]
        assert psk_strength.bits(shorter) + 10 < psk_strength.bits(longer)
    assert psk_strength.bits(" ".join(WORDS[:10]).encode()) >= psk_strength.PSK_BITS


def test_what_a_generator_makes():
    """None of a thousand is called weak: raw, in hexadecimal, in base64."""
    source = random.Random(8784)
    for _ in range(1000):
        raw = source.randbytes(24)
        assert psk_strength.bits(raw) >= 180
        for text in (raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode()):
            assert psk_strength.bits(text.encode()) >= psk_strength.PSK_BITS, text


def tree(**keys):
    return {"connection": {"hq": keys}}


def test_a_line_for_each_weak_secret():
    strong, stronger = (
        "0s" + base64.b64encode(bytes(range(7, 250, 10))).decode(),
        "0x" + random.Random(1).randbytes(33).hex(),
    )
    assert psk_strength.warnings(tree(psk=strong, ppk=stronger)) == []
    weak = tree(psk="hunter2", ppk=strong, psks={"alice@example": "hunter2", "bob@example": strong})
    lines = psk_strength.warnings(weak)
    assert [re.match(r"\[connection.hq\] (.*): about \d+ bits", line).group(1) for line in lines] == [
        "psk",
        "ppk",
        "psks of alice@example",
    ]
    assert "hunter2" not in str(lines) and "256" in lines[1] and "128" in lines[0]
    assert len(psk_strength.warnings(tree(psk_hex="00" * 16))) == 1
    assert psk_strength.warnings({}) == psk_strength.warnings(tree()) == psk_strength.warnings(tree(psk="0xno")) == []


def test_the_commands_say_so_on_stderr(tmp_path):
    path = tmp_path / "board.toml"
    path.write_text(
        '[connection.hq]\nrole = "initiator"\nremote = "127.0.0.78"\nlocal = "127.0.0.77"\nlocal_id = "dev.example"\n'
        'psk = "hunter2hunter3"\nretransmit_ms = 100\nretransmit_tries = 1\nreconnect_max = 0\n'
    )
    done = CliRunner().invoke(main, ["emulate", "--json", "--runtime", "cpython", "--config", str(path)])
    assert json.loads(done.stdout)["established"] is False
    assert "uike emulate: warning: [connection.hq] psk: about " in done.stderr and "hunter2" not in done.output
    done = CliRunner().invoke(main, ["image", "esp32-generic", "--config", str(path), "-o", str(tmp_path / "x"),
                                     "--micropython", str(path)])  # fmt: skip
    assert "uike image: warning: [connection.hq] psk: about " in done.stderr and "hunter2" not in done.output
