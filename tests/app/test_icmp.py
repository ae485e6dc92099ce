"""ICMP echo against scapy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP
from scapy.packet import Raw

from uike.app import icmp

OURS, THEIRS = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))


def echo(kind="echo-request", size=56, **ip):
    return bytes(IP(src="10.1.0.1", dst="10.9.0.1", **ip) / ICMP(type=kind, id=7, seq=3) / Raw(b"x" * size))


@pytest.mark.parametrize("size", [0, 1, 56, 1300])
def test_a_request_is_what_scapy_makes_of_it(size):
    packet = IP(bytes(icmp.request(OURS, THEIRS, 0x1234, 9, size)))
    assert (packet.src, packet.dst, packet.len, packet.ttl) == ("10.9.0.1", "10.1.0.1", 28 + size, 64)
    assert (packet[ICMP].type, packet[ICMP].code, packet[ICMP].id, packet[ICMP].seq) == (8, 0, 0x1234, 9)
    sums = packet.chksum, packet[ICMP].chksum
    del packet.chksum, packet[ICMP].chksum
    packet = IP(bytes(packet))
    assert (packet.chksum, packet[ICMP].chksum) == sums


@pytest.mark.parametrize("size", [0, 1, 56])
def test_a_reply_carries_the_data_back(size):
    packet = IP(bytes(icmp.reply(memoryview(echo(size=size)), OURS)))
    assert (packet.src, packet.dst) == ("10.9.0.1", "10.1.0.1")
    assert (packet[ICMP].type, packet[ICMP].id, packet[ICMP].seq) == (0, 7, 3)
    assert bytes(packet[ICMP].payload) == b"x" * size


@pytest.mark.parametrize(
    "packet",
    [
        echo(kind="echo-reply"),
        echo(kind="dest-unreach"),
        echo(flags="MF"),
        echo(frag=1),
        echo(proto=17),
        echo()[:-1],
        echo()[:27],
        echo()[:-1] + b"y",  # a wrong checksum
    ],
)
def test_nothing_else_is_answered(packet):
    assert icmp.reply(packet, OURS) is None


def test_an_echo_for_another_address_is_not_answered():
    assert icmp.reply(echo(), THEIRS) is None


def test_an_answer_belongs_to_its_identifier():
    assert icmp.answered(echo(kind="echo-reply"), 7) == 3
    assert icmp.answered(echo(kind="echo-reply"), 8) == -1
    assert icmp.answered(echo(), 7) == -1


def test_options_are_stepped_over():
    packet = bytes(IP(src="10.1.0.1", dst="10.9.0.1", options=b"\x01\x01\x01\x00") / ICMP(id=7, seq=3) / Raw(b"data"))
    assert bytes(IP(bytes(icmp.reply(packet, OURS)))[ICMP].payload) == b"data"


@settings(max_examples=500, derandomize=True)
@given(st.binary(min_size=20, max_size=60))
def test_any_packet_is_answered_or_not(data):
    data = b"\x45" + data[1:9] + b"\x01" + data[10:]
    icmp.answered(data, 7)
    answer = icmp.reply(data, data[16:20])
    assert answer is None or IP(bytes(answer)).dst == IP(data).src
