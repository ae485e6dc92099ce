"""What comes out of a tunnel is a sound packet of those that were agreed on: from a peer that has the keys and lies."""

import random

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting

from tests.attack.attacker import sealed_esp, throw, works
from tests.ike.test_selectors_and_addresses import NET6, POOL6
from tests.world import ESP_CBC, ESP_CHACHA, ESP_GCM, GATEWAY, NETWORK, World, connection
from uike import iana
from uike.ipsec.policy import allows, inner_size
from uike.wire.selectors import make

HERE, THERE = "10.9.0.1", "10.1.0.7"  # the board, and what is behind the gateway
WEB = make(6, 80, 80, bytes((10, 1, 0, 0)), bytes((10, 1, 255, 255)))
HERE6, THERE6 = "2001:db8:9::1", "2001:db8:1::7"
HTTP = TCP(sport=4000, dport=80)


def gives(wire, *datagrams):
    """What the gateway makes of them: (inner packets, names of drops)."""
    wire.gateway.log.clear()
    for data in datagrams:
        throw(wire, wire.gateway, data)
    dropped = wire.gateway.dropped()
    for data, remote, _ in wire.gateway.endpoint.outgoing():  # once, that our selectors forbid it: to the peer alone
        assert "ESP_SELECTORS" in dropped and remote == wire.gateway.sa.remote and data[4 + 18] == iana.INFORMATIONAL
    assert not wire.internal_errors()
    return wire.gateway.collect(), dropped


def tunnel(esp=ESP_CBC, **changes):
    both = {"esp_proposals": (esp,), **changes}
    wire = World(connection(True, **both), connection(False, **both)).connect()
    wire.board.collect(), wire.gateway.collect()
    return wire


def narrow():
    """A tunnel for the web alone."""
    wire = World(connection(True, remote_ts=(WEB,)), connection(False, local_ts=(WEB,))).connect()
    wire.board.collect(), wire.gateway.collect()
    return wire


GOOD = bytes(IP(src=HERE, dst=THERE) / UDP(sport=9, dport=53) / (b"x" * 30))


def changed(at, value):
    return GOOD[:at] + value + GOOD[at + len(value) :]


FORGED = {
    "another source": ("ESP_SELECTORS", IP(src="10.9.0.2", dst=THERE) / UDP()),
    "a source of the other side": ("ESP_SELECTORS", IP(src=THERE, dst=HERE) / UDP()),
    "the gateway itself as the source": ("ESP_SELECTORS", IP(src=GATEWAY, dst=THERE) / UDP()),
    "loopback": ("ESP_SELECTORS", IP(src="127.0.0.1", dst="127.0.0.1") / UDP()),
    "another destination": ("ESP_SELECTORS", IP(src=HERE, dst="10.2.0.1") / UDP()),
    "broadcast": ("ESP_SELECTORS", IP(src=HERE, dst="255.255.255.255") / UDP()),
    "multicast": ("ESP_SELECTORS", IP(src=HERE, dst="224.0.0.1") / UDP()),
    "to its own source": ("ESP_SELECTORS", IP(src=HERE, dst=HERE) / UDP()),
    "IPv6 in a tunnel for IPv4": ("ESP_INNER_PACKET", IPv6(src=HERE6, dst=THERE6) / UDP()),
    "empty": ("ESP_INNER_PACKET", b""),
    "version 0": ("ESP_INNER_PACKET", changed(0, b"\x05")),
    "version 6 with an IPv4 header": ("ESP_INNER_PACKET", changed(0, b"\x65")),
    "version 15": ("ESP_INNER_PACKET", changed(0, b"\xf5")),
    "header of 0 words": ("ESP_INNER_PACKET", changed(0, b"\x40")),
    "header of 4 words": ("ESP_INNER_PACKET", changed(0, b"\x44")),
    "header longer than the packet": ("ESP_INNER_PACKET", changed(2, b"\0\x18")[:24].replace(b"\x45", b"\x4f", 1)),
    "total length 0": ("ESP_INNER_PACKET", changed(2, b"\0\0")),
    "total length 19": ("ESP_INNER_PACKET", changed(2, b"\0\x13")),
    "total length of one too many": ("ESP_INNER_PACKET", changed(2, (len(GOOD) + 1).to_bytes(2, "big"))),
    "total length 65535": ("ESP_INNER_PACKET", changed(2, b"\xff\xff")),
    "19 bytes": ("ESP_INNER_PACKET", GOOD[:19]),
}


@pytest.mark.parametrize("esp", [ESP_CBC, ESP_GCM, ESP_CHACHA], ids=["cbc", "gcm", "chacha"])
@pytest.mark.parametrize("name", FORGED)
def test_a_packet_that_is_not_of_this_tunnel(name, esp):
    why, inner = FORGED[name]
    wire = tunnel(esp)
    child = wire.board.sa.children[0]
    assert gives(wire, sealed_esp(child, inner)) == ([], [why])
    assert (wire.gateway.sa.children[0].packets_in, wire.gateway.sa.children[0].bytes_in) == (0, 0)
    assert gives(wire, sealed_esp(child, GOOD)) == ([GOOD], []) and works(wire)


@pytest.mark.parametrize("kind", [kind for kind in range(256) if kind != 4])
def test_every_next_header(kind):
    wire = tunnel()
    why = {41: "ESP_INNER_PACKET", 59: "ESP_DUMMY"}.get(kind, "ESP_NEXT_HEADER")
    assert gives(wire, sealed_esp(wire.board.sa.children[0], GOOD, kind)) == ([], [why])


@pytest.mark.parametrize("esp", [ESP_CBC, ESP_GCM], ids=["cbc", "gcm"])
def test_every_pad_length(esp):
    """Padding is 1, 2, 3, ..., within the packet; what is left of it by its own length is passed over."""
    wire = tunnel(esp)
    child = wire.board.sa.children[0]
    tail = -(len(GOOD) + 2) % 16
    for length in range(256):
        for fill in (bytes(range(1, tail + 1)), bytes(tail), b"\xff" * tail):
            packets, why = gives(wire, sealed_esp(child, GOOD, tail=fill + bytes((length, 4))))
            right = length == 0 or length <= tail and fill[tail - length :] == bytes(range(1, length + 1))
            assert (packets, why) == (([GOOD], []) if right else ([], ["ESP_BAD_PADDING"])), (length, fill)


FRAGMENT = {"frag": 0, "flags": 1}
HIDDEN = {
    "another port": IP(src=HERE, dst=THERE) / TCP(sport=80, dport=22),
    "another protocol": IP(src=HERE, dst=THERE) / UDP(sport=9, dport=80),
    "a later fragment": IP(src=HERE, dst=THERE, frag=10, proto=6) / bytes(HTTP),
    "a fragment over the ports": IP(src=HERE, dst=THERE, frag=1, proto=6) / bytes(HTTP)[8:],
    "the last fragment": IP(src=HERE, dst=THERE, frag=8191, proto=6) / bytes(HTTP),
    "a first fragment without ports": IP(src=HERE, dst=THERE, flags=1, proto=6) / b"\x0f\xa0",
    "no ports at all": IP(src=HERE, dst=THERE, proto=6),
    "options that look like ports": IP(src=HERE, dst=THERE, options=[b"\x0f\xa0\0\x50"]) / TCP(sport=4000, dport=22),
    "a tunnel in the tunnel": IP(src=HERE, dst=THERE) / IP(src="192.0.2.9", dst="10.1.0.7") / HTTP,
    "ESP in the tunnel": IP(src=HERE, dst=THERE, proto=50) / bytes(HTTP),
    "ICMP with ports": IP(src=HERE, dst=THERE) / ICMP(type=0, code=80),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_hides_its_ports_does_not_pass_for_another(name):
    wire = narrow()
    child = wire.board.sa.children[0]
    assert gives(wire, sealed_esp(child, bytes(HIDDEN[name]))) == ([], ["ESP_SELECTORS"])
    good = bytes(IP(src=HERE, dst=THERE) / HTTP)
    assert gives(wire, sealed_esp(child, good)) == ([good], [])
    first = bytes(IP(src=HERE, dst=THERE, **FRAGMENT) / HTTP)  # it shows them
    assert gives(wire, sealed_esp(child, first)) == ([first], [])


V6 = IPv6(src=HERE6, dst=THERE6)
EXTENDED = {
    "a routing header": ("ESP_SELECTORS", V6 / IPv6ExtHdrRouting(addresses=["2001:db8:2::1"]) / UDP()),
    "one behind others": (
        "ESP_SELECTORS",
        V6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting() / UDP(),
    ),
    "options beyond the end": ("ESP_SELECTORS", IPv6(src=HERE6, dst=THERE6, nh=0) / b"\x11\xff\0\0\0\0\0\0"),
    "options that are cut": ("ESP_SELECTORS", IPv6(src=HERE6, dst=THERE6, nh=60) / b"\x11\0\0"),
    "a hundred headers": (
        "ESP_SELECTORS",
        IPv6(src=HERE6, dst=THERE6, nh=60) / (b"\x3c\0\1\4\0\0\0\0" * 100) / b"\x3c",
    ),
    "payload length beyond the end": ("ESP_INNER_PACKET", IPv6(src=HERE6, dst=THERE6, plen=2_000) / UDP()),
    "a jumbogram": ("ESP_SELECTORS", IPv6(src=HERE6, dst=THERE6, plen=0, nh=0) / b"\x11\0\xc2\4\0\1\0\0" / UDP()),
    "another source": ("ESP_SELECTORS", IPv6(src="2001:db8:9::2", dst=THERE6) / UDP()),
    "an IPv4 address in it": ("ESP_SELECTORS", IPv6(src="::ffff:10.9.0.1", dst="::ffff:10.1.0.7") / UDP()),
    "link local": ("ESP_SELECTORS", IPv6(src="fe80::1", dst="ff02::1") / UDP()),
    "39 bytes": ("ESP_INNER_PACKET", bytes(V6 / UDP())[:39]),
}


@pytest.mark.parametrize("name", EXTENDED)
def test_ipv6_with_something_in_it(name):
    why, inner = EXTENDED[name]
    wire = World(
        connection(True, remote_ts=(NETWORK, NET6)), connection(False, local_ts=(NETWORK, NET6), pool6=POOL6)
    ).connect()
    wire.gateway.collect()
    child = wire.board.sa.children[0]
    assert gives(wire, sealed_esp(child, bytes(inner), 41)) == ([], [why])
    for good in (V6 / UDP(), V6 / IPv6ExtHdrHopByHop() / UDP(), V6 / IPv6ExtHdrFragment(offset=9) / b"x"):
        assert gives(wire, sealed_esp(child, bytes(good), 41)) == ([bytes(good)], [])


def test_whatever_comes_out_is_sound_and_agreed():
    """Random changes of headers: each packet that is delivered is one that an independent look finds in order."""
    draw = random.Random(15)
    wire = narrow()
    child, count = wire.board.sa.children[0], 0
    for _ in range(2_000):
        inner = bytearray(bytes(IP(src=HERE, dst=THERE) / HTTP / draw.randbytes(draw.randrange(20))))
        for _ in range(draw.randrange(4)):
            inner[draw.randrange(24)] = draw.choice((0, 1, 4, 6, 0x20, 0x40, 0x45, 0x46, 0x50, 0x80, 0xFF))
        packets, why = gives(wire, sealed_esp(child, inner))
        assert len(packets) + len(why) == 1 and set(why) <= {"ESP_SELECTORS", "ESP_INNER_PACKET"}
        for packet in packets:
            count += 1
            seen = IP(packet)
            assert seen.version == 4 and seen.len == len(packet) >= 4 * seen.ihl >= 20
            assert (seen.src, seen.dst[:5]) == (HERE, "10.1.") and seen.proto == 6 and seen.frag == 0
            assert packet[4 * seen.ihl + 2 : 4 * seen.ihl + 4] == b"\0\x50"
            assert inner_size(packet, 0, len(packet)) and allows(packet, 0, len(packet), child.local_ts, [WEB])
    assert 250 < count < 1_750


def test_a_flood_of_replays_and_forgeries():
    wire = tunnel()
    child = wire.board.sa.children[0]
    good = [sealed_esp(child, GOOD) for _ in range(300)]
    assert gives(wire, *good)[1] == []
    wire.gateway.happened.clear()
    packets, why = gives(wire, *good)
    assert packets == [] and why == ["ESP_REPLAY"] * 300
    forged = []
    for number, data in enumerate(good):
        data = bytearray(data)
        data[4:8] = (1_000 + number).to_bytes(4, "big")
        forged.append(bytes(data))
    packets, why = gives(wire, *forged)
    assert packets == [] and why == ["ESP_BAD_ICV"] * 300
    window = wire.gateway.sa.children[0].replay
    assert window.top == 300 and works(wire)


def test_sequence_numbers_of_a_liar():
    """A jump to the end leaves everything before it behind; zero is never new."""
    wire = tunnel()
    child = wire.board.sa.children[0]
    for sequence, taken in (
        (0, False),
        (5, True),
        (5, False),
        (0xFFFFFFFF, True),
        (6, False),
        (0xFFFFFF00, False),
        (0xFFFFFFFE, True),
    ):
        packets, why = gives(wire, sealed_esp(child, GOOD, sequence=sequence))
        assert (len(packets), why) == ((1, []) if taken else (0, ["ESP_REPLAY"])), sequence
