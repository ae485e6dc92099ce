"""`uike emulate --serial`, as a program of its own: the commands find a board at the port that it names."""

import json
import re
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from host_tools.cli import main
from tests.host_tools.test_board_commands import FILE


@pytest.mark.parametrize("where", ["pty", "socket://127.0.0.1:0"])
def test_a_blank_board_is_found_and_provisioned(tmp_path, where):
    (tmp_path / "gw.toml").write_text(FILE.replace('"192.0.2.1"', '"127.0.0.9"'))
    program = [sys.executable, "-c", "from host_tools.cli import main; main()", "emulate", "--blank", "--runtime"]
    process = subprocess.Popen(
        [*program, "cpython", "--no-trace", "--serial", where], stderr=subprocess.PIPE, text=True
    )
    try:
        port = re.fullmatch(r"uike emulate: serial port (\S+)\n", process.stderr.readline())[1]
        runner = CliRunner(env={"UIKE_PORT": port})
        before = runner.invoke(main, ["status", "--json"])
        assert before.exit_code == 0, before.stderr
        assert json.loads(before.stdout)["connections"] == []
        done = runner.invoke(main, ["provision", "--config", str(tmp_path / "gw.toml"), "--json"])
        assert done.exit_code == 0, done.stderr
        after = json.loads(runner.invoke(main, ["status", "--json"]).stdout)
        assert [each["name"] for each in after["connections"]] == ["hq"]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, process.stderr.read()
        process.stderr.close()


def test_a_port_that_cannot_be(monkeypatch):
    result = CliRunner().invoke(main, ["emulate", "--blank", "--runtime", "cpython", "--serial", "tcp://x"])
    assert result.exit_code == 2 and "neither pty nor socket" in result.stderr
