"""CPython: the same firmware files on a PC, with the host's Python object in place of the hardware."""
