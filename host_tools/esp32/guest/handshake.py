"""Runs on the board: whole PSK handshakes of two engines wired together, timed for each of them.

As in the product, the first handshake loads the code that it needs, and drops it. `warm` keeps it instead: a handshake
with a key exchange that costs nothing loads everything, and the next one is timed, so that the figure is of execution
alone.
"""

import gc
import os
import time

from proof.measure import check, figure, free, provider
from uike import config, endpoint, reason
from uike.crypto.drbg import Drbg

_ROLES = ("initiator", "responder")
_ADDRESSES = ("192.0.2.2", "192.0.2.1")
_LEGS = 20  # a handshake has four messages, its end two


class _Loaded:
    """A key exchange whose code is loaded, and which is worth nothing."""

    def __init__(self, exchange):
        self.public = exchange.public
        self.wipe = exchange.wipe

    def shared(self, peer_public):
        return bytes(32)


class _Pair:
    def __init__(self, crypto_name, trees):
        self.crypto = [provider(crypto_name) for _ in _ROLES]
        self.sides = []
        for tree, crypto in zip(trees, self.crypto):
            self.sides.append(endpoint.Endpoint(config.load(tree), crypto, Drbg(os.urandom, crypto.prf)))
        self.spent = [0, 0]
        self.now = 0

    def handshake(self):
        """Whether a tunnel came up on both sides. `spent` has the microseconds of each."""
        gc.collect()
        self.spent = [0, 0]
        self.now += 1_000
        here = self.sides[0]
        self._timed(0, here.connect, here.connections[0], _ADDRESSES[0], _ADDRESSES[1], self.now)
        self._carry()
        return [len(side.sad.outbound) for side in self.sides] == [1, 1]

    def warm_up(self):
        """Loads what a handshake needs, for good."""
        endpoint.drop = _nothing
        for crypto in self.crypto:
            crypto.release = _nothing
            crypto.key_exchange = _loading(crypto.key_exchange)
        self.handshake()
        for crypto in self.crypto:
            del crypto.key_exchange
        self.sides[0].close(None, self.now)
        self._carry()
        self.now += 60_000  # closed SAs answer retransmissions until then
        for side in self.sides:
            side.tick(self.now)
            side.events()

    def drops(self):
        """Numbers of the reasons why datagrams were dropped, on either side."""
        return [number for side in self.sides for number in side.drops]

    def _timed(self, index, function, *arguments):
        start = time.ticks_us()
        function(*arguments)
        self.spent[index] += time.ticks_diff(time.ticks_us(), start)

    def _carry(self):
        """Datagrams from each to the other, until both are silent."""
        for leg in range(_LEGS):
            index, other = leg & 1, 1 - (leg & 1)
            for data, _, port in self.sides[index].outgoing():
                local, remote = (_ADDRESSES[other], port), (_ADDRESSES[index], port)
                self._timed(other, self.sides[other].receive, bytearray(data), local, remote, self.now)


def _nothing():
    pass


def _loading(key_exchange):
    return lambda group, random: _Loaded(key_exchange(group, random))


def run(crypto_name, suite, trees, warm):
    keep = endpoint.drop
    pair = _Pair(crypto_name, trees)
    if warm:
        pair.warm_up()
    else:
        free("free with two engines")
    up = pair.handshake()
    if warm and not up and reason.NO_MEMORY in pair.drops():  # a board has one engine
        print("two engines with all their code do not fit: measured with loading it")
        endpoint.drop = keep
        pair = None
        keep()
        gc.collect()
        pair = _Pair(crypto_name, trees)
        suite += ", loading its code"
        up = pair.handshake()
    for role, spent in zip(_ROLES, pair.spent):
        figure("%s, %s" % (suite, role), spent, "us")
    check(suite, up, "no tunnel on both sides; drops by reason: %r" % (pair.drops(),))
    if not warm:
        for side in pair.sides:
            side.events()
        free("free with two engines and their tunnel")
