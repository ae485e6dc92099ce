"""Runs on the board: how a stage tells its results to the host, a line each, fields separated by tabs.

figure name value unit, ok name, wrong name why: whatever else is printed is not a result.
"""

import gc
import os
import sys
import time


def provider(name):
    """The crypto provider of the module with that dotted name; ":lax" behind it is for an emulated engine."""
    module, _, option = name.partition(":")
    if module == "uike.crypto.esp32":
        from uike.hal.esp32 import engines

        return engines.provider(os.urandom, _fell_back, None, option == "lax")
    __import__(module)
    return sys.modules[module].Provider()


def _fell_back(engine, code):
    """An operation that an engine should have done: a wrong answer, as far as a proof goes."""
    check(engine + " engine", False, "software instead, code %d" % code)


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
