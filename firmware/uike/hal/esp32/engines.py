"""The crypto provider of a chip, with the engines that Python drives by their registers, and what these ask of it.

`report(engine name, code)` hears of every operation that fell back to software; the codes are those of
`uike.crypto.esp32.block`.
"""

import os
import time
from _thread import allocate_lock

import machine

from uike.crypto.esp32 import Provider

_CHIPS = ("ESP32S2", "ESP32S3", "ESP32C3", "ESP32C6", "ESP32C2", "ESP32C5", "ESP32H2", "ESP32P4")
_CONNECTING = 1001  # network.STAT_CONNECTING

lock = allocate_lock()  # held by whoever uses the big-number engine: we, or a TLS handshake of the same program


class Guard:
    """See `uike.crypto.esp32.block`. `wlan` is the station interface, once there is one: making it starts the radio."""

    def __init__(self, name, report, wlan=None):
        self.lock = lock
        self._name = name
        self._report = report
        self._wlan = wlan
        self.begin = machine.disable_irq
        self.end = machine.enable_irq

    def may_use(self):
        return self._wlan is None or self._wlan.status() != _CONNECTING

    def pause(self):
        time.sleep_ms(1)

    def report(self, code):
        self._report(self._name, code)


def chip():
    """Name of the chip we run on, as the driver's tables have it: "esp32", "esp32c3"."""
    about = os.uname().machine.upper().replace("-", "")
    for name in _CHIPS:
        if name in about:
            return name.lower()
    return "esp32"


def provider(random, report, wlan=None, lax=False):
    """The provider of this chip. `lax` is for an emulator whose engine is laxer than silicon; never for a board."""

    def mpi():
        from uike.crypto.esp32.mpi import Mpi

        return _driver(Mpi, Guard("MPI", report, wlan), random, lax)

    def ecc():
        from uike.crypto.esp32.ecc import Ecc

        return _driver(Ecc, Guard("ECC", report, wlan), lax)

    return Provider(mpi, ecc)


def _driver(kind, guard, *more):
    from uike.crypto.esp32.bus import Registers

    try:
        return kind(chip(), Registers(machine.mem32), guard, *more)
    except KeyError:  # a chip without that engine
        return None
