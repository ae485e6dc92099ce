"""python -m tests.vm.soak [RECONNECTS REKEYS DATAGRAMS]: a long life of one board in the MicroPython VM with the heap of
an ESP32: two hundred reconnections, a thousand rekeyings of the Child SA and of the IKE SA, a hundred thousand hostile
datagrams. The heap in use must end where it began. `tests/vm/test_soak.py` runs the same in small.

The peer is another engine, in the host's Python. The board's steps come from a generator here, `Life.steps`: whatever
it yields the guest does, and hands over what it sends.
"""

import random
import sys
from pathlib import Path

from host_tools import demo
from host_tools.emulator.vm import run_script
from tests.attack.attacker import first_request
from tests.fuzz.test_receive import hostile
from tests.world import CBC, seeded_random
from uike import config, event, reason
from uike.endpoint import Endpoint
from uike.hal.cpython.crypto import Provider
from uike.net import icmp
from uike.wire.message import HEADER

GUEST = Path(__file__).with_name("guest_soak.py")
HEAP = "111k"
GROWTH_MAX = 2_048  # bytes
WARM_UP = 500  # hostile datagrams before the first measurement
STRETCHES = 10  # of each phase, with the heap measured after each
BOARD, GATEWAY = demo.INITIATOR, demo.GATEWAY
INNER = (bytes((10, 1, 0, 1)), bytes((10, 9, 0, 1)))
TREES = demo.configurations("5a" * 32)
TREE = {"connection": {**TREES[0]["connection"], **TREES[1]["connection"]}}  # the board's: it also answers strangers
NAMES = {value: name for name, value in vars(reason).items() if type(value) is int}


class CheapProvider(Provider):
    """The same key exchange as the guest's."""

    class Exchange:
        public = bytes(range(32))

        def shared(self, peer_public):
            return b"\x77" * 32

        def wipe(self):
            pass

    def key_exchange(self, group, random):
        return self.Exchange()


class Life:
    """The host's half: the peer, the steps, and the door that the guest reaches them by."""

    def __init__(self, reconnects, rekeys, datagrams, tell):
        self.peer = Endpoint(config.load(TREES[1]), CheapProvider(), seeded_random("soak"))
        self.now = 0
        self.ready = b""  # the datagram that the guest is about to take
        self.sent = []  # what it sent: (datagram, source port, destination)
        self.wire = []  # every datagram since the last connection
        self.packets = 0
        self.state = None  # (IKE SAs, Child SAs, bytes in use)
        self.rows = []  # (phase, count, bytes in use)
        self.drops = {}
        self.tell = tell
        self.draw = random.Random("soak")
        self.steps = self._steps(reconnects, rekeys, datagrams)

    # -- the door ----------------------------------------------------------------------------------------------------

    def door(self, memory, name, text):
        words = text.split()
        if name == "next":
            return next(self.steps, "end")
        if name == "take":
            memory.write(int(words[0]), self.ready)
        elif name == "send":
            address, port, local = words[2:]
            self.sent.append((memory.read(int(words[0]), int(words[1])), int(local), (address, int(port))))
        elif name == "packet":
            self.packets += 1
        elif name == "state":
            self.state = tuple(map(int, words))
        elif name == "drops":
            self.drops[NAMES[int(words[0])]] = int(words[1])
        return ""

    # -- steps: generators of what the board is to do ----------------------------------------------------------------

    def _steps(self, reconnects, rekeys, datagrams):
        yield f"connect {self.now}"
        yield from self._carry()
        for step in (self._reconnect, self._rekey, self._rekey):
            yield from step(0)  # what is made once, and stays
        yield from self._phase("start", self._throw, WARM_UP)
        yield from self._phase("reconnect", self._reconnect, reconnects)
        yield from self._phase("rekey", self._rekey, rekeys)
        yield from self._phase("junk", self._throw, datagrams)

    def _phase(self, name, step, count):
        for part in range(STRETCHES):
            for number in range(count * part // STRETCHES, count * (part + 1) // STRETCHES):
                yield from step(number)
            yield from self._pass_time(60_000)  # half-open and replaced SAs run out
            yield from self._works()
            yield "state"
            assert self.state[:2] == (1, 1), self.state
            self.rows.append((name, count * (part + 1) // STRETCHES, self.state[2]))
            self.tell(self.rows[-1])

    def _carry(self):
        """Datagrams go back and forth until both are silent."""
        while True:
            for data, local, (address, port) in self.sent:
                if address == GATEWAY:
                    self.wire.append(data)
                    self.peer.receive(bytearray(data), (GATEWAY, port), (BOARD, local), self.now)
            self.sent.clear()
            out = self.peer.outgoing()
            if not out:
                return
            for data, (address, port), local in out:
                if address == BOARD:
                    self.wire.append(bytes(data))
                    yield self._deliver(bytes(data), port, (GATEWAY, local))

    def _deliver(self, data, port, source):
        self.ready = data
        return f"receive {self.now} {len(data)} {port} {source[0]} {source[1]}"

    def _pass_time(self, ms):
        self.now += ms
        self.peer.tick(self.now)
        yield f"tick {self.now}"
        yield from self._carry()

    def _works(self):
        """A packet goes each way."""
        self.packets = 0
        self.peer.events()
        yield f"packet {self.now}"
        assert self.peer.send_packet(icmp.request(*INNER, 1, 1, 8), self.now) == 0
        yield from self._carry()
        assert self.packets == 1 and [kind for kind, _, _ in self.peer.events()] == [event.PACKET]

    def _reconnect(self, number):
        yield f"close {self.now}"
        yield from self._carry()
        yield from self._pass_time(60_000)
        yield "state"
        assert self.state[:2] == (0, 0) and not self.peer.sas, (number, self.state)
        self.wire.clear()
        yield f"connect {self.now}"
        yield from self._carry()
        yield from self._works()

    def _rekey(self, number):
        """The Child SA and the IKE SA, each side in turn."""
        sa = self.peer.sas[0]
        for what, ms in (("child", 6_000), ("ike", 21_000)):
            before = sa.children[0] if what == "child" else sa
            if number & 1:
                yield f"{what} {self.now}"
            else:
                before.rekey_at = self.now
                self.peer.tick(self.now)
            yield from self._carry()
            yield from self._pass_time(ms)
            assert [self.peer.sas, sa.children][what == "child"] != [before] and len(self.peer.sas) == 1, (what, number)

    def _throw(self, number):
        """A hostile datagram: one of this very tunnel, changed, or aimed at it; or a stranger's first request."""
        draw = self.draw
        source = (GATEWAY, draw.choice((500, 4500)))
        if not draw.randrange(3):
            source = (f"198.51.100.{draw.randrange(256)}", draw.choice((500, 4500, 1024)))
        if not draw.randrange(8):
            data, port = first_request(CBC, spi=draw.randbytes(8)), 500
        else:
            data, port = hostile(draw, self.wire[:12], self.peer.sas[0])
            at = 4 if port == 4500 else 0
            if draw.randrange(2) and len(data) >= at + HEADER:
                data = data[: at + 24] + (len(data) - at).to_bytes(4, "big") + data[at + HEADER :]
        yield self._deliver(data, port, source)
        self.sent.clear()
        if number % 500 == 499:
            yield from self._pass_time(31_000)


def soak(reconnects, rekeys, datagrams, tell=lambda row: None):
    """(rows, drops): [(phase, count, bytes in use)] and {name of a reason: count}. Raises AssertionError when the
    tunnel or the VM does not live to the end."""
    life = Life(reconnects, rekeys, datagrams, tell)
    _, _, verdict = run_script(GUEST, HEAP, {"tree": f"TREE = {TREE!r}\n"}, fuel_limit=1 << 52, door=life.door)
    assert verdict.ok, verdict
    return life.rows, life.drops


def growth(rows):
    """(most, last): bytes more than at the end of the warming up, which is the last row of the phase "start"."""
    start = [used for phase, _, used in rows if phase == "start"][-1]
    later = [used - start for phase, _, used in rows if phase != "start"]
    return max(later), later[-1]


def main():
    counts = [int(word) for word in sys.argv[1:]] or [200, 1_000, 100_000]
    rows, drops = soak(*counts, tell=lambda row: print(f"{row[0]:>9} {row[1]:>7}: {row[2]} bytes in use", flush=True))
    most, last = growth(rows)
    print(f"{sum(drops.values())} datagrams dropped: " + ", ".join(f"{name} {drops[name]}" for name in sorted(drops)))
    print(f"heap in use at the end: {last:+d} bytes, {most:+d} at most, on a heap of {HEAP}")
    bad = [name for name in ("LOCAL_ERROR", "NO_MEMORY") if name in drops]
    return f"dropped with {', '.join(bad)}" if bad else f"more than {GROWTH_MAX} bytes" if most > GROWTH_MAX else 0


if __name__ == "__main__":
    sys.exit(main())
