"""What keeps a board going: its watchdog, the account of its last run, and whether this one is a good one.

A boot is good when a tunnel is up, a command came in, or the main loop has turned for a minute. Three boots in a row
that were not lead to safe mode, in which only the console runs; so does a strap pin. A new version of the application
(`slots`) has to do better than turn: a tunnel or a command within ten minutes, or it is restarted and then given up.
"""

import sys

import machine

from uike import event, reason
from uike.hal.esp32 import record
from uike.transient import load

_WATCHDOG_MS = 60_000  # the longest step of a handshake, RSA-4096 in software, takes 20 s
_FAILED_MAX = 3
_STEADY_MS = 60_000
_TRIAL_MS = 600_000
_NO_NETWORK_MS = 7_200_000  # by then its driver has been set up anew a dozen times


class Life:
    """A board without a configuration has a developer at the prompt, and no watchdog."""

    def __init__(self, settings, store, root=""):
        self._store = store
        self._root = root
        provisioned = store.has("config.json")
        self._dog = machine.WDT(timeout=_WATCHDOG_MS) if provisioned else None
        self._cause = machine.reset_cause()
        boots, self.why, self.detail = record.read()
        if not self.why and self._cause == machine.WDT_RESET:
            self.why = reason.WATCHDOG
        record.write(boots)  # told once
        self._boots = boots
        self._strap = _low(settings.get("safe_pin"))
        self.safe = provisioned and boots > _FAILED_MAX or self._strap
        self._trial = self.slots().read()[1]
        self._settled = False
        self._linked_at = 0  # ms: when there was a network
        self.machine = (
            getattr(sys.implementation, "_mpy", 0) >> 10
        )  # for which native code is, in MicroPython's numbers
        self.trace = None

    def tell(self, trace):
        """Traces how the last run ended, and safe mode; from here on this has a voice."""
        self.trace = trace
        told = bytes((self._cause, self._boots, self.why)) + self.detail
        trace(event.BOOT, 0, told)
        if self.safe:
            trace(event.SAFE_MODE, 0, bytes((self._boots, self._strap)))
        if self.why not in (0, reason.RESTART_ASKED):
            try:
                self._store.write("crash", told)
            except OSError:
                pass

    def crash(self):
        """The body of a BOOT event for the last run that did not end well, kept in flash; None without one."""
        return self._store.read("crash")

    def slots(self):
        """The folders of the application, for an update. Transient."""
        return load("uike.hal.esp32.slots").Slots(self._root)

    def feed(self):
        if self._dog:
            self._dog.feed()

    def turn(self, now, linked, good):
        """The main loop has turned. `linked`: there is a network; `good`: a tunnel is up, or a command was heard."""
        if linked or self.safe or not self._dog:
            self._linked_at = now
        elif now - self._linked_at >= _NO_NETWORK_MS:
            self.restart(reason.NO_TUNNEL, b"no network")
        if self._settled or self.safe:
            return
        if good or now >= _STEADY_MS and not self._trial:
            record.write(0)
            self._settled = True
            if self._trial and self.slots().confirm():
                self.trace(event.UPDATE, 0, b"\x03")
        elif self._trial and now >= _TRIAL_MS:
            self.restart(reason.UPDATE_UNHEALTHY, b"")

    def restart(self, why, detail=b""):
        """Resets the chip; the next boot tells why. The last that can be done, so others come first."""
        record.write(record.read()[0], why, detail)
        machine.reset()

    def retry(self):
        """Resets the chip out of safe mode, for one more boot without it."""
        record.write(_FAILED_MAX - 1)
        machine.reset()


def _low(pin):
    """Whether a pin is pulled to ground: a jumper, or a button that is held."""
    if pin is None:
        return False
    from machine import Pin

    try:
        return not Pin(pin, Pin.IN, Pin.PULL_UP).value()
    except (ValueError, OSError):  # it has no pull-up, so the board has one
        return not Pin(pin, Pin.IN).value()
