"""The serial console on CPython: one line at a time, without its line end."""


class Console:
    def __init__(self, host):
        self.read = host.console_read
        self.write = host.console_write
