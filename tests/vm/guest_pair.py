"""Runs in the VM: two engines wired together, with a key exchange that costs nothing, so that many rounds fit."""

import gc

from uike import config, event
from uike.crypto.drbg import Drbg
from uike.crypto.soft import Provider
from uike.endpoint import Endpoint

ADDRESSES = ("192.0.2.2", "192.0.2.1")


class NoExchange:
    """What it costs and what it is worth: nothing. Both sides share a constant."""

    def __init__(self, random):
        self.public = random(32)

    def shared(self, peer_public):
        if len(peer_public) != 32:
            raise ValueError("public value")
        return b"\x77" * 32

    def wipe(self):
        pass


class CheapProvider(Provider):
    def key_exchange(self, group, random):
        return NoExchange(random)

    def release(self):
        Provider.release(self)


class Pair:
    def __init__(self, trees):
        self.sides = []
        for index in range(2):
            provider = CheapProvider()
            random = Drbg(lambda n, index=index: bytes([index + 1]) * n, provider.prf)
            self.sides.append(Endpoint(config.load(trees[index]), provider, random))
        self.now = 0
        self.recorded = []

    def connect(self):
        """True when a tunnel came up on both sides."""
        self.now += 1000
        here = self.sides[0]
        here.connect(here.connections[0], ADDRESSES[0], ADDRESSES[1], self.now)
        self.carry()
        return [len(side.sad.outbound) for side in self.sides] == [1, 1]

    def close(self):
        """True when it went down on both sides."""
        self.sides[0].close(None, self.now)
        self.carry()
        return [len(side.sad.outbound) for side in self.sides] == [0, 0]

    def linger(self):
        """Lets the time pass in which closed SAs answer retransmissions; True when none is left."""
        self.now += 60_000
        for side in self.sides:
            side.tick(self.now)
        self.carry()
        return [len(side.sas) for side in self.sides] == [0, 0]

    def carry(self):
        for _ in range(20):
            moved = False
            for index in range(2):
                for data, remote, port in self.sides[index].outgoing():
                    moved = True
                    if len(self.recorded) < 12:
                        self.recorded.append((1 - index, bytes(data), port))
                    self.deliver(1 - index, bytearray(data), port)
            if not moved:
                return
        raise RuntimeError("the two never fell silent")

    def deliver(self, index, data, port):
        self.sides[index].receive(data, (ADDRESSES[index], port), (ADDRESSES[1 - index], port), self.now)

    def drain(self):
        """Throws away what happened; returns the packets of it."""
        packets = 0
        for side in self.sides:
            for kind, _, _ in side.events():
                packets += kind == event.PACKET
            side.outgoing()
        return packets


def in_use():
    gc.collect()
    gc.collect()
    return gc.mem_alloc()
