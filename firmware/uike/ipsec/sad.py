"""The Child SAs: a pair of ESP SAs each, one in, one out (RFC 4301 section 4.4.2)."""

from uike import event
from uike.ipsec.policy import allows
from uike.ipsec.replay import Window


class ChildSa:
    """One Child SA. SPIs are four bytes, as on the wire; selectors their wire form; ciphers are `uike.crypto`'s."""

    sequence = 0
    packets_in = packets_out = 0
    bytes_in = bytes_out = 0
    packets_max = bytes_max = 0  # soft limits, each way; 0 is none. The hard ones are an eighth above
    standby = False  # the peer made it to replace another: not sent on before it is received on
    # What the control plane keeps of it
    policy = None
    transforms = b""  # chosen, as the trace has them
    own = bytes(4)  # our inner address, see wire/own
    state = event.STATE_CHILD_INSTALLED
    rekey_at = expires_at = None
    worn = False  # its soft limit was seen
    rival = None  # (lowest nonce, Child SA): the peer replaced it while we were doing so
    transport = None  # in transport mode a wire/transport.Transport
    next_header = 0  # of what it has stripped

    def __init__(self, owner, spi_in, spi_out, seal, open, local_ts, remote_ts):
        self.owner = owner  # the IKE SA, of which the data plane knows only that it exists
        self.spi_in = spi_in
        self.spi_out = spi_out
        self.seal = seal
        self.open = open
        self.local_ts = local_ts
        self.remote_ts = remote_ts
        self.replay = extended(open.high) if open.high else Window()

    def used(self):
        """0: fresh; 1: to be rekeyed; 2: not to be used any more."""
        return max(
            _level(self.packets_in, self.packets_max),
            _level(self.packets_out, self.packets_max),
            _level(self.bytes_in, self.bytes_max),
            _level(self.bytes_out, self.bytes_max),
        )

    def wipe(self):
        self.seal.wipe()
        self.open.wipe()


def extended(high):
    """The window for extended sequence numbers; its code is loaded with the first SA that has them."""
    from uike.ipsec.esn import ExtendedWindow

    return ExtendedWindow(high)


def _level(count, most):
    if not most or count < most:
        return 0
    return 1 if count <= most + (most >> 3) else 2


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
        self.outbound = []  # the one to use first

    def add(self, child):
        self.inbound[spi_key(child.spi_in)] = child
        self.outbound.insert(0, child)

    def hold(self, child):
        """Behind all others, until the peer has shown that it has this Child SA too (RFC 7296 section 2.8)."""
        child.standby = True
        self.outbound.remove(child)
        self.outbound.append(child)

    def prefer(self, child):
        """Before all others."""
        child.standby = False
        if child in self.outbound:
            self.outbound.remove(child)
            self.outbound.insert(0, child)

    def retire(self, child):
        """Not sent on any more; what is still under way may come in."""
        if child in self.outbound:
            self.outbound.remove(child)

    def remove(self, child):
        self.inbound.pop(spi_key(child.spi_in), None)
        self.retire(child)
        child.wipe()

    def route(self, packet, size):
        """The Child SA whose selectors this outbound packet meets, or None."""
        for child in self.outbound:
            if allows(packet, 0, size, child.local_ts, child.remote_ts):
                return child
        return None
