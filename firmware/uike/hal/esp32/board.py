"""A board of the ESP32 family on an official MicroPython image."""

import gc
import os
import select
import sys
import time

from uike.hal.esp32 import engines
from uike.hal.esp32.console import Console
from uike.hal.esp32.network import Network
from uike.hal.esp32.store import Store
from uike.hal.esp32.udp import Udp

_BORN = 2026  # years before it are those of a clock that was not set
_SINCE_2000 = 946_684_800  # seconds
_WAIT_MAX_MS = 500  # the network may have gone meanwhile
_FASTEST = (240_000_000, 160_000_000)


class Board:
    name = "esp32"
    tun = None

    def __init__(self):
        _hurry()  # before the first look at the clock, which may jump
        self._ticks = time.ticks_ms()
        self._now = 0
        self.store = Store()
        self.console = Console()
        self._settings = self.store.settings("board.json")
        self._network = Network(self.store.settings("network.json"))
        self.udp = Udp(self._network)
        self.random = self.entropy  # until there is a DRBG: blinding only
        self.report = lambda name, code: None  # hears of engines that failed

    def now(self):
        """Milliseconds since power-on; called at least every six days, for the ticks wrap at 2**30."""
        ticks = time.ticks_ms()
        self._now += time.ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._now

    def clock(self):
        """Seconds since 1970, or None while nobody knows. A time server is asked when it is first wanted."""
        if time.gmtime()[0] < _BORN:
            try:
                import ntptime

                ntptime.settime()
            except (OSError, ImportError, OverflowError):
                return None
        return time.time() + (_SINCE_2000 if time.gmtime(0)[0] == 2000 else 0)

    def wait(self, timeout_ms):
        """Sleep until something may have come in, at most `timeout_ms` (None: for as long as it takes)."""
        poll = select.poll()
        for stream in self.udp.sockets() + [sys.stdin]:
            poll.register(stream, select.POLLIN)
        poll.poll(_WAIT_MAX_MS if timeout_ms is None else min(timeout_ms, _WAIT_MAX_MS))

    def entropy(self, n):
        """`n` bytes of the chip's generator, which is random only while the radio is on. OSError when that is off."""
        if not self._network.radio():
            raise OSError("the radio is off")
        return os.urandom(n)

    def link(self):
        """Our address in the network, or None while there is none."""
        return self._network.address()

    def crypto(self):
        """The crypto provider of this chip. "lax" in board.json is for an emulator, never for a board."""
        return engines.provider(self._draw, self._heard, self._network.wlan, self._settings.get("lax") is True)

    def _draw(self, n):
        return self.random(n)

    def _heard(self, name, code):
        self.report(name, code)

    def lan(self):
        """TCP and UDP in the local network, for relays; see `uike.hal`."""
        from uike.hal.esp32.lan import Lan

        return Lan()

    def heap(self):
        """(used, free) bytes after a collection."""
        gc.collect()
        return gc.mem_alloc(), gc.mem_free()

    def fuel(self):
        """Instructions executed so far: not counted here."""
        return None

    def running(self):
        return True


def _hurry():
    """The processor at its full speed."""
    import machine

    for frequency in _FASTEST:
        try:
            machine.freq(frequency)
            return
        except ValueError:
            pass
