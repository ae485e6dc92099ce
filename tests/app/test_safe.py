"""Safe mode: the console alone, and one more try when nobody is there."""

import json
import os
from types import SimpleNamespace

import pytest

from host_tools import admin, records
from host_tools.link import CommandError, Link
from host_tools.provision_command import send
from host_tools.status_command import asked
from uike.app import safe
from uike.hal.cpython.crypto import Provider
from uike.trace import Trace


class Life:
    def __init__(self):
        self.retried = 0

    def tell(self, trace):
        assert isinstance(trace, Trace)

    def retry(self):
        self.retried += 1
        raise SystemExit


class Board:
    """Time passes when it waits; `lines` are typed at their times."""

    name = "esp32"

    def __init__(self, lines=()):
        self.time, self.lines, self.said, self.life = 0, list(lines), [], Life()
        self.console = SimpleNamespace(read=self._read, write=lambda line: self.said.append(records.parse(line)))

    def _read(self):
        if self.lines and self.lines[0][0] <= self.time:
            return json.dumps(self.lines.pop(0)[1]).encode()
        return None

    def now(self):
        return self.time

    def wait(self, ms):
        self.time += min(ms, 500)

    def running(self):
        return True

    def heap(self):
        return 1, 2


def test_it_tries_again_after_a_quarter_of_an_hour():
    board = Board()
    with pytest.raises(SystemExit):
        safe.run(board)
    assert board.life.retried == 1 and board.time == 900_000


class Wire(Board):
    """The board's console as a host's port: time passes on the board when the host waits."""

    def __init__(self, kept):
        super().__init__()
        self.heard, self.kept = b"", kept
        self.console = SimpleNamespace(write=self._write)
        self.store = SimpleNamespace(read=kept.get, write=kept.__setitem__)
        self.host = SimpleNamespace(store_replace=kept.update, restart=lambda: self.said.append("restarted"))
        self.name = "cpython"
        self.crypto, self.entropy = Provider, os.urandom
        self.safe = safe.Safe(self)

    def _write(self, line):
        self.heard += line + b"\n"

    def write(self, data):
        for line in data.splitlines():
            self.safe._command(line)

    def read(self, timeout_s):
        data, self.heard = self.heard, b""
        return data


def test_a_configuration_that_breaks_the_board_is_replaced():
    kept = {"config.json": b"whatever it was", "admin": admin.key("open sesame")}
    wire = Wire(kept)
    link = Link(wire)
    link.hello()
    found = asked(link)
    assert found["safe"] and found["admin"] and found["sas"] == []
    blobs = {"network.json": b"{}"}
    with pytest.raises(CommandError):
        send(link, blobs, None)
    assert send(link, blobs, "open sesame")["admin"] and kept["network.json"] == b"{}"
    link.request({"do": "restart"})
    link.close()
    assert wire.said == ["restarted"]


def test_a_command_is_answered_and_keeps_it_there():
    board = Board([(600_000, {"do": "heap"}), (700_000, {"do": "ping", "to": "10.1.0.1"}), (800_000, {"do": "dance"})])
    with pytest.raises(SystemExit):
        safe.run(board)
    assert board.time == 1_700_000
    assert [event.name for event in board.said] == ["greeting", "heap", "command_error", "command_error"]
    assert board.said[2].fields["text"] == "not in safe mode"
