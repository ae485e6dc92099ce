"""What goes onto the flash of an appliance: the firmware, what starts it, and the store with its configuration."""

import json
from binascii import crc32

from host_tools import image
from host_tools.esp32.stages import LONG_READS

START = "uike_start"  # MicroPython starts /main.py, which it takes as text only
MAIN = f"import {START}\n{START}.main()\n"
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
    found = {str(path.relative_to(built.directory)): path.read_bytes() for path in built.directory.rglob("*.mpy")}
    found[f"{START}.mpy"] = found.pop("main.mpy")
    found["main.py"] = ((LONG_READS if slow_flash else "") + MAIN).encode()
    return found


def stored(data: bytes) -> bytes:
    """A blob as uike/hal/esp32/store.py keeps it."""
    return crc32(data).to_bytes(4, "big") + data
