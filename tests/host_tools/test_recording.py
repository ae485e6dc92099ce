"""A recording: what a console said, with whatever else stands in the log of a terminal."""

import json

import pytest
from click.testing import CliRunner

from host_tools import recording
from host_tools.cli import main
from tests.handshake import line
from uike import event

GREETING = line(event.GREETING, 0, 7, b"uike 0.1.0")


def test_records_in_a_terminals_log(tmp_path):
    path = tmp_path / "board.log"
    path.write_bytes(b"MicroPython v1.28.0\r\n12:31:07 " + GREETING + b"\r\n\n#AAAA\nTraceback:\n#" + b"A" * 12 + b"\n")
    found = recording.read(path)
    assert [(each.name, each.time_ms) for each in found.events] == [("greeting", 7), ("garbled", 0)]
    assert found.texts == ["MicroPython v1.28.0", "#AAAA", "Traceback:"]


@pytest.mark.parametrize("data", [b"", b"\0\1\2", b"a log without a record\n"])
def test_what_is_no_recording_is_refused(tmp_path, data):
    path = tmp_path / "board.log"
    path.write_bytes(data)
    done = CliRunner().invoke(main, ["ladder", str(path)])
    assert done.exit_code == 2 and "no trace record in it" in done.output


def test_two_emulated_boards_are_recorded_each_by_itself(tmp_path):
    words = ["emulate", "--runtime", "cpython", "--json", "--count", "1", "--record", str(tmp_path / "run.trace")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0 and json.loads(done.stdout)["established"]
    for name, role in (("initiator", True), ("gateway", False)):
        events = recording.read(tmp_path / f"run-{name}.trace").events
        assert [each.fields["initiator"] for each in events if each.name == "negotiating"] == [role]
        states = [each.fields["new"] for each in events if each.name == "state"]
        assert event.STATE_ESTABLISHED in states and event.STATE_DELETING in states
