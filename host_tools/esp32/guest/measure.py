"""Runs on the board: how a stage tells its results to the host, a line each, fields separated by tabs.

figure name value unit, ok name, wrong name why: whatever else is printed is not a result.
"""

import gc
import os
import time


def provider(name):
    """The crypto provider "soft", or "esp32" with the chip's engines.

    "esp32-lax" is for those of an emulator, which are laxer than silicon."""
    if name == "soft":
        from uike.crypto.soft import Provider

        return Provider()
    from uike.hal.esp32 import engines

    return engines.provider(os.urandom, _fell_back, None, name == "esp32-lax")


def _fell_back(engine, code):
    check("engine " + engine, False, "fell back to software, code %d" % code)


def figure(name, value, unit):
    print("figure", name, value, unit, sep="\t")


def free(name):
    """The free heap, which is what MicroPython can still take from the system too."""
    gc.collect()
    figure(name, gc.mem_free(), "bytes")


def check(name, right, why="a wrong answer"):
    if right:
        print("ok", name, sep="\t")
    else:
        print("wrong", name, why, sep="\t")


def timed(name, function, *arguments):
    """Calls a function once and tells how long it took; returns its result."""
    gc.collect()
    start = time.ticks_us()
    result = function(*arguments)
    figure(name, time.ticks_diff(time.ticks_us(), start), "us")
    return result
