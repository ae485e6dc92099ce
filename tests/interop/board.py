"""`uike emulate` in the board's namespace, as a user runs it: a configuration file in, events and one JSON object out."""

import json
import subprocess
import sys
import time
from pathlib import Path

from host_tools.peers.network import BOARD, GATEWAY, Namespaces

UIKE = Path(sys.executable).with_name("uike")


class Board:
    """Stays up until `finish`; meanwhile its events can be awaited and its console typed at."""

    def __init__(self, namespaces: Namespaces, directory: Path, configuration: str, *words):
        self._events_path = directory / "events.jsonl"
        self._events_path.unlink(missing_ok=True)
        path = directory / "board.toml"
        path.write_text(configuration)
        command = (UIKE, "emulate", "--config", path, "--json", "--stdin", "--events", self._events_path, *words)
        self._process = subprocess.Popen(
            Namespaces.command(namespaces.board, *command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def events(self, name: str) -> list[dict]:
        """The fields of each event of that name so far."""
        if not self._events_path.exists():
            return []
        lines = self._events_path.read_text().split("\n")[:-1]  # what follows the last line end is half written
        return [event["fields"] for event in map(json.loads, lines) if event["event"] == name]

    def wait_for(self, name: str, count: int = 1, seconds: float = 60.0) -> list[dict]:
        """The events of that name, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(self.events(name)) < count:
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._events_path.read_text() if self._events_path.exists() else ""
                raise AssertionError(f"no {count} {name!r} of the board\n{said}\n{self._stop()}")
            time.sleep(0.02)
        return self.events(name)

    def type(self, **command) -> None:
        """A command for the console."""
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    def wait_for_end(self, seconds: float = 60.0) -> dict:
        """The JSON object of a board that ends by itself; its exit status is under "status"."""
        self._process.wait(seconds)
        return self.finish()

    def finish(self, seconds: float = 60.0) -> dict:
        """The same of a board that is asked to close: its standard input ends."""
        out, error = self._process.communicate(timeout=seconds)
        assert out, error.decode()
        return {**json.loads(out), "status": self._process.returncode}

    def kill(self) -> None:
        """As when the power fails."""
        self._process.kill()
        self._process.wait()

    def _stop(self) -> str:
        self._process.terminate()
        try:
            out, error = self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            out, error = self._process.communicate()
        return f"{out.decode()}\n{error.decode()}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._stop()


COMMON = """
local_id = "{local_id}"
remote_id = "{remote_id}"
psk = "{psk}"
proposals = ["{ike}"]
esp_proposals = ["{esp}"]
retransmit_ms = {retransmit_ms}
retransmit_tries = 4
"""
INITIATOR = """
[connection.hq]
role = "initiator"
reconnect_max = {reconnect_max}
remote = "{gateway}"
virtual_ip = {virtual_ip}
remote_ts = ["{remote_ts}"]
"""
RESPONDER = """
[connection.branch]
role = "responder"
remote = "%any"
pool = "10.8.0.0/24"
dns = ["10.2.0.53"]
local_ts = ["{local_ts}"]
"""
DEFAULTS = {
    "local_id": "dev.example",
    "remote_id": "gw.example",
    "psk": "a key that nobody guesses",
    "ike": "aes128-sha256-x25519",
    "esp": "aes128-sha256",
    "gateway": GATEWAY,
    "local": BOARD,
    "remote_ts": "10.1.0.0/16",
    "local_ts": "10.2.0.0/16",
    "virtual_ip": "true",
    "retransmit_ms": 500,
    "reconnect_max": 0,  # a test sees each attempt end
}


def initiator(more: str = "", **changes) -> str:
    """The configuration of a board that connects to the gateway."""
    return (INITIATOR + COMMON).format(**{**DEFAULTS, **changes}) + more


def responder(more: str = "", **changes) -> str:
    """The configuration of a board that the gateway connects to; it answers pings at 10.2.0.1."""
    return (RESPONDER + COMMON).format(**{**DEFAULTS, **changes}) + more
