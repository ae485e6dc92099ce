"""ICMP echo over the tunnel (RFC 792): answered on our inner address, and sent when the console asks."""

import struct

from uike import iana

_HEADER = 20
_ECHO_REPLY = 0
_ECHO = 8
_TTL = 64


def checksum(data, at, end):
    """Internet checksum of data[at:end] (RFC 1071)."""
    total = 0
    for i in range(at, end - 1, 2):
        total += data[i] << 8 | data[i + 1]
    if (end - at) & 1:
        total += data[end - 1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def is_echo(packet, kind):
    """Whether the IPv4 packet is a whole, valid ICMP echo message of that kind."""
    at = (packet[0] & 15) * 4
    if packet[0] >> 4 != 4 or packet[9] != iana.IPPROTO_ICMP or packet[6] & 0x3F or packet[7] or len(packet) < at + 8:
        return False
    return packet[at] == kind and packet[at + 1] == 0 and checksum(packet, at, len(packet)) == 0


def reply(packet, address):
    """The answer to an echo request for `address`; None for any other packet."""
    if not is_echo(packet, _ECHO) or packet[16:20] != address:
        return None
    at = (packet[0] & 15) * 4
    return _build(address, packet[12:16], _ECHO_REPLY, packet[at + 4 : len(packet)])


def request(source, destination, ident, sequence, size):
    """An echo request with `size` bytes of data."""
    rest = bytearray(4 + size)
    struct.pack_into(">HH", rest, 0, ident, sequence)
    for i in range(size):
        rest[4 + i] = i & 255
    return _build(source, destination, _ECHO, rest)


def answered(packet, ident):
    """Sequence number that this packet answers, of those that `request` sent with that identifier; else -1."""
    at = (packet[0] & 15) * 4
    if not is_echo(packet, _ECHO_REPLY) or packet[at + 4] << 8 | packet[at + 5] != ident:
        return -1
    return packet[at + 6] << 8 | packet[at + 7]


def _build(source, destination, kind, rest):
    packet = bytearray(_HEADER + 4 + len(rest))
    struct.pack_into(">BBHHHBB", packet, 0, 0x45, 0, len(packet), 0, 0, _TTL, iana.IPPROTO_ICMP)
    packet[12:16] = source
    packet[16:20] = destination
    packet[_HEADER] = kind
    packet[_HEADER + 4 :] = rest
    struct.pack_into(">H", packet, _HEADER + 2, checksum(packet, _HEADER, len(packet)))
    struct.pack_into(">H", packet, 10, checksum(packet, 0, _HEADER))
    return packet
