"""A board of the ESP32 family on an official MicroPython image."""

import gc
import os
import select
import sys
import time

from uike.hal.esp32 import engines
from uike.hal.esp32.console import Console
from uike.hal.esp32.life import Life
from uike.hal.esp32.network import Network
from uike.hal.esp32.store import Store
from uike.hal.esp32.udp import Udp
from uike.transient import load

_BORN = 2026  # years before it are those of a clock that was not set
_SINCE_2000 = 946_684_800  # seconds
_WAIT_MAX_MS = 500  # the network may have gone meanwhile
_PAUSE_MS = 10  # between looks at sockets that cannot be waited for
_FASTEST = (240_000_000, 160_000_000)
_TIME_SERVERS = ("pool.ntp.org",)


class Board:
    name = "esp32"
    tun = None

    def __init__(self):
        self.store = Store()
        self._settings = self.store.settings("board.json")
        _hurry(self._settings.get("mhz"))  # before the first look at the clock, which may jump
        self._ticks = time.ticks_ms()
        self._now = 0
        self.console = Console()
        self.life = Life(self._settings, self.store)
        self._led = self._make_led()
        settings = self.store.settings("network.json")
        self._time_servers = settings.get("ntp", _TIME_SERVERS)
        self._network = Network(settings, self._settings.get("ethernet"))
        self.udp = Udp(self._network)
        self._areas = None  # of the heap, see hal/esp32/share
        self.random = self.entropy  # until there is a DRBG: blinding only
        self.report = lambda name, code: None  # hears of engines that failed

    def _make_led(self):
        pin = self._settings.get("led")
        if pin is None:
            return None
        from uike.hal.esp32 import led

        made = led.Led(pin, self._settings.get("led_low") is True)
        made.show(led.FAULT if self.life.safe else led.NO_NETWORK)
        return made

    def now(self):
        """Milliseconds since power-on; called at least every six days, for the ticks wrap at 2**30.

        Whoever asks is alive, so the watchdog is fed here: the main loop asks at each turn, before each datagram and
        for each record of the trace, and long work does between its parts."""
        self.life.feed()
        ticks = time.ticks_ms()
        self._now += time.ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._now

    def clock(self):
        """Seconds since 1970, or None while nobody knows. The time servers are asked when it is first wanted."""
        if time.gmtime()[0] < _BORN and not self._ask_the_time():
            return None
        return time.time() + (_SINCE_2000 if time.gmtime(0)[0] == 2000 else 0)

    def _ask_the_time(self):
        try:
            import ntptime
        except ImportError:
            return False
        for server in self._time_servers:
            ntptime.host = server
            self.life.feed()  # a name that cannot be resolved takes a while
            try:
                ntptime.settime()
            except (OSError, OverflowError, IndexError):
                continue
            if time.gmtime()[0] >= _BORN:
                return True
        return False

    def wait(self, timeout_ms, tunnels=()):
        """Sleep until something may have come in, at most `timeout_ms` (None: for as long as it takes). `tunnels` is
        true while there is one: that is what the LED shows, and a good boot."""
        link = self.link()
        if self._led:
            self._show(link, tunnels)
        self.life.turn(self.now(), link, tunnels or self.console.heard)
        timeout_ms = _WAIT_MAX_MS if timeout_ms is None else min(timeout_ms, _WAIT_MAX_MS)
        try:
            poll = select.poll()
            for stream in self.udp.sockets() + [sys.stdin]:
                poll.register(stream, select.POLLIN)
            poll.poll(timeout_ms)
        except (OSError, MemoryError):  # without memory lwIP says EIO: what came in is read all the same
            time.sleep_ms(min(timeout_ms, _PAUSE_MS))

    def _show(self, link, tunnels):
        from uike.hal.esp32 import led

        if self.life.safe:
            self._led.show(led.FAULT)
        else:
            self._led.show(led.UP if tunnels else led.NEGOTIATING if link else led.NO_NETWORK)

    def mend(self):
        """Sockets and network anew: what can be done before the chip is reset."""
        self._network.mend()
        try:
            self.udp.open(self.udp.ports())
        except OSError:  # lwIP has none to give: `receive` goes on asking
            pass

    def entropy(self, n):
        """`n` bytes of the chip's generator, which is random only while the radio is on. OSError when that is off."""
        if not self._network.radio():
            raise OSError("the radio is off")
        return os.urandom(n)

    def link(self):
        """Our address in the network, or None while there is none."""
        address = self._network.address()
        if address and self._areas is None:
            self._areas = ()  # whatever comes of it
            try:
                self._areas = load("uike.hal.esp32.share").settle()
            except (OSError, MemoryError):
                pass
        return address

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


def _hurry(mhz):
    """The processor at its full speed: the board file's, or what it takes."""
    import machine

    for frequency in (mhz * 1_000_000,) if mhz else _FASTEST:
        try:
            machine.freq(frequency)
            return
        except ValueError:
            pass
