"""The two folders of the application, "a" and "b", and the file "slot" that says which of them is on.

"a" alone: for good. "b 2": on trial, with two boots left to prove itself; the launcher (firmware/boot.py) counts them
down and goes back at 0. The file changes by one rename, which LittleFS does whole or not at all. What an update
(uike/app/update.py) does to files, it does to those of the other folder.
"""

import os

TRIAL_BOOTS = 2
_BLOCK = 512  # bytes read at once
_DIRECTORY = 0x4000


class Slots:
    """Paths are relative to a folder: "uike/ike/sa.mpy". OSError when there is no such file, or no room."""

    def __init__(self, root=""):
        self._root = root

    def read(self):
        """(name of the folder that is on, whether it is on trial)."""
        try:
            with open(self._root + "/slot") as file:
                words = file.read().split()
        except OSError:
            words = []
        return (words[0] if words and words[0] in ("a", "b") else "a"), len(words) > 1

    def confirm(self):
        """The version that runs stays; True when it was on trial."""
        name, trial = self.read()
        if trial:
            self._write(name)
        return trial

    def switch(self):
        """The other folder is on from the next boot, on trial."""
        self._write("%s %d" % (self._other_name(), TRIAL_BOOTS))

    def erase(self):
        """Removes the other folder with all that is in it. ValueError while the running one is on trial: it is where
        to go back to."""
        if self.read()[1]:
            raise ValueError("the version that runs is on trial")
        _remove(self._path(""))

    def append(self, path, data):
        """Adds bytes to a file of the other folder; it and the folders above it are made."""
        path = self._path(path)
        at = path.find("/", len(self._root) + 1)
        while at >= 0:
            _make(path[:at])
            at = path.find("/", at + 1)
        with open(path, "ab") as file:
            file.write(data)

    def size(self, path):
        """Bytes of a file of the other folder; None when there is none."""
        try:
            return os.stat(self._path(path))[6]
        except OSError:
            return None

    def blocks(self, path, running=False):
        """The contents of a file in pieces; `running`: of the folder that is on."""
        with open(self._path(path, running), "rb") as file:
            block = file.read(_BLOCK)
            while block:
                yield block
                block = file.read(_BLOCK)

    def lines(self, path):
        """The lines of a text."""
        with open(self._path(path)) as file:
            for line in file:
                yield line

    def count(self):
        """How many files there are in the other folder."""
        return _count(self._path("").rstrip("/"))

    def free(self):
        """Bytes that are free on the flash."""
        about = os.statvfs(self._root or "/")
        return about[0] * about[3]

    def _path(self, path, running=False):
        return "%s/%s/%s" % (self._root, self.read()[0] if running else self._other_name(), path)

    def _other_name(self):
        return "b" if self.read()[0] == "a" else "a"

    def _write(self, text):
        with open(self._root + "/slot.new", "w") as file:
            file.write(text)
        os.rename(self._root + "/slot.new", self._root + "/slot")


def _make(path):
    try:
        os.mkdir(path)
    except OSError:  # it is there; if not, the file will say so
        pass


def _is_directory(path):
    return os.stat(path)[0] & 0xF000 == _DIRECTORY


def _count(path):
    count = 0
    for name in os.listdir(path):
        name = path + "/" + name
        count += _count(name) if _is_directory(name) else 1
    return count


def _remove(path):
    path = path.rstrip("/")
    try:
        names = os.listdir(path)
    except OSError:  # it is not there
        return
    for name in names:
        name = path + "/" + name
        if _is_directory(name):
            _remove(name)
        else:
            os.remove(name)
    os.rmdir(path)
