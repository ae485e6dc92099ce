"""Two stacks on a wire in virtual time, from a seed: loss, reordering, duplication and latency as a test wants them."""

import heapq
import random

from tests.world import seeded_random
from uike.net.stack import Stack

OURS, THEIRS = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))
MTU = 1400


def stack(own, other, seed=1, mtu=MTU):
    """A stack with one address that knows the way to one other."""
    return Stack(lambda address: (own, mtu) if address == other else None, seeded_random((seed, own)))


class Wire:
    """`ours` and `theirs`; `sent` is every packet: (time, sender, bytes)."""

    def __init__(self, seed=1, loss=0.0, reorder=0.0, duplicate=0.0, latency_ms=5, mtu=MTU):
        self.ours, self.theirs = stack(OURS, THEIRS, seed, mtu), stack(THEIRS, OURS, seed, mtu)
        self.now = 0
        self.sent = []
        self.why = []  # what each receive returned
        self.filter = lambda sender, packet: True
        self._dice = random.Random(seed)
        self._chance = loss, reorder, duplicate
        self._latency_ms = latency_ms
        self._under_way = []
        self._count = 0

    def _send(self, sender, packet):
        loss, reorder, duplicate = self._chance
        self.sent.append((self.now, sender, bytes(packet)))
        if not self.filter(sender, packet):
            return
        for _ in range(1 + (self._dice.random() < duplicate)):
            if self._dice.random() < loss:
                continue
            late = self._dice.randrange(1, 40) if self._dice.random() < reorder else 0
            self._count += 1
            other = self.theirs if sender is self.ours else self.ours
            heapq.heappush(self._under_way, (self.now + self._latency_ms + late, self._count, other, bytes(packet)))

    def step(self):
        """What is due now, and time to the next thing that happens. False when nothing ever will."""
        while self._under_way and self._under_way[0][0] <= self.now:
            _, _, receiver, packet = heapq.heappop(self._under_way)
            self.why.append(receiver.receive(packet, self.now))
        for each in (self.ours, self.theirs):
            each.tick(self.now)
            packet = each.next_packet(self.now)
            while packet:
                self._send(each, packet)
                packet = each.next_packet(self.now)
        due = [each.deadline() for each in (self.ours, self.theirs)]
        due += [self._under_way[0][0]] if self._under_way else []
        due = [at for at in due if at is not None]
        self.now = max(self.now, min(due)) if due else self.now
        return bool(due)

    def run(self, until=lambda: False, limit_ms=600_000):
        """Until `until()` holds, or nothing is left to happen. Returns until()."""
        end, idle = self.now + limit_ms, 0
        while not until() and self.now < end and idle < 2:  # `until` may write and read
            idle = 0 if self.step() else idle + 1
        return until()
