"""Streams for asyncio: the same program on CPython and on MicroPython."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("stream_program.py")
SAID = """b'you said hello\\n'
True b''
refused 104
no way 113
True
(b'a datagram', ('10.9.0.1', PORT))
"""


@pytest.mark.parametrize(
    "python", [Path(sys.executable), Path(sys.executable).with_name("micropython")], ids=lambda path: path.name
)
def test_streams(python):
    script = f"import sys; sys.path.append('firmware'); exec(open({str(PROGRAM)!r}).read())"
    done = subprocess.run([python, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    *lines, last = done.stdout.splitlines()
    assert lines == SAID.splitlines()[:-1], done
    assert last.startswith("(b'a datagram', ('10.9.0.1', ")
