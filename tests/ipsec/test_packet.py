"""ESP packets against scapy's independent implementation, in both directions, and against hostile ones."""

import os
import random

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.ipsec import ESP, SecurityAssociation

from uike import iana, reason
from uike.crypto import soft
from uike.hal.cpython import crypto as host
from uike.ipsec import packet as esp
from uike.ipsec.sad import ChildSa
from uike.wire.selectors import make

OURS = (make(0, 0, 65535, bytes((10, 9, 0, 1)), bytes((10, 9, 0, 1))),)
THEIRS = (make(0, 0, 65535, bytes((10, 1, 0, 0)), bytes((10, 1, 255, 255))),)
SPI = b"\x12\x34\x56\x78"
KEY = bytes(range(36))
MAC_KEY = bytes(range(100, 132))
# name: encr, key, integ, integ key, scapy's names
SUITES = {
    "cbc128": (iana.ENCR_AES_CBC, KEY[:16], iana.AUTH_HMAC_SHA2_256_128, MAC_KEY, "AES-CBC", "SHA2-256-128"),
    "cbc256": (iana.ENCR_AES_CBC, KEY[:32], iana.AUTH_HMAC_SHA2_256_128, MAC_KEY, "AES-CBC", "SHA2-256-128"),
    "gcm128": (iana.ENCR_AES_GCM_16, KEY[:20], 0, b"", "AES-GCM", "NULL"),
    "gcm256": (iana.ENCR_AES_GCM_16, KEY, 0, b"", "AES-GCM", "NULL"),
    "chacha": (iana.ENCR_CHACHA20_POLY1305, KEY, 0, b"", "CHACHA20-POLY1305", "NULL"),
}


def child(suite, provider=None):
    encr, key, integ, mac_key, _, _ = SUITES[suite]
    make_cipher = (provider or host.Provider()).cipher
    seal, open = (make_cipher(encr, key, integ, mac_key) for _ in range(2))
    return ChildSa(None, SPI, SPI, seal, open, OURS, THEIRS)


def scapy_sa(suite):
    _, key, _, mac_key, crypt, auth = SUITES[suite]
    extra = {"auth_algo": auth, "auth_key": mac_key} if auth != "NULL" else {}
    tunnel = IP(src="192.0.2.2", dst="192.0.2.1")
    return SecurityAssociation(
        ESP, spi=int.from_bytes(SPI, "big"), crypt_algo=crypt, crypt_key=key, tunnel_header=tunnel, **extra
    )


def inner(size, outbound=True):
    ends = ("10.9.0.1", "10.1.0.1") if outbound else ("10.1.0.1", "10.9.0.1")
    return bytes(IP(src=ends[0], dst=ends[1]) / UDP(sport=1, dport=2) / os.urandom(size))


@pytest.mark.parametrize("provider", [host, soft], ids=["host", "soft"])
@pytest.mark.parametrize("suite", SUITES)
def test_scapy_opens_what_we_seal_and_we_open_what_it_seals(suite, provider):
    ours, theirs = child(suite, provider.Provider()), scapy_sa(suite)
    for size in [*range(0, 20), 100, 1371]:
        packet = inner(size)
        sealed = esp.encapsulate(ours, packet, len(packet), os.urandom)
        assert len(sealed) % 4 == 0
        outer = IP(bytes(IP(src="192.0.2.2", dst="192.0.2.1", proto=50, len=20 + len(sealed))) + bytes(sealed))
        assert bytes(theirs.decrypt(outer)) == packet
        back = inner(size, outbound=False)
        wire = bytes(theirs.encrypt(IP(back)))[20:]
        assert bytes(esp.decapsulate(ours, bytearray(wire))) == back


def sealed_by_peer(suite="cbc128", payload=None, trailer=None, sequence=1):
    """An ESP packet from the peer with any plaintext: for what a correct peer never sends."""
    peer = child(suite)
    cipher = peer.seal
    plain = payload if trailer is None else payload + trailer
    out = bytearray(8 + cipher.iv_size) + plain + bytes(cipher.icv_size)
    out[0:4] = SPI
    out[4:8] = sequence.to_bytes(4, "big")
    cipher.seal(out, 8, len(out) - cipher.icv_size)
    return out


def pad(plain, kind=4, block=16):
    size = -(len(plain) + 2) % block
    return plain + bytes(range(1, size + 1)) + bytes((size, kind))


GOOD = inner(30, outbound=False)
BAD_PACKETS = [
    ("ESP_BAD_PADDING", pad(GOOD)[:-3] + b"\x00" + pad(GOOD)[-2:]),
    ("ESP_BAD_PADDING", bytes(14) + b"\xff\x04"),
    ("ESP_INNER_PACKET", pad(GOOD, kind=41)),
    ("ESP_NEXT_HEADER", pad(GOOD, kind=17)),
    ("ESP_DUMMY", pad(bytes(20), kind=59)),
    ("ESP_INNER_PACKET", pad(b"\x65" + GOOD[1:])),
    ("ESP_INNER_PACKET", pad(b"\x44" + GOOD[1:])),
    ("ESP_INNER_PACKET", pad(GOOD[:10])),
    ("ESP_INNER_PACKET", pad(GOOD[:2] + b"\x0f\xff" + GOOD[4:])),
    ("ESP_INNER_PACKET", pad(GOOD[:2] + b"\x00\x13" + GOOD[4:])),
    ("ESP_SELECTORS", pad(bytes(IP(src="10.2.0.1", dst="10.9.0.1") / UDP()))),
    ("ESP_SELECTORS", pad(bytes(IP(src="10.1.0.1", dst="10.9.0.2") / UDP()))),
    ("ESP_SELECTORS", pad(bytes(IP(src="10.0.255.255", dst="10.9.0.1") / UDP()))),
]


@pytest.mark.parametrize(("why", "plain"), BAD_PACKETS, ids=[f"{i}-{row[0]}" for i, row in enumerate(BAD_PACKETS)])
def test_authentic_but_wrong_inside(why, plain):
    assert esp.decapsulate(child("cbc128"), sealed_by_peer(payload=plain)) == getattr(reason, why)


def test_padding_for_traffic_flow_confidentiality_is_cut_off():
    assert bytes(esp.decapsulate(child("cbc128"), sealed_by_peer(payload=pad(GOOD + bytes(100))))) == GOOD


@pytest.mark.parametrize("suite", SUITES)
def test_every_truncation_and_bit_flip_is_refused(suite):
    ours = child(suite)
    packet = bytes(esp.encapsulate(child(suite), GOOD, len(GOOD), os.urandom))
    for size in range(8, len(packet)):
        assert esp.decapsulate(ours, bytearray(packet[:size])) in (reason.ESP_SHORT, reason.ESP_BAD_ICV)
    for bit in range(8 * len(packet)):
        flipped = bytearray(packet)
        flipped[bit // 8] ^= 1 << bit % 8
        assert esp.decapsulate(ours, flipped) in (reason.ESP_BAD_ICV, reason.ESP_REPLAY)  # sequence 0 is never new
    assert ours.packets_in == 0 and ours.replay.top == 0
    assert bytes(esp.decapsulate(ours, bytearray(packet))) == GOOD


def test_replayed_packet_is_refused():
    ours = child("gcm128")
    packet = sealed_by_peer("gcm128", payload=pad(GOOD, block=4))
    assert bytes(esp.decapsulate(ours, bytearray(packet))) == GOOD
    assert esp.decapsulate(ours, bytearray(packet)) == reason.ESP_REPLAY


def test_sequence_number_never_wraps_and_iv_never_repeats():
    ours = child("gcm128")
    ours.sequence = 0xFFFFFFFE
    packet = esp.encapsulate(ours, GOOD, len(GOOD), os.urandom)
    assert packet[4:8] == b"\xff\xff\xff\xff" and packet[8:16] == b"\x00\x00\x00\x00\xff\xff\xff\xff"
    for _ in range(3):
        assert esp.encapsulate(ours, GOOD, len(GOOD), os.urandom) is None
    assert ours.sequence == 0xFFFFFFFF


def test_cbc_iv_comes_from_the_random_source():
    drawn = []

    def draw(n):
        drawn.append(os.urandom(n))
        return drawn[-1]

    ours = child("cbc256")
    packets = [esp.encapsulate(ours, GOOD, len(GOOD), draw) for _ in range(3)]
    assert [bytes(packet[8:24]) for packet in packets] == drawn


PORTS = (make(6, 80, 80, bytes((10, 1, 0, 1)), bytes((10, 1, 0, 1))),)
ICMP_ECHO = (make(1, 8 << 8, 8 << 8 | 255, bytes((10, 1, 0, 1)), bytes((10, 1, 0, 1))),)
POLICY = [
    # selectors of the destination, packet, allowed
    (PORTS, IP(src="10.9.0.1", dst="10.1.0.1") / TCP(sport=4000, dport=80), True),
    (PORTS, IP(src="10.9.0.1", dst="10.1.0.1") / TCP(sport=80, dport=4000), False),
    (PORTS, IP(src="10.9.0.1", dst="10.1.0.1") / UDP(sport=4000, dport=80), False),
    (PORTS, IP(src="10.9.0.1", dst="10.1.0.1", frag=10) / TCP(sport=4000, dport=80), False),
    (PORTS, IP(src="10.9.0.1", dst="10.1.0.2") / TCP(sport=4000, dport=80), False),
    (PORTS, IP(src="10.9.0.1", dst="10.1.0.1", proto=6), False),
    (ICMP_ECHO, IP(src="10.9.0.1", dst="10.1.0.1") / ICMP(type=8, code=0), True),
    (ICMP_ECHO, IP(src="10.9.0.1", dst="10.1.0.1") / ICMP(type=0, code=0), False),
    (THEIRS, IP(src="10.9.0.1", dst="10.1.255.255"), True),
    (THEIRS, IP(src="10.9.0.1", dst="10.2.0.0"), False),
    (THEIRS, IP(src="10.9.0.0", dst="10.1.0.0"), False),
]


@pytest.mark.parametrize(("destinations", "packet", "allowed"), POLICY)
def test_selectors(destinations, packet, allowed):
    from uike.ipsec.policy import allows

    data = bytes(packet)
    assert allows(data, 0, len(data), OURS, destinations) is allowed
    shifted = b"xyz" + data
    assert allows(shifted, 3, len(data), OURS, destinations) is allowed


def test_selectors_agree_with_plain_arithmetic():
    from uike.ipsec.policy import allows

    draw = random.Random(7)
    for _ in range(3000):
        low, high = sorted(draw.choice((draw.randrange(1 << 32), 0x0A010000 + draw.randrange(600))) for _ in range(2))
        address = draw.choice((low, high, low - 1, high + 1, draw.randrange(1 << 32))) % (1 << 32)
        data = bytes(IP(src="10.9.0.1", dst=".".join(str(b) for b in address.to_bytes(4, "big"))))
        selectors = (make(0, 0, 65535, low.to_bytes(4, "big"), high.to_bytes(4, "big")),)
        assert allows(data, 0, len(data), OURS, selectors) is (low <= address <= high)


def test_ivs_are_drawn_eight_at_a_time_and_given_once():
    drawn = []

    def draw(n):
        drawn.append(os.urandom(n))
        return drawn[-1]

    ivs = esp.Ivs(draw)
    given = [bytes(ivs(16)) for _ in range(40)]
    assert [len(batch) for batch in drawn] == [128] * 5
    assert b"".join(given) == b"".join(drawn)[: 40 * 16]


def test_an_iv_is_whole_when_sizes_do_not_fit_the_batch():
    ivs = esp.Ivs(lambda n: bytes(range(n % 251)) + bytes(n - n % 251))
    assert {len(ivs(24)) for _ in range(50)} == {24}
