"""Headers of the packets that we make: IPv4 (RFC 791), and what of it TCP and UDP take into their checksums."""

import struct

from uike.wire.ipv4 import checksum

_HEADER = 20
_TTL = 64
_DONT_FRAGMENT = 0x4000  # so its identification may be 0 (RFC 6864 section 4.1)


def build(source, destination, protocol, size):
    """A packet with its header, addresses of four bytes, and `size` zeros for what it carries."""
    packet = bytearray(_HEADER + size)
    struct.pack_into(">BBHHHBB", packet, 0, 0x45, 0, len(packet), 0, _DONT_FRAGMENT, _TTL, protocol)
    packet[12:16] = source
    packet[16:20] = destination
    struct.pack_into(">H", packet, 10, checksum(packet, 0, _HEADER))
    return packet


def pseudo(packet, protocol, size):
    """What the pseudo-header of UDP and TCP adds to a checksum (RFC 9293 section 3.1)."""
    return int.from_bytes(packet[12:20], "big") % 65535 + protocol + size
