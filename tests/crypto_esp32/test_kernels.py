"""The provider on the unix MicroPython, with native code for the PC and with the fall-backs, against `soft`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import image

GUEST = Path(__file__).parent / "guest_kernels.py"
MICROPYTHON = Path(sys.executable).parent / "micropython"


@pytest.mark.parametrize(("march", "code"), [("x64", "native"), (None, "bytecode")])
def test_provider(tmp_path, march, code):
    image.write(image.compile_modules({"guest_kernels": GUEST.read_text()}, march=march), tmp_path)
    (tmp_path / "main.py").write_text("import guest_kernels\nguest_kernels.run()\n")
    path = f"{tmp_path}:{image.build(only=('uike.crypto', 'uike.transient'), march=march).directory}"
    run = subprocess.run(
        [MICROPYTHON, "main.py"],
        cwd=tmp_path,
        env={**os.environ, "MICROPYPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.split() == [code, *["0"] * 10], run.stdout + run.stderr


@pytest.mark.parametrize("march", ["xtensawin", "rv32imc"])
def test_kernels_compile_for_the_chips(march):
    sizes = image.build(platform="esp32", march=march).sizes
    kernels = {name.split(".")[-1]: size for name, size in sizes.items() if ".kernels." in name}
    assert set(kernels) == {"blocks", "chacha20", "field", "ghash", "poly1305", "sha512", "words"}
    assert sum(kernels.values()) < 20 * 1024  # bytes of executable memory, all in use


def test_images_of_other_machines_have_no_native_code():
    names = image.build(platform="esp32").sizes
    assert "uike.crypto.esp32" in names and not [name for name in names if "kernels" in name]
