"""Safe mode: the console alone, and one more try when nobody is there."""

import json
from types import SimpleNamespace

import pytest

from host_tools import records
from uike.app import safe
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


def test_a_command_is_answered_and_keeps_it_there():
    board = Board([(600_000, {"do": "heap"}), (700_000, {"do": "ping", "to": "10.1.0.1"}), (800_000, {"do": "dance"})])
    with pytest.raises(SystemExit):
        safe.run(board)
    assert board.time == 1_700_000
    assert [event.name for event in board.said] == ["greeting", "heap", "command_error", "command_error"]
    assert board.said[2].fields["text"] == "not in safe mode"
