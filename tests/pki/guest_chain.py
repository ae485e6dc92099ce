"""Verifies a chain in the VM, then twice one that is wrong: `chain` has them. Prints what it found, and the cost.

Then the certificate is tampered with a few hundred times.
"""

import gc

import host
from chain import ANCHOR, BAD, LEAF, MIDDLE, NOW

from uike.crypto.soft import Provider
from uike.transient import drop, load
from uike.wire.refusal import Refusal


def used():
    gc.collect()
    return gc.mem_alloc()


def validate(leaf):
    path = load("uike.pki.path")
    certificate = load("uike.pki.certificate").Certificate
    anchors = [certificate(ANCHOR)]
    return path.validate(provider, certificate(leaf), [certificate(MIDDLE)], anchors, NOW)


provider = Provider()
before = used()
fuel = int(host.call("fuel", ""))
print(len(validate(LEAF)))
print(int(host.call("fuel", "")) - fuel)
print(used() - before)
for _ in range(2):
    try:
        validate(BAD)
    except Refusal as refusal:
        print(refusal.reason)
    provider.release()
    drop()
    print(used() - before)

certificate = load("uike.pki.certificate").Certificate
state = 1


def tampered():
    global state
    data = bytearray(LEAF)
    for _ in range(3):
        state = state * 48271 % 2147483647
        data[state % len(data)] = state >> 16 & 255
    try:
        certificate(data).key()
    except Refusal:
        return 1
    return 0


tampered()
before = used()
refused = 0
for _ in range(300):
    refused += tampered()
print(refused)
print(used() - before)
