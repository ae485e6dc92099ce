"""Runs in the VM: what one ESP packet costs the engine, out and in, in a suite and a size given by `suite`."""

import gc

import host
from suite import ENCR, ENCR_KEY, INTEG, INTEG_KEY, SIZES

from uike.crypto.drbg import Drbg
from uike.crypto.soft import Provider
from uike.endpoint import Endpoint
from uike.ipsec.sad import ChildSa
from uike.net.icmp import request
from uike.wire.selectors import host as only

_ROUNDS = 4
_BIG = 1 << 60  # keeps the sums big integers of one size throughout
HERE, THERE = ("192.0.2.2", 4500), ("192.0.2.1", 4500)
INNER_HERE, INNER_THERE = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))


class Owner:
    """An IKE SA, as far as the data plane looks at it: a responder's, without MOBIKE."""

    initiator = mobike = False

    def __init__(self, local, remote):
        self.connection = self
        self.local, self.remote, self.heard_at, self.sent_at = local, remote, 0, 0


def engine(provider, random, local, remote, spi_in, spi_out, inner, peer):
    endpoint = Endpoint([], provider, random)
    seal = provider.cipher(ENCR, ENCR_KEY, INTEG, INTEG_KEY)
    open = provider.cipher(ENCR, ENCR_KEY, INTEG, INTEG_KEY)
    endpoint.sad.add(ChildSa(Owner(local, remote), spi_in, spi_out, seal, open, [only(inner)], [only(peer)]))
    return endpoint


def fuel():
    return int(host.call("fuel", ""))


def main():
    provider = Provider()
    random = Drbg(lambda n: bytes(range(n)), provider.prf)
    here = engine(provider, random, HERE, THERE, b"\x01\0\0\1", b"\x02\0\0\2", INNER_HERE, INNER_THERE)
    there = engine(provider, random, THERE, HERE, b"\x02\0\0\2", b"\x01\0\0\1", INNER_THERE, INNER_HERE)
    for size in SIZES:
        packet = request(INNER_HERE, INNER_THERE, 1, 1, size - 28)
        out = into = _BIG
        before = 0
        for number in range(_ROUNDS + 1):
            start = 0
            gc.collect()
            if number == 1:  # the first one loads and fills what is made once
                out = into = _BIG
                before = gc.mem_alloc()
            start = fuel()
            here.send_packet(packet, 0)
            out += fuel() - start
            datagram = here.outgoing()[0][0]
            start = fuel()
            there.receive(datagram, THERE, HERE, 0)
            into += fuel() - start
            happened = there.events()
            if len(happened) != 1 or len(happened[0][1]) != size:
                raise RuntimeError("the packet did not come through")
            del datagram, happened
        start = 0
        gc.collect()
        growth = gc.mem_alloc() - before
        print(size, (out - _BIG) // _ROUNDS, (into - _BIG) // _ROUNDS, growth)


main()
