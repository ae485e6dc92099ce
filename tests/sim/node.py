"""One engine of a simulated world: its clock, its heap that may be full, and the application above it."""

import random

from tests.world import EVENT_NAMES, REASON_NAMES, seeded_random
from uike import event
from uike.endpoint import Endpoint
from uike.hal.cpython.crypto import Provider

MARKER = b"inner plaintext, for nobody's eyes"
LIVE = (event.STATE_INIT, event.STATE_AUTH, event.STATE_ESTABLISHED)
_KEPT = 60  # lines of trace, for the report of a failure


class Violation(Exception):
    """An invariant is broken."""


class Heap:
    """Says when an allocation fails. `odds` is how likely that is."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.odds = 0.0
        self.failed = 0

    def take(self):
        if self.odds and self.draw.random() < self.odds:
            self.failed += 1
            raise MemoryError


class WatchedCipher:
    """A cipher that may fail for want of memory, and must never see an IV twice under its key."""

    def __init__(self, node, cipher, key):
        self.node, self.cipher, self.key = node, cipher, key
        self.iv_size, self.icv_size, self.block_size = cipher.iv_size, cipher.icv_size, cipher.block_size
        node.unwiped.add(self)

    @property
    def high(self):
        return self.cipher.high

    @high.setter
    def high(self, value):
        self.cipher.high = value

    def seal(self, buf, aad, end):
        self.node.heap.take()
        used = self.key, bytes(buf[aad : aad + self.iv_size])
        if used in self.node.sealed:
            raise Violation("an IV was used twice under one key")
        self.node.sealed.add(used)
        self.cipher.seal(buf, aad, end)

    def open(self, buf, aad, end):
        self.node.heap.take()
        return self.cipher.open(buf, aad, end)

    def wipe(self):
        self.cipher.wipe()
        self.node.unwiped.discard(self)


class WatchedProvider(Provider):
    """The host's cryptography, with allocations that fail."""

    def __init__(self, node):
        self.node = node
        super().__init__()

    def prf(self, prf_id, key, data):
        self.node.heap.take()
        return super().prf(prf_id, key, data)

    def sha1(self, data):
        self.node.heap.take()
        return super().sha1(data)

    def cipher(self, encr_id, key, integ_id, integ_key):
        self.node.heap.take()
        return WatchedCipher(self.node, super().cipher(encr_id, key, integ_id, integ_key), bytes(key))

    def key_exchange(self, group, random):
        self.node.heap.take()
        return super().key_exchange(group, random)


class Node:
    """An engine at `address`. `sealed` is the world's set of (key, IV) ever used."""

    def __init__(self, name, address, connection, seed, sealed, base_ms):
        self.name, self.address, self.connection, self.seed = name, address, connection, seed
        self.sealed = sealed
        self.unwiped = set()  # ciphers that still have their keys
        self.heap = Heap(repr((seed, name, "heap")))
        self.offset = base_ms  # of its clock, which jumps now and then but never goes back
        self.boots = 0
        self.errors = []
        self.lines = []
        self.time = 0
        self.boot()

    def boot(self):
        """Power on: nothing is known of what was before."""
        self.boots += 1
        self.unwiped.clear()
        source = seeded_random((self.seed, self.name, self.boots))

        def random(n):
            self.heap.take()
            return source(n)

        self.lines.append((self.time, "BOOT", 0, ""))
        self.endpoint = Endpoint([self.connection], WatchedProvider(self), random, self._trace)

    def now(self, time):
        self.time = time
        return self.offset + time

    def _trace(self, code, sa, body):
        text = ""
        if EVENT_NAMES[code] in ("DROP", "CLOSED", "REJECT"):
            text = REASON_NAMES[body[0]]
        elif code == event.STATE:
            text = f"{body[0]} -> {body[1]}"
        elif code in (event.CHILD_UP, event.CHILD_DOWN, event.CHILD_REKEYED):
            text = body[:8].hex() + ("" if code == event.CHILD_UP else f" {body[8]}")
        elif code == event.MESSAGE:
            text = f"{'out' if body[0] else 'in'} exchange {body[34]} flags {body[35]:#x} id {body[36:40].hex()}"
        self.lines.append((self.time, EVENT_NAMES[code], sa, text))
        del self.lines[:-_KEPT]
        if text == "LOCAL_ERROR":
            self.errors.append(f"{self.name} at {self.time}: {bytes(body[7:] if code == event.DROP else body)!r}")
        self.heap.take()

    # -- the application ---------------------------------------------------------------------------------------------

    def supervise(self, time, remote):
        """Connects when there is nothing that could become a tunnel."""
        if not [sa for sa in self.endpoint.sas if sa.state in LIVE]:
            self.endpoint.connect(self.connection, self.address, remote, self.now(time))

    def destinations(self):
        """(source, destination) of the packets that this node could send: one for each of its Child SAs in use."""
        for child in list(self.endpoint.sad.outbound):
            yield child.local_ts[0][8:12], child.remote_ts[0][12:16]

    def established(self, peer=None):
        """IKE SAs in use, of one peer or of all."""
        return [
            sa
            for sa in self.endpoint.sas
            if sa.state == event.STATE_ESTABLISHED and not sa.quiet and (peer is None or sa.peer_id[1] == peer)
        ]

    def holds(self, peer=None):
        """What exists here: the SPIs of the IKE SAs in use, and the pairs of their Child SAs'."""
        sas = self.established(peer)
        pairs = [
            tuple(sorted((child.spi_in, child.spi_out)))
            for sa in sas
            for child in sa.children
            if child.state != event.STATE_CHILD_RETIRED
        ]
        return sorted((sa.spi_i, sa.spi_r) for sa in sas), sorted(pairs)


def packet(source, destination, serial):
    """An inner IPv4 packet with a number of its own."""
    body = MARKER + serial.to_bytes(8, "big")
    size = 28 + len(body)
    head = bytes((0x45, 0)) + size.to_bytes(2, "big") + bytes((0, 0, 0, 0, 64, 17, 0, 0))
    return bytearray(
        head + source + destination + bytes((0, 9, 0, 9)) + (size - 20).to_bytes(2, "big") + bytes(2) + body
    )
