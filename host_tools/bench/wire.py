"""Our engine on real sockets, for `bench.peers`: the responder that is measured, or the initiator that loads one.

`python -m host_tools.bench.wire ROLE ...` runs in a network namespace. It is told what to do next by a line on standard
input, answers with a line of JSON, and ends with its input:

   serve PSK IKE ESP       a line: the counters of its Child SAs
   load PSK IKE ESP SIZE   a line with a number: so many bring-ups, or with a SIZE so many echo requests in one tunnel
"""

import ipaddress
import json
import os
import select
import socket
import sys
import time

from host_tools import demo
from host_tools.emulator.tun import Tun
from uike import config, event
from uike.crypto.drbg import Drbg
from uike.endpoint import Endpoint
from uike.hal.cpython.crypto import Provider
from uike.iana import PORT_IKE, PORT_NATT
from uike.net.icmp import answered, request

POOL = ipaddress.IPv4Network("10.9.0.0/24")
BURST = 16  # datagrams taken from a socket, and echo requests under way
SILENCE_S = 5.0
_DATAGRAM = 4096
_IDENT = 1


class Wire:
    """An engine and its two sockets at `address`."""

    def __init__(self, tree: dict, address: str):
        provider = Provider()
        self.endpoint = Endpoint(config.load(tree), provider, Drbg(os.urandom, provider.prf))
        self.address = address
        self.sockets = {}  # file descriptor: (socket, local endpoint)
        self.by_port = {}
        self.poll = select.poll()
        for port in (PORT_IKE, PORT_NATT):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((address, port))
            sock.setblocking(False)
            self.sockets[sock.fileno()] = (sock, (address, port))
            self.by_port[port] = sock
            self.poll.register(sock, select.POLLIN)

    @staticmethod
    def now() -> int:
        return time.monotonic_ns() // 1_000_000

    def flush(self) -> None:
        for data, remote, port in self.endpoint.outgoing():
            self.by_port[port].sendto(data, remote)

    def take(self, descriptor: int, on_packet) -> None:
        """Hand what has come to a socket to the engine, and its inner packets to `on_packet`."""
        sock, local = self.sockets[descriptor]
        for _ in range(BURST):
            try:
                data, remote = sock.recvfrom(_DATAGRAM)
            except BlockingIOError:
                break
            self.endpoint.receive(data, local, remote, self.now())
            for kind, subject, _ in self.endpoint.events():
                if kind == event.PACKET:
                    on_packet(subject)
        self.flush()

    def until(self, done, on_packet=lambda packet: None) -> None:
        """Follow the sockets until `done()`; RuntimeError when the peer falls silent before that."""
        while not done():
            ready = self.poll.poll(SILENCE_S * 1000)
            if not ready:
                raise RuntimeError(f"the peer is silent, and we dropped {self.endpoint.drops}")
            for descriptor, _ in ready:
                self.take(descriptor, on_packet)


def serve(psk: str, ike: str, esp: str) -> None:
    """The responder; inner packets go to the kernel through a TUN device, as strongSwan's libipsec has it."""
    wire = Wire(demo.configurations(psk, ike, esp)[1], demo.GATEWAY)
    endpoint, tun = wire.endpoint, Tun("uike0")
    tun.route(POOL)
    for each in (tun, sys.stdin):
        wire.poll.register(each, select.POLLIN)
    _say("ready")
    while True:
        for descriptor, _ in wire.poll.poll(1000):
            if descriptor in wire.sockets:
                wire.take(descriptor, tun.write)
            elif descriptor == tun.fileno():
                for _ in range(BURST):
                    packet = tun.read()
                    if packet is None:
                        break
                    endpoint.send_packet(packet, wire.now())
                wire.flush()
            elif not sys.stdin.readline():
                return
            else:
                children = endpoint.sad.inbound.values()
                names = ("packets_in", "packets_out")
                _say({name.replace("_", "-"): sum(getattr(child, name) for child in children) for name in names})
        endpoint.tick(wire.now())
        wire.flush()


def load(psk: str, ike: str, esp: str, size: str = "") -> None:
    """The initiator."""
    wire = Wire(demo.configurations(psk, ike, esp)[0], demo.INITIATOR)
    if size:
        _connect(wire)
    for line in sys.stdin:
        for _ in range(0 if size else int(line)):
            _connect(wire)
            _close(wire)
        if size:
            _echo(wire, int(line), int(size))
        _say("done")
    _close(wire)


def _connect(wire) -> None:
    endpoint = wire.endpoint
    endpoint.connect(endpoint.connections[0], demo.INITIATOR, demo.GATEWAY, wire.now())
    wire.flush()
    wire.until(lambda: endpoint.sad.outbound or not endpoint.sas)
    if not endpoint.sas:
        raise RuntimeError("the peer refused")


def _close(wire) -> None:
    wire.endpoint.close(None, wire.now())
    wire.flush()
    wire.until(lambda: not wire.endpoint.sas)


def _echo(wire, count: int, size: int) -> None:
    """`count` echo requests in inner packets of `size` bytes, a burst at a time, each burst answered in full."""
    endpoint = wire.endpoint
    packet = request(endpoint.sas[0].address, ipaddress.IPv4Address(demo.INNER).packed, _IDENT, 1, size - 28)
    answers = []
    for start in range(0, count, BURST):
        burst = min(BURST, count - start)
        answers.clear()
        for _ in range(burst):
            if endpoint.send_packet(packet, wire.now()):
                raise RuntimeError("no Child SA takes the echo request")
        wire.flush()
        wire.until(lambda burst=burst: len(answers) >= burst, answers.append)
        if any(len(answer) != size or answered(answer, _IDENT) != 1 for answer in answers):
            raise RuntimeError("an inner packet that is no answer to our echo request")


def _say(what) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    {"serve": serve, "load": load}[sys.argv[1]](*sys.argv[2:])
