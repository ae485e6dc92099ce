"""The two folders of the application, "a" and "b", and the file "slot" that says which of them is on.

"a" alone: for good. "b 2": on trial, with two boots left to prove itself; the launcher (firmware/boot.py) counts them
down and goes back at 0. The file changes by one rename, which LittleFS does whole or not at all.
"""

import os

TRIAL_BOOTS = 2


class Slots:
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
        """The version that runs stays."""
        name, trial = self.read()
        if trial:
            self._write(name)

    def switch(self):
        """The other folder is on from the next boot, on trial."""
        self._write("%s %d" % (self._other_name(), TRIAL_BOOTS))

    def current(self):
        """Path of the folder that runs."""
        return "%s/%s" % (self._root, self.read()[0])

    def other(self):
        """Path of the folder that does not run."""
        return "%s/%s" % (self._root, self._other_name())

    def _other_name(self):
        return "b" if self.read()[0] == "a" else "a"

    def _write(self, text):
        with open(self._root + "/slot.new", "w") as file:
            file.write(text)
        os.rename(self._root + "/slot.new", self._root + "/slot")
