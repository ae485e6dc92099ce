"""Extended sequence numbers: the window against plain 64-bit arithmetic, packets against scapy."""

import os
import random

import pytest
from scapy.layers.inet import IP
from scapy.layers.ipsec import ESP, SecurityAssociation

from tests.ipsec import test_packet as plain
from uike import reason
from uike.crypto import soft
from uike.hal.cpython import crypto as host
from uike.ipsec import packet as esp
from uike.ipsec.esn import ExtendedWindow
from uike.ipsec.replay import WINDOW
from uike.ipsec.sad import ChildSa

SPAN = 1 << 32
STARTS = [0, 5, 300, SPAN - 400, SPAN - 3, SPAN, SPAN + 100, 7 * SPAN - 2, 255 * SPAN + SPAN - 5, (SPAN - 1) * SPAN + 9]


def window_at(top):
    window = ExtendedWindow(bytearray(4))
    window.high[:] = (top >> 32).to_bytes(4, "big")
    window.top = top & (SPAN - 1)
    return window


@pytest.mark.parametrize("start", STARTS)
def test_window_against_plain_arithmetic(start):
    for seed in range(6):
        draw = random.Random(seed)
        window, seen, top = window_at(start), set(), start
        for _ in range(2000):
            step = draw.choice((1, 1, 1, 2, 8, 9, -1, -3, -20, -200, -247, 250, 257, 1000, 70000))
            sequence = top + step
            if sequence < 0 or sequence <= top - WINDOW or sequence >> 64:
                continue
            new = sequence > 0 and sequence not in seen and (sequence > start or top > start or sequence != start)
            assert window.check(sequence & (SPAN - 1)) == new, (seed, sequence, top)
            if sequence:
                assert int.from_bytes(window.guess, "big") == sequence >> 32
            if new:
                window.accept(sequence & (SPAN - 1))
                seen.add(sequence)
                top = max(top, sequence)


def test_a_number_behind_the_window_is_taken_for_one_of_the_next_span():
    window = window_at(5 * SPAN + 1000)
    assert window.check(1000 - WINDOW + 1) and window.guess == b"\0\0\0\5"
    assert window.check(1000 - WINDOW) and window.guess == b"\0\0\0\6"
    window = window_at(5 * SPAN + 100)
    lowest = 5 * SPAN + 100 - WINDOW + 1
    assert window.check(lowest & (SPAN - 1)) and window.guess == b"\0\0\0\4"
    assert window.check((lowest - 1) & (SPAN - 1)) and window.guess == b"\0\0\0\5"


def test_before_the_first_and_behind_the_last_number_there_is_none():
    assert not window_at(5).check(SPAN - 10)
    assert not window_at(0).check(0)
    assert not window_at(SPAN * SPAN - 1).check(3)


def child(suite, provider=host, sequence=0):
    """An SA both ways whose next number, each way, is the one after `sequence`."""
    encr, key, integ, mac_key, _, _ = plain.SUITES[suite]
    seal, open = (provider.Provider().cipher(encr, key, integ, mac_key) for _ in range(2))
    seal.high, open.high = bytearray((sequence >> 32).to_bytes(4, "big")), bytearray(4)
    made = ChildSa(None, plain.SPI, plain.SPI, seal, open, plain.OURS, plain.THEIRS)
    made.sequence = sequence & (SPAN - 1)
    made.replay.top = made.sequence
    made.replay.high[:] = seal.high
    return made


@pytest.mark.parametrize("provider", [host, soft], ids=["host", "soft"])
@pytest.mark.parametrize("suite", plain.SUITES)
def test_scapy_opens_what_we_seal_and_we_open_what_it_seals(suite, provider):
    _, key, _, mac_key, crypt, auth = plain.SUITES[suite]
    extra = {"auth_algo": auth, "auth_key": mac_key} if auth != "NULL" else {}
    theirs = SecurityAssociation(
        ESP, spi=int.from_bytes(plain.SPI, "big"), crypt_algo=crypt, crypt_key=key,
        tunnel_header=IP(src="192.0.2.2", dst="192.0.2.1"), esn_en=True, esn=3, **extra,
    )  # fmt: skip
    ours = child(suite, provider, 3 * SPAN + 8)
    packet = plain.inner(60)
    sealed = esp.encapsulate(ours, packet, len(packet), os.urandom)
    assert sealed[4:8] == b"\0\0\0\x09"
    outer = IP(bytes(IP(src="192.0.2.2", dst="192.0.2.1", proto=50, len=20 + len(sealed))) + bytes(sealed))
    assert bytes(theirs.decrypt(outer, esn_en=True, esn=3)) == packet
    back = plain.inner(60, outbound=False)
    wire = bytes(theirs.encrypt(IP(back), seq_num=9, esn_en=True, esn=3))[20:]
    assert esp.decapsulate(child(suite, provider, 2 * SPAN + 8), bytearray(wire)) == reason.ESP_BAD_ICV
    assert bytes(esp.decapsulate(ours, bytearray(wire))) == back
    assert esp.decapsulate(ours, bytearray(wire)) == reason.ESP_REPLAY


@pytest.mark.parametrize("suite", ["cbc128", "gcm128", "chacha"])
def test_packets_pass_from_one_span_to_the_next_in_any_order(suite):
    ours, peer = child(suite, sequence=SPAN - 4), child(suite, sequence=SPAN - 4)
    peer.local_ts, peer.remote_ts = peer.remote_ts, peer.local_ts
    packet = plain.inner(20)
    sealed = [bytes(esp.encapsulate(ours, packet, len(packet), os.urandom)) for _ in range(8)]
    assert [int.from_bytes(each[4:8], "big") for each in sealed] == [SPAN - 3, SPAN - 2, SPAN - 1, 0, 1, 2, 3, 4]
    if suite != "cbc128":
        assert [int.from_bytes(each[8:16], "big") for each in sealed] == list(range(SPAN - 3, SPAN + 5))
    for at in (5, 1, 3, 0, 7, 2, 6, 4):
        assert bytes(esp.decapsulate(peer, bytearray(sealed[at]))) == packet
        assert esp.decapsulate(peer, bytearray(sealed[at])) == reason.ESP_REPLAY
    assert peer.replay.high == b"\0\0\0\1" and peer.replay.top == 4


def test_a_forged_number_moves_nothing():
    ours = child("gcm128", sequence=5 * SPAN + 1000)
    packet = plain.sealed_by_peer("gcm128", payload=plain.pad(plain.GOOD, block=4), sequence=3)
    assert esp.decapsulate(ours, packet) == reason.ESP_BAD_ICV
    assert ours.replay.high == b"\0\0\0\5" and ours.replay.top == 1000


def test_the_last_number_of_all_is_the_last():
    ours = child("gcm128", sequence=SPAN * SPAN - 2)
    assert esp.encapsulate(ours, plain.GOOD, len(plain.GOOD), os.urandom)[8:16] == b"\xff" * 8
    for _ in range(3):
        assert esp.encapsulate(ours, plain.GOOD, len(plain.GOOD), os.urandom) is None
