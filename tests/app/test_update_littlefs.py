"""An update on a real LittleFS in MicroPython, with the power cut at each of its block operations."""

import subprocess
import sys
from pathlib import Path

from host_tools.image import FIRMWARE
from tests.app import test_update as updates

MICROPYTHON = Path(sys.executable).parent / "micropython"
HERE = Path(__file__).parent
STRIDE = 1


def test_whatever_block_the_power_goes_at_a_whole_version_starts():
    made = updates.package()
    parts = (made.header, made.signature, list(made.steps(256)))
    program = (
        f"import sys\nsys.path[:0] = [{str(HERE)!r}, {str(FIRMWARE)!r}]\nimport guest_update\n"
        f"guest_update.run({updates.OLD!r}, {updates.NEW!r}, {parts!r}, {updates.MACHINE}, {STRIDE})\n"
    )
    run = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=4m", "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    rows = [line.split()[1:] for line in run.stdout.splitlines() if line.startswith("cut ")]
    assert all(sound == "True" for _, _, sound in rows), [row for row in rows if row[2] != "True"]
    names = "".join(name for _, name, _ in rows)
    assert names == "a" * names.count("a") + "b" * names.count("b") and names.count("a") > 40, names
