"""What is installed without a checkout: the commands find the firmware and the boards in the wheel itself."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from host_tools import boards, carried, image
from host_tools.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import json
from host_tools import boards, image
from host_tools.cli import main
print(json.dumps([str(boards.DIRECTORY), str(image.FIRMWARE), boards.names(), sorted(image.sources())]))
main(["boards"])
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder as `pip install` of the wheel leaves it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"))
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_commands_need_no_checkout(installed, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = (sys.executable, "-c", ASK)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    first, _, table = done.stdout.partition("\n")
    there, firmware, names, modules = json.loads(first)
    assert Path(there) == installed / "host_tools/carried/boards"
    assert Path(firmware) == installed / "host_tools/carried/firmware"
    assert names == boards.names() and modules == sorted(image.sources()) and "esp32-generic" in table


def test_nothing_is_left_out(installed):
    for name in ("boards", "firmware"):
        there = [path for path in carried.folder(name).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        for path in there:
            copy = installed / "host_tools/carried" / name / path.relative_to(carried.folder(name))
            assert copy.read_bytes() == path.read_bytes()


def test_the_list_of_commands_names_them():
    said = CliRunner().invoke(main, ["--help"]).stdout
    rows = [line.split()[1] for line in said.splitlines() if line.startswith("│ ") and len(line.split()) > 2]
    assert [row for row in rows if row in COMMANDS] == list(COMMANDS) and "command" not in rows
