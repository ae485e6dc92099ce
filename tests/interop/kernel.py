"""Linux's TCP on the far side of a TUN device in a network namespace of its own, with loss and reordering on the way.

The test's own thread is in that namespace meanwhile; root only.
"""

import heapq
import random
import select
import subprocess
import time
from contextlib import contextmanager

from host_tools.emulator.tun import Tun
from host_tools.peers.inside import inside
from tests.net.wire import MTU, OURS, THEIRS, stack


class Kernel:
    """Our stack at 10.9.0.1, the kernel at 10.1.0.1, and a wire between them. Sockets made inside are the kernel's."""

    def __init__(self, seed=1, loss=0.0, reorder=0.0, latency_ms=1):
        self.stack = stack(OURS, THEIRS, seed)
        self.sent = []  # our packets
        self._dice = random.Random(seed)
        self._chance = loss, reorder
        self._latency_ms = latency_ms
        self._under_way = []
        self._count = 0
        self._tun = Tun("uike0")
        subprocess.run(["ip", "link", "set", "uike0", "mtu", str(MTU)], check=True)
        subprocess.run(["ip", "address", "add", "10.1.0.1/32", "dev", "uike0"], check=True)
        subprocess.run(["ip", "route", "add", "10.9.0.0/24", "dev", "uike0", "src", "10.1.0.1"], check=True)

    def _now(self):
        return time.monotonic_ns() // 1_000_000

    def _lay(self, deliver, packet):
        loss, reorder = self._chance
        if self._dice.random() < loss:
            return
        late = self._dice.randrange(2, 8) if self._dice.random() < reorder else 0
        self._count += 1
        heapq.heappush(self._under_way, (self._now() + self._latency_ms + late, self._count, deliver, bytes(packet)))

    def _turn(self):
        packet = self._tun.read()
        while packet:
            self._lay(lambda arriving: self.stack.receive(arriving, self._now()), packet)
            packet = self._tun.read()
        while self._under_way and self._under_way[0][0] <= self._now():
            _, _, deliver, packet = heapq.heappop(self._under_way)
            deliver(packet)
        self.stack.tick(self._now())
        packet = self.stack.next_packet(self._now())
        while packet:
            self.sent.append(bytes(packet))
            self._lay(self._tun.write, packet)
            packet = self.stack.next_packet(self._now())

    def run(self, until, seconds=30.0):
        """Carries packets until `until()` holds. Returns whether it came to that."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                return False
            self._turn()
            due = [self.stack.deadline()] + [each[0] for each in self._under_way[:1]]
            due = [at - self._now() for at in due if at is not None]
            select.select([self._tun.fileno()], [], [], max(0, min(due + [20])) / 1000)
        return True

    def close(self):
        self._tun.close()


@contextmanager
def kernel(**wire):
    with inside():
        made = Kernel(**wire)
        try:
            yield made
        finally:
            made.close()
