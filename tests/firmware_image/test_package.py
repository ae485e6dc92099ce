"""`uike` as a library: what package.json and manifest.py list is what there is, and what mpremote installs works."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mpremote import mip

from host_tools import image
from host_tools.image import FIRMWARE
from uike import VERSION

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MICROPYTHON = Path(sys.executable).with_name("micropython")
OTHER_PLATFORMS = ("uike/hal/cpython/", "uike/hal/vm/")


@pytest.fixture(scope="module")
def package():
    return json.loads((FIRMWARE / "package.json").read_text())


def test_the_package_lists_the_files_of_a_board(package):
    there = sorted(str(path.relative_to(FIRMWARE)) for path in (FIRMWARE / "uike").rglob("*.py"))
    assert package["urls"] == [[name, name] for name in there if not name.startswith(OTHER_PLATFORMS)]
    assert package["version"] == VERSION


def test_the_manifest_freezes_the_same(package, monkeypatch):
    monkeypatch.chdir(FIRMWARE)  # as MicroPython's build does
    modules, required = [], []
    words = {"module": lambda path, opt: modules.append((path, opt)), "require": required.append}
    exec(compile(Path("manifest.py").read_text(), "manifest.py", "exec"), words)
    assert modules == [(name, 3) for name, _ in package["urls"]]
    assert required == ["ntptime", "umqtt.simple"]


def test_programs_find_the_names_that_they_use_in_an_image():
    """Programs on a board are not folded with it."""
    used = {"start", "up", "wait", "poll", "socket", "close"}
    for module in ("stream", "socket"):
        tree = ast.parse((FIRMWARE / f"uike/net/{module}.py").read_text())
        made = [node for node in ast.walk(tree) if isinstance(node, DEFINITIONS)]
        used |= {node.name for node in made if not node.name.startswith("_") and node.name != "ready"}
    renamed = used & set(image.device_names(platform="esp32").symbols.values())
    assert len(used) > 30 and not renamed


class Transport:
    """What mpremote asks of a board, answered by a directory."""

    def __init__(self, root):
        self.root = root

    def fs_exists(self, path):
        return (self.root / path).exists()

    def fs_mkdir(self, path):
        (self.root / path).mkdir()

    def fs_writefile(self, path, data, **_):
        (self.root / path).write_bytes(data)


def test_what_mpremote_installs_runs_on_micropython(tmp_path, monkeypatch, capsys):
    """Unfolded sources, as a user's own MicroPython compiles them."""
    (tmp_path / "lib").mkdir()
    monkeypatch.setattr(mip, "show_progress_bar", None)
    mip._install_json(Transport(tmp_path), str(FIRMWARE / "package.json"), "", "lib", None, True)
    capsys.readouterr()
    program = (Path(__file__).parents[1] / "net" / "stream_program.py").read_text().replace('"firmware"', '"lib"')
    (tmp_path / "main.py").write_text("import sys\nsys.path.insert(0, 'lib')\n" + program)
    names = [name for name in ("uike.app.relay", "uike.app.relay_udp", "uike.endpoint", "uike.net.socket")]
    (tmp_path / "names.py").write_text(
        "import sys\nsys.path.insert(0, 'lib')\n" + "".join(f"import {name}\n" for name in names)
    )
    for script, said in (("main.py", b"b'you said hello\\n'\nTrue b''\n"), ("names.py", b"")):
        done = subprocess.run(
            [MICROPYTHON, script], cwd=tmp_path, capture_output=True, timeout=60, check=False, env={**os.environ}
        )
        assert done.returncode == 0 and done.stdout.startswith(said), done
