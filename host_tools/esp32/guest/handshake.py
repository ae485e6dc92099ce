"""Runs on the board: whole PSK handshakes of two engines wired together, timed for each of them."""

import gc
import os
import time

from proof.measure import check, figure, free, provider
from uike import config
from uike.crypto.drbg import Drbg
from uike.endpoint import Endpoint

_ROLES = ("initiator", "responder")
_ADDRESSES = ("192.0.2.2", "192.0.2.1")
_LEGS = 20  # a handshake has four messages


def run(module, suite, trees):
    crypto = [provider(module) for _ in _ROLES]
    sides = [Endpoint(config.load(trees[i]), crypto[i], Drbg(os.urandom, crypto[i].prf)) for i in range(2)]
    free(suite + ", two engines before, free")
    spent = [0, 0]
    initiator = sides[0]
    _timed(spent, 0, initiator.connect, initiator.connections[0], _ADDRESSES[0], _ADDRESSES[1], 0)
    for _ in range(_LEGS):
        if not _carry(sides, spent):
            break
    for i in range(2):
        figure("%s, %s" % (suite, _ROLES[i]), spent[i], "us")
    check(suite + " up", [len(side.sad.outbound) for side in sides] == [1, 1], "no tunnel on both sides")
    free(suite + ", two tunnels up, free")


def _timed(spent, index, function, *arguments):
    gc.collect()
    start = time.ticks_us()
    function(*arguments)
    spent[index] += time.ticks_diff(time.ticks_us(), start)


def _carry(sides, spent):
    """Whether a datagram went from one to the other."""
    moved = False
    for index in range(2):
        other = 1 - index
        for data, _, port in sides[index].outgoing():
            moved = True
            local, remote = (_ADDRESSES[other], port), (_ADDRESSES[index], port)
            _timed(spent, other, sides[other].receive, bytearray(data), local, remote, 0)
    return moved
