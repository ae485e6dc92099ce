"""The serial console in the VM: one line at a time, without its line end."""

import gc

from uike.hal.vm import call, fetch, give


class Console:
    def __init__(self, measure):
        """`measure`: tell the host the bytes in use at each line written, after a collection."""
        self._measure = measure

    def read(self):
        """The next line, or None."""
        return fetch("console_read")

    def write(self, line):
        """Write one line of bytes."""
        if self._measure:
            gc.collect()
            call("heap", str(gc.mem_alloc()))
        give("console_write", line)
