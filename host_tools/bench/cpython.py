"""What the test build does on one core of this PC: handshakes and packets a second, the engine alone, no sockets."""

import os
import time

from host_tools import demo
from uike import config, event
from uike.crypto.drbg import Drbg
from uike.endpoint import Endpoint
from uike.hal.cpython.crypto import Provider
from uike.net.icmp import request

HANDSHAKES = 300
PACKETS = 5_000
HERE, THERE = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))


class Pair:
    """An initiator and a responder wired together; counts the CPU time of each."""

    def __init__(self, ike: str, esp: str):
        trees = demo.configurations("5a" * 32, ike, esp)
        self.sides = [self._engine(tree) for tree in trees]
        self.addresses = (demo.INITIATOR, demo.GATEWAY)
        self.cpu_s = [0.0, 0.0]
        self.up = 0

    @staticmethod
    def _engine(tree) -> Endpoint:
        provider = Provider()
        return Endpoint(config.load(tree), provider, Drbg(os.urandom, provider.prf))

    def connect(self) -> None:
        """One IKE SA with its Child SA, up on both sides."""
        initiator = self.sides[0]
        self._timed(0, initiator.connect, initiator.connections[0], *self.addresses, 0)
        self._carry()
        for side in self.sides:
            self.up += sum(kind == event.ESTABLISHED for kind, _, _ in side.events())

    def close(self) -> None:
        """Delete it on both sides."""
        self._timed(0, self.sides[0].close, None, 0)
        self._carry()

    def _carry(self) -> None:
        """Exchange datagrams until both sides are silent."""
        moved = True
        while moved:
            moved = False
            for index, side in enumerate(self.sides):
                for data, remote, port in side.outgoing():
                    moved = True
                    other = 1 - index
                    local = (self.addresses[index], port)
                    self._timed(other, self.sides[other].receive, data, remote, local, 0)

    def _timed(self, index, function, *arguments) -> None:
        start = time.process_time()
        function(*arguments)
        self.cpu_s[index] += time.process_time() - start


def handshakes(ike: str = "aes128-sha256-x25519", esp: str = "aes128-sha256", count: int = HANDSHAKES) -> dict:
    """CPU seconds per bring-up (and delete) of each role, and bring-ups a second of both together."""
    pair = Pair(ike, esp)
    pair.connect()
    pair.close()
    pair.cpu_s, pair.up = [0.0, 0.0], 0
    for _ in range(count):
        pair.connect()
        pair.close()
    if pair.up != 2 * count:
        raise RuntimeError(f"{pair.up} of {2 * count} sides came up")
    initiator, responder = (each / count for each in pair.cpu_s)
    return {
        "initiator_cpu_ms": round(initiator * 1000, 3),
        "responder_cpu_ms": round(responder * 1000, 3),
        "per_second": round(1 / (initiator + responder)),
    }


def packets(esp: str, size: int, count: int = PACKETS) -> dict:
    """ESP packets a second of one side, out and in."""
    pair = Pair("aes128-sha256-x25519", esp)
    pair.connect()
    here, there = pair.sides
    packet = request(HERE, THERE, 1, 1, size - 28)
    sent = []
    start = time.process_time()
    for _ in range(count):
        here.send_packet(packet, 0)
        sent += here.outgoing()
    out_s = time.process_time() - start
    received = 0
    start = time.process_time()
    for data, _, port in sent:
        there.receive(data, (demo.GATEWAY, port), (demo.INITIATOR, port), 0)
        received += len(there.events())
    in_s = time.process_time() - start
    if received != count:
        raise RuntimeError(f"{received} of {count} packets came through")
    return {"size": size, "out_per_second": round(count / out_s), "in_per_second": round(count / in_s)}
