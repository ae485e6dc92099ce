"""The guest's programs as they go onto a board, run by the unix MicroPython: every answer right, and a wrong one told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import image
from host_tools.esp32 import report, stages
from tests.crypto import cases, guest_vectors

MICROPYTHON = Path(sys.executable).parent / "micropython"
CASES = [case for name in ("sha1", "prf", "cbc", "x25519") for case in cases.sample(name, 2)]
RUNS = {run.stage: run for run in stages.plan("soft", None, CASES)}


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A directory with everything that goes onto a board."""
    directory = tmp_path_factory.mktemp("disk")
    files = stages.files(image.build(platform=stages.PLATFORM), CASES, Path(guest_vectors.__file__))
    image.write(files, directory)
    return directory


def executed(disk, run):
    """Results of a program in the unix MicroPython, whose files are not at the place of a board's."""
    names = image.device_names(platform=stages.PLATFORM)
    source = run.source(names, slow_flash=False).replace(stages.DIRECTORY, str(disk))
    process = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=512k", "-c", source],
        env={**os.environ, "MICROPYPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return [result for line in process.stdout.splitlines() if (result := stages.parse(run.stage, line))]


@pytest.mark.parametrize(
    "stage", ["selftest", "vectors", "primitives", "signatures", "packets", "first", "handshake", "certificates"]
)
def test_a_stage(disk, stage):
    run = RUNS[stage]
    results = executed(disk, run)
    assert report.status([run], results) == 0, [result for result in results if result.kind == "wrong"]
    assert [result for result in results if result.kind == "ok"]


def test_each_vector_is_answered_by_its_name(disk):
    answered = [result.name for result in executed(disk, RUNS["vectors"])]
    assert answered == [case["name"] for case in CASES]


def test_a_wrong_vector_is_told(disk, tmp_path):
    wrong = {**CASES[0], "out": "00" * 20}
    image.write(stages.files(image.build(platform=stages.PLATFORM), [wrong], Path(guest_vectors.__file__)), tmp_path)
    (result,) = executed(tmp_path, RUNS["vectors"])
    assert (result.kind, result.name) == ("wrong", wrong["name"]) and result.unit.startswith("digest is ")
