"""IPv6 packets, fragments and extension headers against selectors: nothing hidden passes for what it is not."""

import os

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)

from tests.ipsec import test_packet as plain
from uike import reason
from uike.ipsec import packet as esp
from uike.ipsec.policy import allows, inner_size, upper
from uike.wire import selectors
from uike.wire.selectors import make

A, B = (bytes.fromhex(f"20010db8000{n}") + bytes(9) + b"\7" for n in (9, 1))
SOURCE = [selectors.host(A)]
ANY = [selectors.anywhere(4), selectors.anywhere(16)]
WEB = [make(6, 80, 80, B, B)]
OPAQUE = [make(6, 65535, 0, B, B)]
ECHO = [make(58, 128 << 8, 128 << 8, B, B)]
V6 = IPv6(src="2001:db8:9::7", dst="2001:db8:1::7")
HTTP = TCP(sport=4000, dport=80)
FIRST, LATER = IPv6ExtHdrFragment(offset=0, m=1, nh=6), IPv6ExtHdrFragment(offset=2, nh=6)
CASES = [
    (V6 / HTTP, WEB, True),
    (V6 / TCP(sport=80, dport=4000), WEB, False),
    (V6 / UDP(sport=4000, dport=80), WEB, False),
    (IPv6(src="2001:db8:9::7", dst="2001:db8:1::8") / HTTP, WEB, False),
    (IPv6(src="2001:db8:9::8", dst="2001:db8:1::7") / HTTP, WEB, False),
    (V6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / HTTP, WEB, True),
    (V6 / IPv6ExtHdrDestOpt(nh=17) / bytes(HTTP), WEB, False),
    (V6 / FIRST / HTTP, WEB, True),
    (V6 / LATER / bytes(HTTP), WEB, False),
    (V6 / LATER / bytes(HTTP), OPAQUE, True),
    (V6 / HTTP, OPAQUE, False),
    (V6 / IPv6ExtHdrFragment(offset=1, nh=60) / bytes(20), WEB, False),
    (V6 / IPv6ExtHdrFragment(offset=1, nh=60) / bytes(20), ANY, True),
    (V6 / IPv6ExtHdrRouting(addresses=["2001:db8:2::1"]) / HTTP, WEB, False),
    (V6 / IPv6ExtHdrRouting(addresses=["2001:db8:2::1"]) / HTTP, ANY, False),
    (V6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting(addresses=["2001:db8:2::1"]) / HTTP, ANY, False),
    (IPv6(src="2001:db8:9::7", dst="2001:db8:1::7", nh=0) / b"\6\xff\0\0\0\0\0\0", WEB, False),
    (IPv6(src="2001:db8:9::7", dst="2001:db8:1::7", nh=0) / b"\6\0\0", ANY, False),
    (IPv6(src="2001:db8:9::7", dst="2001:db8:1::7", nh=6) / b"\x0f\xa0\0", WEB, False),
    (V6 / ICMPv6EchoRequest(), ECHO, True),
    (IPv6(src="2001:db8:9::7", dst="2001:db8:1::7", nh=58) / b"\x81\0\0\0", ECHO, False),
]


@pytest.mark.parametrize(("packet", "destinations", "allowed"), CASES)
def test_ipv6_selectors(packet, destinations, allowed):
    data = bytes(packet)
    assert inner_size(data, 0, len(data)) == len(data)
    assert allows(data, 0, len(data), SOURCE, destinations) is allowed
    # in the middle of a buffer, with ports of the right kind behind its end: they are not of the packet
    assert allows(b"xyz" + data + b"\x0f\xa0\0\x50" * 4, 3, len(data), SOURCE, destinations) is allowed


FOUR = [make(6, 80, 80, bytes((10, 1, 0, 1)), bytes((10, 1, 0, 1)))]
FOUR_OPAQUE = [make(6, 65535, 0, bytes((10, 1, 0, 1)), bytes((10, 1, 0, 1)))]


@pytest.mark.parametrize("offset", [1, 31, 32, 255, 256, 8191])
def test_a_later_ipv4_fragment_has_no_ports(offset):
    data = bytes(IP(src="10.9.0.1", dst="10.1.0.1", frag=offset, proto=6) / bytes(HTTP))
    assert not allows(data, 0, len(data), plain.OURS, FOUR)
    assert allows(data, 0, len(data), plain.OURS, FOUR_OPAQUE) and allows(data, 0, len(data), ANY, ANY)


def test_ipv4_options_do_not_move_the_ports():
    data = bytes(IP(src="10.9.0.1", dst="10.1.0.1", options=[(b"\x01")] * 4) / TCP(sport=4000, dport=81))
    assert not allows(data, 0, len(data), plain.OURS, FOUR)


def test_selectors_of_a_packet():
    data = bytes(V6 / HTTP)
    assert selectors.of_packet(data, upper(data, 0, len(data))) == (make(6, 4000, 4000, A, A), make(6, 80, 80, B, B))
    data = bytes(V6 / LATER / bytes(HTTP))
    assert selectors.of_packet(data, upper(data, 0, len(data))) == (make(6, 0, 65535, A, A), make(6, 0, 65535, B, B))
    data = bytes(IP(src="10.9.0.1", dst="10.1.0.1") / ICMP(type=8))
    ours, theirs = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))
    assert selectors.of_packet(data, upper(data, 0, len(data))) == (
        make(1, 2048, 2048, ours, ours), make(1, 2048, 2048, theirs, theirs),
    )  # fmt: skip


def test_ipv6_through_esp_and_its_next_header():
    ours, peer = plain.child("gcm128"), plain.child("gcm128")
    peer.local_ts, peer.remote_ts = WEB, SOURCE
    data = bytes(V6 / HTTP)
    sealed = esp.encapsulate(ours, data, len(data), os.urandom)
    assert bytes(esp.decapsulate(peer, sealed)) == data
    wrong = plain.sealed_by_peer("gcm128", payload=plain.pad(data, kind=4, block=4), sequence=2)
    assert esp.decapsulate(peer, wrong) == reason.ESP_INNER_PACKET
    padded = plain.sealed_by_peer("gcm128", payload=plain.pad(data + bytes(64), kind=41, block=4), sequence=3)
    assert bytes(esp.decapsulate(peer, padded)) == data
    short = plain.sealed_by_peer("gcm128", payload=plain.pad(data[:-4], kind=41, block=4), sequence=4)
    assert esp.decapsulate(peer, short) == reason.ESP_INNER_PACKET
