"""Runs in the VM: one engine that does what the host says, step by step, and hands over all that it sends.

Its key exchange costs nothing, so that thousands of rounds fit; all else is the firmware as it is, the trace included.
"""

import gc

from uike import event
from uike.crypto.drbg import Drbg
from uike.crypto.soft import Provider
from uike.endpoint import Endpoint
from uike.hal.vm import call, give, take
from uike.net.icmp import request
from uike.transient import drop, load

HERE, THERE = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))


def line(*words):
    return " ".join([str(word) for word in words])


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


class Board:
    def __init__(self):
        provider = CheapProvider()
        self.told = 0
        connections = load("uike.config").load(load("tree").TREE)
        drop()
        self.engine = Endpoint(connections, provider, Drbg(lambda n: b"\x01" * n, provider.prf), self.trace)

    def trace(self, code, sa, body):
        self.told += 1

    def step(self, what, now, words):
        engine = self.engine
        if what == "receive":
            size, local, address, port = words
            engine.receive(take(int(size)), ("192.0.2.2", int(local)), (address, int(port)), now)
        elif what == "tick":
            engine.tick(now)
        elif what == "connect":
            (connection,) = [each for each in engine.connections if each.initiator]
            engine.connect(connection, "192.0.2.2", "192.0.2.1", now)
        elif what == "close":
            engine.close(None, now)
        elif what == "packet":
            engine.send_packet(request(HERE, THERE, 1, 1, 8), now)
        else:  # the console's "rekey"
            for each in engine.sas[0].children if what == "child" else engine.sas[:1]:
                each.rekey_at = now
            engine.tick(now)

    def hand_over(self):
        for data, (address, port), local in self.engine.outgoing():
            give("send", data, line(address, port, local))
        for kind, _, _ in self.engine.events():
            if kind == event.PACKET:
                call("packet")

    def state(self):
        """Tells how many SAs of each kind there are, and the bytes in use."""
        gc.collect()
        gc.collect()
        call("state", line(len(self.engine.sas), len(self.engine.sad.inbound), gc.mem_alloc()))

    def run(self):
        while True:
            words = call("next").split()
            if words[0] == "end":
                break
            if words[0] == "state":
                self.state()
            else:
                self.step(words[0], int(words[1]), words[2:])
                self.hand_over()
        for why in self.engine.drops:
            call("drops", line(why, self.engine.drops[why]))


Board().run()
