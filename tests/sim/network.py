"""The network of a simulated world: it loses, repeats, delays, reorders and damages, and a NAT stands before a board.

Every decision comes from one random generator, so that a seed replays a run.
"""

import random
from dataclasses import dataclass, fields

from tests.sim.node import MARKER, Violation
from uike.wire.message import HEADER


@dataclass
class Faults:
    """How bad it is: probabilities, and milliseconds."""

    loss: float = 0.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    slow: float = 0.0  # of a datagram that takes up to `delay_ms` and is overtaken
    delay_ms: int = 0
    mtu: int = 65535  # larger ones are lost
    rebind: float = 0.0  # each second and board
    forget: float = 0.0
    reboot: float = 0.0
    jump: float = 0.0  # of a clock
    starve: float = 0.0  # a heap that is full for a second
    delete: float = 0.0  # somebody deletes an SA

    @classmethod
    def drawn(cls, draw):
        """Most of them off, so that runs differ in kind."""
        worst = cls(0.4, 0.4, 0.3, 0.4, 5_000, 65535, 0.1, 0.1, 0.04, 0.05, 0.15, 0.15)
        values = {}
        for field in fields(cls):
            most = getattr(worst, field.name)
            if draw.random() < 0.5:
                values[field.name] = type(most)(most * draw.random() ** 2)
        values["mtu"] = draw.choice((65535, 65535, 1000, 620))
        values["delay_ms"] = draw.choice((50, 500, 5_000))
        return cls(**values)


class Nat:
    """A board's address and ports as the world sees them; `address` alone when there is no NAT."""

    def __init__(self, inside, outside, draw):
        self.inside, self.outside, self.draw = inside, outside, draw
        self.ports = {}  # inside -> outside
        self.rebound = 0

    def out(self, port):
        if port not in self.ports:
            self.ports[port] = self.draw.randrange(20_000, 60_000)
        return self.outside, self.ports[port]

    def back(self, port):
        """The inner port, or None: the NAT does not know it (any more)."""
        for inner, outer in self.ports.items():
            if outer == port:
                return inner
        return None

    def forget(self):
        self.ports.clear()


class Direct:
    """No NAT."""

    def __init__(self, address):
        self.outside = address

    def out(self, port):
        return self.outside, port

    def back(self, port):
        return port

    def forget(self):
        pass


class Network:
    """Carries datagrams between nodes. `schedule(delay ms, function)` is the world's."""

    def __init__(self, seed, schedule, deliver):
        self.draw = random.Random(seed)
        self.schedule, self.deliver = schedule, deliver
        self.faults = Faults()
        self.gates = {}  # node -> Nat or Direct
        self.sent = 0

    def join(self, node, natted):
        number = len(self.gates) + 1
        self.gates[node] = Nat(node.address, f"198.51.100.{number}", self.draw) if natted else Direct(node.address)

    def send(self, node, datagram, remote, port):
        """A datagram leaves `node`."""
        inspect(datagram, remote[1])
        self.sent += 1
        source = self.gates[node].out(port)
        faults, draw = self.faults, self.draw
        if len(datagram) + 28 > faults.mtu or draw.random() < faults.loss:
            return
        for _ in range(2 if draw.random() < faults.duplicate else 1):
            arriving = bytearray(datagram)
            if draw.random() < faults.corrupt:
                damage(arriving, draw)
            delay = draw.randrange(5, 30)
            if draw.random() < faults.slow:
                delay += draw.randrange(faults.delay_ms)
            self.schedule(delay, lambda arriving=arriving: self._arrive(arriving, source, remote))

    def _arrive(self, datagram, source, remote):
        for node, gate in self.gates.items():
            if gate.outside == remote[0]:
                port = gate.back(remote[1])
                if port is not None:
                    self.deliver(node, datagram, source, port)


def damage(datagram, draw):
    """Bits fall over, or the end is missing."""
    if draw.random() < 0.2:
        del datagram[draw.randrange(len(datagram)) :]
    for _ in range(draw.randrange(1, 4)):
        if datagram:
            datagram[draw.randrange(len(datagram))] ^= 1 << draw.randrange(8)


def inspect(datagram, port):
    """Whatever leaves an engine is IKE, ESP or a keepalive, and shows nothing of what is inside."""
    if MARKER in datagram:
        raise Violation("plaintext on the wire")
    message = bytes(datagram)
    if message == b"\xff":
        return
    if message[:4] == bytes(4) or len(message) >= HEADER and message[17] == 0x20 and port == 500:
        message = message[4:] if message[:4] == bytes(4) else message
        if len(message) < HEADER or int.from_bytes(message[24:28], "big") != len(message) or message[17] != 0x20:
            raise Violation("neither IKE nor ESP")
    elif len(message) < 32 or int.from_bytes(message[:4], "big") < 256:
        raise Violation("neither IKE nor ESP")
