"""`uike emulate` from its command line: exit statuses, and the JSON object that others rely on."""

import json
import signal

import pytest
from click.testing import CliRunner

from host_tools.cli import main

KEYS = {
    "established", "ike", "esp", "virtual_ip", "local_ts", "remote_ts", "pings", "rtt_ms", "handshake_ms", "heap_peak",
    "heap_idle", "fuel", "packets", "closed", "failure",
}  # fmt: skip
FAILURE_KEYS = {"reason", "notify", "exchange", "message_id", "authenticated", "text", "remedy"}
CONFIGURATION = """
[connection.hq]
role = "initiator"
remote = "192.0.2.1"
local_id = "dev.example"
psk = "a key that nobody guesses"
"""


@pytest.fixture(autouse=True)
def signals():
    """The command takes these for itself; the test run wants them back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def run(*words):
    return CliRunner().invoke(main, ["emulate", *map(str, words)])


@pytest.mark.parametrize("runtime", ["vm", "cpython"])
def test_two_boards_as_json(runtime):
    done = run("--json", "--runtime", runtime, "--count", 2, "--interval", 0.01)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)  # one object and nothing else
    assert set(result) == KEYS
    assert result["established"] and result["failure"] is None and result["closed"] == "DELETED_BY_US"
    assert result["ike"] == "AES_CBC_128/PRF_HMAC_SHA2_256/HMAC_SHA2_256_128/CURVE25519"
    assert result["esp"] == "AES_CBC_128/HMAC_SHA2_256_128/NO_ESN"
    assert result["virtual_ip"] == "10.9.0.1" and result["local_ts"] == ["10.9.0.1/32"]
    assert result["remote_ts"] == ["10.1.0.0/16"]
    assert result["pings"] == {"sent": 2, "answered": 2} == {"sent": 2, "answered": len(result["rtt_ms"])}
    assert result["packets"] == {"in": 2, "out": 2} and isinstance(result["handshake_ms"], int)
    if runtime == "vm":
        assert 0 < result["heap_idle"] < result["heap_peak"] < 111 * 1024 and result["fuel"] > 1_000_000
    else:
        assert result["fuel"] is None


def test_a_tunnel_that_does_not_come_up_is_status_1(tmp_path):
    path = tmp_path / "board.toml"
    silent = CONFIGURATION.replace("192.0.2.1", "127.0.0.78") + 'local = "127.0.0.77"\n'
    path.write_text(silent + "retransmit_ms = 100\nretransmit_tries = 2\n")
    done = run("--config", path, "--json", "--runtime", "cpython")
    assert done.exit_code == 1, done.output
    result = json.loads(done.stdout)
    assert set(result) == KEYS and not result["established"] and result["pings"] == {"sent": 0, "answered": 0}
    assert set(result["failure"]) == FAILURE_KEYS
    assert (result["failure"]["reason"], result["failure"]["exchange"]) == ("NO_ANSWER", "IKE_SA_INIT")


def test_the_brief_trace_the_events_and_the_table(tmp_path):
    events = tmp_path / "events.jsonl"
    done = run("--runtime", "cpython", "--count", 1, "--interval", 0.01, "--brief", "--events", events)
    assert done.exit_code == 0
    assert "sent IKE_SA_INIT request" in done.stdout and "ID_FQDN" not in done.stdout
    assert "1 of 1 answered" in done.stdout
    written = [json.loads(line) for line in events.read_text().splitlines()]
    assert {each["board"] for each in written} == {"initiator", "gateway"}
    assert {"message", "established", "child_up", "ping", "closed"} <= {each["event"] for each in written}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('virtual_ip = "yes"', "[connection.hq] virtual_ip: bad value; allowed: true or false"),
        ('remot_id = "gw"', "[connection.hq] remot_id: unknown; allowed: "),
    ],
)
def test_a_wrong_configuration_is_status_2(tmp_path, more, said):
    path = tmp_path / "board.toml"
    path.write_text(CONFIGURATION + more)
    done = run("--config", path, "--json")
    assert done.exit_code == 2 and done.stdout == ""
    assert f"uike emulate: {path}: {said}" in done.stderr and "nobody guesses" not in done.output


@pytest.mark.parametrize("words", [("--config", "/nonexistent.toml"), ("--count", 0), ("--runtime", "jvm"), ("--no",)])
def test_wrong_use_is_status_2(words):
    assert run(*words).exit_code == 2
