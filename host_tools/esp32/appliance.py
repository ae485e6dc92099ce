"""What goes onto the flash of an appliance: the firmware, what starts it, and the store with its configuration."""

import json
from binascii import crc32

from host_tools import image
from host_tools.esp32.stages import LONG_READS

START = "uike_start"  # the launcher (firmware/boot.py)
STARTERS = {  # what MicroPython starts, as text only; Ctrl-C is off before anything else happens
    "boot.py": f"import micropython\nmicropython.kbd_intr(-1)\nimport {START}\n{START}.main(True)\n",
    "main.py": f"import {START}\n{START}.main(False)\n",
}
SLOT = "a"  # the folder of the application on a fresh board
STORE = "store"


def files(built: image.Image, tree: dict, network: dict, board: dict, slow_flash: bool = False) -> dict[str, bytes]:
    """Path on the device to contents. `tree` is a checked configuration; `network` and `board` are the settings of
    uike/hal/esp32/network.py and board.py. `slow_flash`: an emulator's, which takes long for each read."""
    found = program(built, slow_flash)
    for name, value in (("config.json", tree), ("network.json", network), ("board.json", board)):
        found[f"{STORE}/{name}"] = stored(json.dumps(value).encode())
    return found


def program(built: image.Image, slow_flash: bool = False) -> dict[str, bytes]:
    """The same without a store: the firmware and what starts it."""
    found = {f"{SLOT}/{name}": data for name, data in application(built).items()}
    found[f"{START}.mpy"] = (built.directory / f"{image.LAUNCHER}.mpy").read_bytes()
    found |= {name: text.encode() for name, text in STARTERS.items()}
    if slow_flash:
        found["boot.py"] = LONG_READS.encode() + found["boot.py"]
    return found


def application(built: image.Image) -> dict[str, bytes]:
    """What an update replaces: path below its folder to contents."""
    files = {str(path.relative_to(built.directory)): path.read_bytes() for path in built.directory.rglob("*.mpy")}
    del files[f"{image.LAUNCHER}.mpy"]
    return files


def stored(data: bytes) -> bytes:
    """A blob as uike/hal/esp32/store.py keeps it."""
    return crc32(data).to_bytes(4, "big") + data
