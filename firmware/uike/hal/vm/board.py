"""The board in the VM: clock, random, heap and the parts that reach the world, all through the host's door."""

import gc

from uike.hal.vm import call, take
from uike.hal.vm.console import Console
from uike.hal.vm.store import Store
from uike.hal.vm.tun import Tun
from uike.hal.vm.udp import Udp


class Board:
    name = "vm"
    life = None  # nobody watches over it

    def __init__(self):
        self.udp = Udp()
        self.console = Console(call("measure") == "1")
        self.store = Store()
        self.tun = Tun() if call("has_tun") == "1" else None

    def now(self):
        """Milliseconds since power-on."""
        return int(call("now"))

    def clock(self):
        """Seconds since 1970, or None while nobody knows."""
        return int(call("clock")) or None

    def wait(self, timeout_ms, tunnels=None):
        """Sleep until something may have come in, at most `timeout_ms` (None: for as long as it takes)."""
        call("wait", "" if timeout_ms is None else str(timeout_ms))

    def entropy(self, n):
        """`n` random bytes."""
        call("entropy", str(n))
        return bytes(take(n))

    def link(self):
        """Our address in the network, or None while there is none."""
        return call("link") or None

    def crypto(self):
        """The crypto provider of this platform."""
        from uike.crypto.soft import Provider

        return Provider()

    def heap(self):
        """(used, free) bytes after a collection."""
        gc.collect()
        return gc.mem_alloc(), gc.mem_free()

    def fuel(self):
        """Instructions executed so far."""
        return int(call("fuel"))

    def running(self):
        """False once the host asked the board to stop."""
        return call("running") == "1"
