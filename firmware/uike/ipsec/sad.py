"""The Child SAs: a pair of ESP SAs each, one in, one out (RFC 4301 section 4.4.2)."""

from uike.ipsec.policy import allows
from uike.ipsec.replay import Window


class ChildSa:
    """One Child SA. SPIs are four bytes, as on the wire; selectors their wire form; ciphers are `uike.crypto`'s."""

    def __init__(self, owner, spi_in, spi_out, seal, open, local_ts, remote_ts):
        self.owner = owner  # the IKE SA, of which the data plane knows only that it exists
        self.spi_in = spi_in
        self.spi_out = spi_out
        self.seal = seal
        self.open = open
        self.local_ts = local_ts
        self.remote_ts = remote_ts
        self.sequence = 0
        self.replay = Window()
        self.packets_in = self.packets_out = 0
        self.bytes_in = self.bytes_out = 0

    def wipe(self):
        self.seal.wipe()
        self.open.wipe()


def spi_key(data):
    """The SPI at the start of `data` as a small integer, -1 when it is none of ours: ours are below 2**30, so that
    looking them up allocates nothing."""
    if data[0] > 63:
        return -1
    return data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3]


class Sad:
    """All Child SAs of a board."""

    def __init__(self):
        self.inbound = {}
        self.outbound = []  # the newest first: it is the one to use

    def add(self, child):
        self.inbound[spi_key(child.spi_in)] = child
        self.outbound.insert(0, child)

    def remove(self, child):
        self.inbound.pop(spi_key(child.spi_in), None)
        if child in self.outbound:
            self.outbound.remove(child)
        child.wipe()

    def route(self, packet, size):
        """The Child SA whose selectors this outbound packet meets, or None."""
        for child in self.outbound:
            if allows(packet, 0, size, child.local_ts, child.remote_ts):
                return child
        return None
