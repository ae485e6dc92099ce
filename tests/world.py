"""Two engines wired together, without sockets and in virtual time: the stage of most protocol tests."""

import hashlib

from uike import event, reason
from uike.connection import Connection
from uike.endpoint import Endpoint
from uike.hal.cpython.crypto import Provider
from uike.wire.selectors import make

BOARD = "192.0.2.2"
GATEWAY = "192.0.2.1"
NETWORK = make(0, 0, 65535, bytes((10, 1, 0, 0)), bytes((10, 1, 255, 255)))
POOL = (bytes((10, 9, 0, 1)), bytes((10, 9, 0, 254)), bytes((255, 255, 255, 0)))

CBC = ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0))
GCM = ((1, 20, 256), (2, 6, 0), (4, 19, 0))
CHACHA = ((1, 28, 0), (2, 7, 0), (4, 14, 0))
ESP_CBC = ((1, 12, 128), (3, 12, 0), (5, 0, 0))
ESP_GCM = ((1, 20, 256), (5, 0, 0))
ESP_CHACHA = ((1, 28, 0), (5, 0, 0))

EVENT_NAMES = {
    value: name for name, value in vars(event).items() if type(value) is int and not name.startswith("STATE_")
}
REASON_NAMES = {value: name for name, value in vars(reason).items() if type(value) is int}


def seeded_random(seed):
    """A deterministic random source: (n) -> n bytes."""
    state = [hashlib.sha256(repr(seed).encode()).digest(), 0]

    def random(n):
        out = b""
        while len(out) < n:
            state[1] += 1
            out += hashlib.sha256(state[0] + state[1].to_bytes(8, "big")).digest()
        return out[:n]

    return random


def connection(initiator, **changes):
    """A connection of either role; both fit together until `changes` say otherwise."""
    fields = {
        "name": "hq",
        "initiator": initiator,
        "local": "0.0.0.0",
        "remote": GATEWAY if initiator else "%any",
        "local_id": (2, b"dev.example") if initiator else (2, b"gw.example"),
        "remote_id": (2, b"gw.example") if initiator else (2, b"dev.example"),
        "psk": bytearray(b"a key that nobody guesses"),
        "proposals": (CBC,),
        "esp_proposals": (ESP_CBC,),
        "virtual_ip": initiator,
        "pool": None if initiator else POOL,
        "dns": () if initiator else (bytes((10, 1, 0, 53)),),
        "local_ts": () if initiator else (NETWORK,),
        "remote_ts": (NETWORK,) if initiator else (),
        "dpd_delay_ms": 30_000,
        "nat_keepalive_ms": 20_000,
        "retransmit_ms": 2_000,
        "retransmit_tries": 4,
        "rekey_ms": 0,
        "esp_rekey_ms": 0,
        "esp_rekey_packets": 0,
        "fragmentation": True,
        "fragment_size": 1280,
    }
    made = Connection("hq")
    for name, value in {**fields, **changes}.items():
        assert hasattr(made, name), name
        setattr(made, name, value)
    return made


class Side:
    """One engine with its address, and the record of what it said: (event name, SA, body)."""

    def __init__(self, address, connections, seed, provider=None):
        self.address = address
        self.log = []
        self.endpoint = Endpoint(connections, provider or Provider(), seeded_random(seed), self._trace)
        self.happened = []

    def _trace(self, code, sa, body):
        self.log.append((EVENT_NAMES[code], sa, bytes(body)))

    def said(self, name):
        """Bodies of all events of that name."""
        return [body for kind, _, body in self.log if kind == name]

    def closed(self):
        """Names of the reasons of all CLOSED events."""
        return [REASON_NAMES[body[0]] for body in self.said("CLOSED")]

    def dropped(self):
        """Names of the reasons of all DROP events."""
        return [REASON_NAMES[body[0]] for body in self.said("DROP")]

    def rejected(self):
        """Names of the reasons of all REJECT events."""
        return [REASON_NAMES[body[0]] for body in self.said("REJECT")]

    def collect(self):
        """Takes the engine's events, and returns the inner packets among them."""
        events = self.endpoint.events()
        self.happened += events
        return [bytes(subject) for kind, subject, _ in events if kind == event.PACKET]

    @property
    def sa(self):
        return self.endpoint.sas[0]


class World:
    """An initiator and a responder on a wire. `filter(sender, datagram, port)` returns what arrives, a list."""

    def __init__(self, initiator=None, responder=None, seed=1, provider=None):
        self.board = Side(BOARD, [initiator or connection(True)], (seed, "board"), provider)
        self.gateway = Side(GATEWAY, [responder or connection(False)], (seed, "gateway"), provider)
        self.now = 0
        self.filter = lambda sender, datagram, port: [datagram]
        self.gone = ()  # addresses that nobody has any more: what goes there is lost
        self.wire = []  # every datagram sent: (sender's address, datagram, port)

    def connect(self):
        """Starts the initiator and carries datagrams until both are silent."""
        self.board.endpoint.connect(self.board.endpoint.connections[0], BOARD, GATEWAY, self.now)
        self.settle()
        return self

    def settle(self, rounds=50):
        """Carries datagrams back and forth until none is under way."""
        for _ in range(rounds):
            if not self._carry(self.board, self.gateway) + self._carry(self.gateway, self.board):
                return
        raise AssertionError("the engines never fall silent")

    def _carry(self, sender, receiver):
        out = sender.endpoint.outgoing()
        for datagram, (address, port), local_port in out:
            if address in self.gone:
                continue
            assert address == receiver.address
            self.wire.append((sender.address, bytes(datagram), port))
            for arriving in self.filter(sender, bytes(datagram), port):
                source = (sender.address, local_port)
                receiver.endpoint.receive(bytearray(arriving), (receiver.address, port), source, self.now)
        return len(out)

    def run(self, until_ms):
        """Lets virtual time pass, deadline by deadline."""
        sides = (self.board, self.gateway)
        for _ in range(10_000):
            due = [at for at in (side.endpoint.next_deadline() for side in sides) if at is not None]
            if not due or min(due) > until_ms:
                break
            self.now = max(self.now, min(due))
            for side in sides:
                side.endpoint.tick(self.now)
            self.settle()
        self.now = until_ms

    def internal_errors(self):
        """Drops that mean a bug of ours; every test wants this empty."""
        return [name for side in (self.board, self.gateway) for name in side.dropped() if name == "LOCAL_ERROR"]
