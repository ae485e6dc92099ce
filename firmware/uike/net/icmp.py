"""ICMP echo requests of ours (RFC 792), and their answers. For `uike.app.ping` and the console."""

import struct

from uike import iana
from uike.net import header
from uike.wire.ipv4 import checksum, is_echo

_IP = 20
_ECHO_REPLY = 0
_ECHO = 8


def request(source, destination, ident, sequence, size):
    """An echo request with `size` bytes of data."""
    packet = header.build(source, destination, iana.IPPROTO_ICMP, 8 + size)
    packet[_IP] = _ECHO
    struct.pack_into(">HH", packet, _IP + 4, ident, sequence)
    for i in range(size):
        packet[_IP + 8 + i] = i & 255
    struct.pack_into(">H", packet, _IP + 2, checksum(packet, _IP, len(packet)))
    return packet


def answered(packet, ident):
    """Sequence number that this packet answers, of those that `request` sent with that identifier; else -1."""
    at = is_echo(packet, _ECHO_REPLY)
    if not at or packet[at + 4] << 8 | packet[at + 5] != ident:
        return -1
    return packet[at + 6] << 8 | packet[at + 7]
