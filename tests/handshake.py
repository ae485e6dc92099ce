"""A whole life of a tunnel between two of our engines, kept for those who look at it from outside: trace, wire, secrets."""

import struct
from base64 import b64encode

from host_tools import records
from tests.world import CBC, ESP_CBC, World, connection
from uike import event
from uike.hal.cpython.crypto import Provider


class Eavesdropper(Provider):
    """Keeps what must never be seen outside: keys, shared secrets, and all that is made with a key."""

    def __init__(self):
        self.secrets = []
        self.ciphers = []  # (key, integrity key) in the order of their making

    def prf(self, prf_id, key, data):
        made = super().prf(prf_id, key, data)
        self.secrets += [bytes(key), made]
        return made

    def cipher(self, encr_id, key, integ_id, integ_key):
        self.ciphers.append((bytes(key), bytes(integ_key)))
        self.secrets += [each for each in self.ciphers[-1] if each]
        return super().cipher(encr_id, key, integ_id, integ_key)

    def key_exchange(self, group, random):
        exchange = super().key_exchange(group, random)
        agree = exchange.shared

        def shared(peer_public):
            self.secrets.append(agree(peer_public))
            return self.secrets[-1]

        exchange.shared = shared
        return exchange


def line(code, sa, time_ms, body):
    """A record as a board writes it on its console."""
    return b"#" + b64encode(struct.pack(">BHI", code, sa, time_ms) + body)


def events(side):
    """The trace of one side of a World, decoded."""
    codes = {name.upper(): code for code, name in records.NAMES.items()}
    return [records.parse(line(codes[name], sa, 43, body)) for name, sa, body in side.log]


def messages(side):
    """(sent by this side, IKE message in the clear) of each message that a side traced."""
    return [(each.fields["out"], each.fields["data"]) for each in events(side) if each.code == event.MESSAGE]


def lifetime(ike=CBC, esp=ESP_CBC):
    """A World whose tunnel came up and was deleted, and the Eavesdropper at both ends."""
    ear = Eavesdropper()
    suite = {"proposals": (ike,), "esp_proposals": (esp,)}
    world = World(connection(True, **suite), connection(False, **suite), provider=ear).connect()
    assert world.board.said("CHILD_UP") and world.gateway.said("CHILD_UP")
    world.board.endpoint.close(None, world.now)
    world.settle()
    assert world.board.closed() == ["DELETED_BY_US"] and world.gateway.closed() == ["DELETED_BY_PEER"]
    return world, ear
