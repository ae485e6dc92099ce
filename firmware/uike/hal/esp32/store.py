"""Named blobs that outlive a restart, as files, each with a checksum. The power may go at any byte.

A blob is written beside the old one, which is kept: whatever of the three files survives, the newest whole one is read.
"""

import json
import os
from binascii import crc32

from uike.transient import load

JOURNAL = "journal"  # of `change`
_DIRECTORY = "/store"
SUM = 4


class Store:
    def __init__(self, directory=_DIRECTORY):
        self.directory = directory
        self.fallen = []  # names whose newest blob was broken, so that an older one was read
        try:
            os.mkdir(directory)
        except OSError:  # it is there
            pass
        if exists(self._path("erasing")):  # the power went in the middle of it
            self.erase()
        if [name for name in os.listdir(directory) if name.startswith(JOURNAL)]:
            load("uike.hal.esp32.change").finish(self)

    def has(self, name):
        """Whether there is a blob of that name, sound or not."""
        path = self._path(name)
        return exists(path) or exists(path + ".new") or exists(path + ".old")

    def read(self, name):
        """The bytes stored under a flat name such as "config.json", or None."""
        path = self._path(name)
        broken = False
        for candidate in (path + ".new", path, path + ".old"):
            data = _load(candidate)
            if data is not None:
                if broken and name not in self.fallen:
                    self.fallen.append(name)
                return data
            broken = broken or candidate == path and exists(path)
        return None

    def write(self, name, data):
        """Store bytes under a name: whole, or not at all."""
        path = self._path(name)
        if _load(path + ".new") is not None:  # the last write was cut off when it was as good as done
            _shift(path)
        with open(path + ".new", "wb") as file:
            file.write(crc32(data).to_bytes(SUM, "big"))
            file.write(data)
        _shift(path)

    def erase(self, alive=lambda: None):
        """Takes everything away but what `erasure` keeps."""
        load("uike.hal.esp32.erasure").erase(self.directory, alive)

    def settings(self, name):
        """A stored JSON object; an empty one when there is none."""
        try:
            found = json.loads(self.read(name) or b"{}")
        except ValueError:
            found = None
        return found if type(found) is dict else {}

    def _path(self, name):
        return self.directory + "/" + name


def _load(path):
    """The blob in a file; None when it is missing, cut short or broken."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    body = data[SUM:]
    return body if len(data) >= SUM and crc32(body).to_bytes(SUM, "big") == data[:SUM] else None


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _shift(path):
    """new becomes the blob, and the blob becomes old; both are renames, which LittleFS does whole or not at all."""
    if _load(path) is not None:
        os.rename(path, path + ".old")
    os.rename(path + ".new", path)
