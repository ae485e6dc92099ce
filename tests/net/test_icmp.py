"""ICMP echo against scapy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP
from scapy.packet import Raw

from uike.net import icmp
from uike.wire import ipv4

OURS, THEIRS = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))


def sent(kind="echo-request", size=56, **ip):
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
    packet = IP(bytes(ipv4.echo_reply(memoryview(sent(size=size)), OURS)))
    assert (packet.src, packet.dst) == ("10.9.0.1", "10.1.0.1")
    assert (packet[ICMP].type, packet[ICMP].id, packet[ICMP].seq) == (0, 7, 3)
    assert bytes(packet[ICMP].payload) == b"x" * size


@pytest.mark.parametrize(
    "packet",
    [
        sent(kind="echo-reply"),
        sent(kind="dest-unreach"),
        sent(flags="MF"),
        sent(frag=1),
        sent(proto=17),
        sent()[:-1],
        sent()[:27],
        sent()[:-1] + b"y",  # a wrong checksum
    ],
)
def test_nothing_else_is_answered(packet):
    assert ipv4.echo_reply(packet, OURS) is None


def test_an_echo_for_another_address_is_not_answered():
    assert ipv4.echo_reply(sent(), THEIRS) is None


def test_an_answer_belongs_to_its_identifier():
    assert icmp.answered(sent(kind="echo-reply"), 7) == 3
    assert icmp.answered(sent(kind="echo-reply"), 8) == -1
    assert icmp.answered(sent(), 7) == -1


def test_options_are_stepped_over():
    packet = bytes(IP(src="10.1.0.1", dst="10.9.0.1", options=b"\x01\x01\x01\x00") / ICMP(id=7, seq=3) / Raw(b"data"))
    assert bytes(IP(bytes(ipv4.echo_reply(packet, OURS)))[ICMP].payload) == b"data"


@settings(max_examples=500, derandomize=True)
@given(st.binary(min_size=20, max_size=60))
def test_any_packet_is_answered_or_not(data):
    data = b"\x45" + data[1:9] + b"\x01" + data[10:]
    icmp.answered(data, 7)
    answer = ipv4.echo_reply(data, data[16:20])
    assert answer is None or IP(bytes(answer)).dst == IP(data).src
