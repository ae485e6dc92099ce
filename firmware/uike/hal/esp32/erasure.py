"""Takes keys and configuration off a board. Loaded for that.

LittleFS writes elsewhere what is overwritten, so in the end every free block of the file system is filled once too. A
power cut does not leave half of it: the file "erasing" says that it has begun, and the next boot goes on. The account
of the last crash stays, what kind of board this is, and the record in RTC memory.
"""

import os

_ERASING = "erasing"
_FILLER = "filler"
_KEPT = ("crash", "board", _ERASING)
_BLOCK = 4096  # bytes
_FLASH_MAX = 16 << 20


def erase(directory, alive):
    """Overwrites and removes the files of a store; alive() is called now and then, for it may take a minute."""
    with open(directory + "/" + _ERASING, "wb"):
        pass
    names = [name for name in os.listdir(directory) if name.split(".")[0] not in _KEPT]
    for name in sorted(names, key=lambda name: not name.startswith("config.json")):  # what says "provisioned" first
        destroy(directory + "/" + name)
        alive()
    _fill(directory, alive)
    os.remove(directory + "/" + _ERASING)


def destroy(path):
    """Overwrites and removes a file. (A file system that moves what it writes may keep the old blocks for a while.)"""
    size = os.stat(path)[6]
    with open(path, "wb") as file:
        file.write(bytes(size))
    os.remove(path)


def _fill(directory, alive):
    about = os.statvfs(directory)
    path, block = directory + "/" + _FILLER, bytes(_BLOCK)
    try:
        with open(path, "wb") as file:
            for _ in range(min(about[0] * about[3], _FLASH_MAX) // _BLOCK):
                file.write(block)
                alive()
    except OSError:  # it is full, some blocks earlier: the file system needs a few itself
        pass
    os.remove(path)
