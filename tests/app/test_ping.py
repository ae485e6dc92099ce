"""A series of pings: what is sent when, and what each of them came to."""

import struct
from types import SimpleNamespace

from scapy.layers.inet import ICMP, IP

from uike import event
from uike.app.ping import Ping
from uike.wire import ipv4

OURS, THEIRS = bytes((10, 9, 0, 1)), bytes((10, 1, 0, 1))


class Appliance:
    def __init__(self):
        self.sent, self.told = [], []
        self.endpoint = SimpleNamespace(send_packet=lambda packet, now: self.sent.append((now, IP(bytes(packet)))))

    def trace(self, code, sa, body):
        assert code == event.PING
        sequence, answered, rtt_ms = struct.unpack(">HBI", body[:7])
        self.told.append((sequence, bool(answered), rtt_ms))


def series(count=3):
    return Appliance(), Ping(OURS, THEIRS, count, 1_000, 8, 77, 5_000)


def answer(packet):
    return ipv4.echo_reply(bytes(packet), THEIRS)


def test_requests_leave_at_their_interval_and_answers_are_told():
    appliance, ping = series()
    assert ping.deadline() == 5_000
    for number in range(3):
        now = 5_000 + 1_000 * number
        assert ping.tick(appliance, now)
        at, packet = appliance.sent[-1]
        assert (at, packet[ICMP].seq, packet[ICMP].id) == (now, number + 1, 77)
        assert ping.receive(appliance, answer(packet), now + 20)
    assert not ping.tick(appliance, 7_020)
    assert ping.deadline() is None
    assert appliance.told == [(1, True, 20), (2, True, 20), (3, True, 20)]


def test_a_lost_request_is_told_after_its_time():
    appliance, ping = series(count=1)
    ping.tick(appliance, 5_000)
    assert ping.deadline() == 10_000
    assert ping.tick(appliance, 9_999) and appliance.told == []
    assert not ping.tick(appliance, 10_000)
    assert appliance.told == [(1, False, 5_000)]


def test_answers_that_are_not_ours():
    appliance, ping = series(count=1)
    ping.tick(appliance, 5_000)
    packet = appliance.sent[0][1]
    stranger = IP(bytes(answer(packet)))
    stranger.src = "10.1.0.2"
    del stranger.chksum
    assert not ping.receive(appliance, bytes(stranger), 5_001)
    assert not ping.receive(appliance, bytes(packet), 5_001)
    assert ping.receive(appliance, answer(packet), 5_002)
    assert not ping.receive(appliance, answer(packet), 5_003)  # a duplicate
    assert appliance.told == [(1, True, 2)]
