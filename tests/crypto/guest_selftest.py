"""Runs in the VM: each primitive's known answer, its instructions, the heap at its end, and what all of it leaves."""

import gc
import sys

import host
from transforms import WANTED

from uike.crypto.soft import Provider
from uike.transient import drop, load


def in_use():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


def fuel():
    return int(host.call("fuel", ""))


def once(told):
    before = list(sys.modules)
    since = fuel()
    for name, sound in load("uike.crypto.selftest").run(Provider(), None, WANTED):
        spent = fuel() - since
        if told:
            print("\t".join([str(each) for each in (name.decode(), sound, spent, in_use())]))
        drop(before)
        since = fuel()
    drop(before)
    return [module for module in sys.modules if module not in before]


start = in_use()
left = once(True)
first = in_use()
once(False)
second = in_use()
once(False)
print("\t".join([str(each) for each in ("left", left, first - start, in_use() - second)]))
