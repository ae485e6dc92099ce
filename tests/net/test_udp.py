"""UDP against scapy, and the stack's ports."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.packet import Raw

from tests.net.wire import OURS, THEIRS, Wire, stack
from uike import reason

TO = (THEIRS, 5683)


def datagram(data=b"hello", port=53, **fields):
    return bytes(IP(src="10.1.0.1", dst="10.9.0.1") / UDP(sport=5683, dport=port, **fields) / Raw(data))


def receive(made, data):
    return made.receive(memoryview(bytearray(data)), 0)


@pytest.mark.parametrize("size", [0, 1, 2, 119, 120, 121, 1_372])
def test_a_datagram_is_what_scapy_makes_of_it(size):
    ours = stack(OURS, THEIRS)
    socket = ours.udp().open(53)
    assert socket.write(bytes(i & 255 for i in range(size)), *TO)
    packet = IP(bytes(ours.next_packet(0)))
    assert (packet.src, packet.dst, packet[UDP].sport, packet[UDP].dport) == ("10.9.0.1", "10.1.0.1", 53, 5683)
    assert bytes(packet[UDP].payload) == bytes(i & 255 for i in range(size))
    sums = packet.chksum, packet[UDP].chksum
    del packet.chksum, packet[UDP].chksum
    packet = IP(bytes(packet))
    assert (packet.chksum, packet[UDP].chksum) == sums
    assert ours.next_packet(0) is None


def test_a_checksum_of_zero_is_sent_as_ones():
    ours = stack(OURS, THEIRS)
    socket = ours.udp().open(53)
    socket.write(b"\0\0", *TO)
    total = IP(bytes(ours.next_packet(0)))[UDP].chksum
    socket.write(total.to_bytes(2, "big"), *TO)
    assert IP(bytes(ours.next_packet(0)))[UDP].chksum == 0xFFFF  # RFC 768: 0 is none


@pytest.mark.parametrize("fields", [{}, {"chksum": 0}])
def test_what_arrives(fields):
    ours = stack(OURS, THEIRS)
    socket = ours.udp().open(53)
    told = []
    socket.changed = lambda: told.append(1)
    assert receive(ours, datagram(**fields)) == 0
    assert told == [1] and socket.read() == (b"hello", TO) and socket.read() is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (datagram(chksum=1), reason.NET_PACKET),
        (datagram(len=7), reason.NET_PACKET),
        (datagram(len=14), reason.NET_PACKET),
        (datagram(port=54), reason.NET_NOBODY),
        (bytes(IP(src="10.1.0.1", dst="10.9.0.1", proto=17) / Raw(b"1234567")), reason.NET_PACKET),
        (bytes(IP(src="10.1.0.1", dst="10.9.0.1", flags="MF") / UDP(dport=53)), reason.NET_PACKET),
        (bytes(IP(src="10.1.0.1", dst="10.9.0.1", chksum=1) / UDP(dport=53)), reason.NET_PACKET),
        (bytes(IP(src="10.1.0.2", dst="10.9.0.1") / UDP(dport=53)), None),
        (bytes(IP(src="10.1.0.1", dst="10.9.0.2") / UDP(dport=53)), None),
        (bytes(IP(src="10.1.0.1", dst="10.9.0.1", proto=132) / Raw(b"x" * 40)), None),
        (b"\x45", None),
    ],
)
def test_what_does_not(data, why):
    ours = stack(OURS, THEIRS)
    socket = ours.udp().open(53)
    assert receive(ours, data) == why
    assert socket.read() is None and ours.next_packet(0) is None


def test_queues_are_bounded():
    ours = stack(OURS, THEIRS)
    socket = ours.udp().open(53)
    assert [receive(ours, datagram()) for _ in range(6)] == [0, 0, 0, 0, reason.NET_FULL, reason.NET_FULL]
    assert [socket.write(b"x", *TO) for _ in range(6)] == [True] * 4 + [False] * 2


def test_ports_and_errors():
    ours = stack(OURS, THEIRS)
    sockets = [ours.udp().open() for _ in range(8)]
    assert len({each.port for each in sockets}) == 8 and min(each.port for each in sockets) >= 49_152
    with pytest.raises(OSError, match="98"):
        ours.udp().open()
    sockets[0].close()
    with pytest.raises(OSError, match="98"):
        ours.udp().open(sockets[1].port)
    with pytest.raises(OSError, match="90"):
        sockets[1].write(b"x" * 1_373, *TO)
    with pytest.raises(OSError, match="113"):
        sockets[1].write(b"x", bytes(4), 1)


def test_what_was_written_leaves_after_a_close():
    wire = Wire()
    there = wire.theirs.udp().open(5683)
    socket = wire.ours.udp().open()
    socket.write(b"last words", *TO)
    socket.close()
    assert wire.ours.busy()
    wire.run(lambda: there.came)
    assert there.read()[0] == b"last words" and not wire.ours.busy()
