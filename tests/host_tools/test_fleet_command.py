"""`uike fleet`: boards at once, each with its own secrets; a board that fails stops no other, and is done the next time."""

import json

import pytest
from click.testing import CliRunner

from host_tools.cli import main
from tests.host_tools.test_board_commands import desk

TEMPLATE = """
[connection.hq]
role = "initiator"
remote = "192.0.2.1"
local_id = "{identity}"
remote_id = "gw.example"
psk_hex = "{psk}"
remote_ts = ["10.1.0.0/16"]
"""
NOBODY = "socket://127.0.0.1:1"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "template.toml").write_text(TEMPLATE)

    def call(rows, *words, code=0, header="name,port,identity"):
        (tmp_path / "devices.csv").write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")
        given = ["fleet", str(tmp_path / "devices.csv"), "--template", str(tmp_path / "template.toml"), *words]
        result = CliRunner().invoke(main, given)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    call.results = tmp_path / "devices.results.jsonl"
    call.template = tmp_path / "template.toml"
    return call


def connection(there):
    return json.loads(there.host.files["config.json"])["connection"]["hq"]


def records(run):
    return [json.loads(line) for line in run.results.read_text().splitlines()]


def test_a_fleet(run, tmp_path):
    with desk(tmp_path, blank=True) as one, desk(tmp_path, blank=True) as two, desk(tmp_path, blank=True) as three:
        rows = [
            ("one", one.serial.url, "one.example"),
            ("two", NOBODY, "two.example"),
            ("three", three.serial.url, "3"),
        ]
        report = json.loads(run(rows, "--json", code=1).stdout)
        assert (report["done"], report["failed"], report["skipped"]) == (2, ["two"], 0)
        drawn = {each["name"]: each["psk"] for each in records(run)}
        assert len(set(drawn.values())) == 3 and all(len(psk) == 64 for psk in drawn.values())
        for there, name, identity in ((one, "one", "one.example"), (three, "three", "3")):
            assert (connection(there)["psk_hex"], connection(there)["local_id"]) == (drawn[name], identity)
        assert "config.json" not in two.host.files and run.results.stat().st_mode & 0o777 == 0o600

        rows[1] = ("two", two.serial.url, "two.example")
        run.results.write_text(run.results.read_text() + '{"name": "one", "do')  # the power went meanwhile
        before = dict(one.host.files)
        result = run(rows)
        assert "1 boards done, 0 failed, 2 were done before" in result.stdout and "two: done" in result.stderr
        assert connection(two)["psk_hex"] == drawn["two"], "a second try draws another key"
        assert one.host.files == before
        assert json.loads(run(rows, "--json").stdout)["skipped"] == 3


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        ([("a", "p1", "x"), ("a", "p2", "x")], "name,port,identity", "name 'a' is there twice"),
        ([("a", "p1", "x"), ("b", "p1", "x")], "name,port,identity", "port 'p1' is there twice"),
        ([("a b", "p1", "x")], "name,port,identity", "a name of letters"),
        ([("a", "", "x")], "name,port,identity", "a port"),
        ([("a", "p1", "x", "y")], "name,port,identity", "no more cells"),
        ([("a", "p1")], "name,port", "identity, and the table has no such column"),
        ([("a", "x")], "name,identity", "name and port"),
        ([], "name,port", "a row for each board"),
        ([("a", "p1", "@#zz")], "name,port,identity", "a: "),
    ],
)
def test_tables_that_are_refused_before_any_board_is_touched(run, rows, header, said):
    result = run(rows, code=2, header=header)
    assert said in result.stderr and not run.results.exists()


def test_help():
    assert "Example: uike fleet" in CliRunner().invoke(main, ["fleet", "--help"]).stdout
