"""The board on CPython: every part is handed in by the host, so several boards can live in one process."""

from uike.hal.cpython.console import Console
from uike.hal.cpython.store import Store
from uike.hal.cpython.tun import Tun
from uike.hal.cpython.udp import Udp


class Board:
    name = "cpython"
    life = None  # nobody watches over it

    def __init__(self, host):
        self.host = host
        self.now = host.now
        self.wait = lambda timeout_ms, tunnels=None: host.wait(timeout_ms)
        self.entropy = host.entropy
        self.running = host.running
        self.link = host.link
        self.clock = host.clock_s
        self.udp = Udp(host)
        self.console = Console(host)
        self.store = Store(host)
        self.tun = Tun(host) if host.has_tun() else None

    def crypto(self):
        """The crypto provider of this platform."""
        from uike.hal.cpython.crypto import Provider

        return Provider()

    def heap(self):
        """(used, free) bytes: unknown here."""
        return None

    def fuel(self):
        """Instructions executed so far: not counted here."""
        return None
