"""Runs on the board: what one ESP packet costs the engine, out and in, in each suite and size."""

import gc
import os

from proof.measure import check, provider, timed
from uike import iana
from uike.crypto.drbg import Drbg
from uike.endpoint import Endpoint
from uike.ipsec.sad import ChildSa
from uike.wire.selectors import host as only

SUITES = (
    ("AES-CBC-128 HMAC-SHA2-256", iana.ENCR_AES_CBC, 16, iana.AUTH_HMAC_SHA2_256_128),
    ("AES-CBC-256 HMAC-SHA2-256", iana.ENCR_AES_CBC, 32, iana.AUTH_HMAC_SHA2_256_128),
    ("AES-GCM-128", iana.ENCR_AES_GCM_16, 20, 0),
    ("AES-GCM-256", iana.ENCR_AES_GCM_16, 36, 0),
    ("ChaCha20-Poly1305", iana.ENCR_CHACHA20_POLY1305, 36, 0),
)
_HERE, _THERE = ("192.0.2.2", 4500), ("192.0.2.1", 4500)
_INNER_HERE, _INNER_THERE = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))


class _Owner:
    """An IKE SA, as far as the data plane looks at it: a responder's, without MOBIKE."""

    initiator = mobike = False

    def __init__(self, local, remote):
        self.connection = self
        self.local, self.remote, self.heard_at, self.sent_at = local, remote, 0, 0


def _engine(crypto, random, suite, ends, spis, inner):
    _, encr, key_size, integ = suite
    keys = encr, bytes(range(key_size)), integ, bytes(range(32)) if integ else b""
    endpoint = Endpoint([], crypto, random)
    ciphers = crypto.cipher(*keys), crypto.cipher(*keys)
    endpoint.sad.add(
        ChildSa(_Owner(*ends), spis[0], spis[1], ciphers[0], ciphers[1], [only(inner[0])], [only(inner[1])])
    )
    return endpoint


def _packet(size):
    """An IPv4 packet of UDP that is all zeros within."""
    return (
        bytes((0x45, 0))
        + size.to_bytes(2, "big")
        + bytes((0, 0, 0, 0, 64, 17, 0, 0))
        + _INNER_HERE
        + _INNER_THERE
        + (bytes(size - 20))
    )


def run(crypto_name, sizes):
    crypto = provider(crypto_name)
    random = Drbg(os.urandom, crypto.prf)
    for suite in SUITES:
        here = _engine(crypto, random, suite, (_HERE, _THERE), (b"\1\0\0\1", b"\2\0\0\2"), (_INNER_HERE, _INNER_THERE))
        there = _engine(crypto, random, suite, (_THERE, _HERE), (b"\2\0\0\2", b"\1\0\0\1"), (_INNER_THERE, _INNER_HERE))
        here.send_packet(_packet(sizes[0]), 0)  # the first one fills what is made once
        there.receive(here.outgoing()[0][0], _THERE, _HERE, 0)
        there.events()
        for size in sizes:
            packet = _packet(size)
            timed("%s out %d bytes" % (suite[0], size), here.send_packet, packet, 0)
            datagram = here.outgoing()[0][0]
            timed("%s in %d bytes" % (suite[0], size), there.receive, datagram, _THERE, _HERE, 0)
            happened = there.events()
            came = len(happened) == 1 and bytes(happened[0][1]) == packet
            check("%s %d bytes" % (suite[0], size), came, "the packet did not come through")
        del here, there
        gc.collect()
