"""The IPv4 header that transport mode leaves out (RFC 4303 section 3.1.1): taken off, and made again at the other end.

Loaded by `ike/transport` with a Child SA of that mode, used by the endpoint for its packets. What a NAT has done to the
addresses outside spoils the checksums inside: of what has just been authenticated they are made anew (TCP) or left out
(UDP), as RFC 3948 section 3.1.2 allows.
"""

import struct

from uike import iana

_ESP_HEADER = 8
_HEADER = 20
_TTL = 64
_UDP_SUM = 6  # offsets of the checksums
_TCP_SUM = 16


class Transport:
    """Of one Child SA: the two ends, addresses of four bytes."""

    def __init__(self, here, there):
        self.here = here
        self.there = there

    def strip(self, child, packet, size):
        """What follows the header of a sound IPv4 packet; its protocol is left in the Child SA. Nothing of a fragment,
        for the other end could not put it together."""
        if packet[6] & 0x3F or packet[7]:
            return b""
        child.next_header = packet[9]
        return packet[(packet[0] & 15) * 4 : size]

    def rebuild(self, child, data):
        """The IPv4 packet whose payload is in `data`, a decrypted ESP packet with sound padding."""
        start = _ESP_HEADER + child.open.iv_size
        end = len(data) - child.open.icv_size - 2
        kind = data[end + 1]
        end -= data[end]
        size = _HEADER + end - start
        packet = bytearray(size)
        struct.pack_into(">BBHHHBB", packet, 0, 0x45, 0, size, 0, 0, _TTL, kind)
        packet[12:16] = self.there
        packet[16:20] = self.here
        _put_sum(packet, 10, 0, _HEADER, 0)
        packet[_HEADER:] = data[start:end]
        if kind == iana.IPPROTO_UDP and size >= _HEADER + 8:
            packet[_HEADER + _UDP_SUM] = packet[_HEADER + _UDP_SUM + 1] = 0
        elif kind == iana.IPPROTO_TCP and size >= _HEADER + 20:
            _put_sum(packet, _HEADER + _TCP_SUM, 12, size, kind + size - _HEADER)
        child.packets_in += 1
        child.bytes_in += size
        return packet


def _put_sum(data, at, start, end, total):
    """Writes the Internet checksum (RFC 1071) of data[start:end], and of `total`, to `at`."""
    data[at] = data[at + 1] = 0
    for i in range(start, end):
        total += data[i] if i & 1 else data[i] << 8  # `start` is even
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into(">H", data, at, ~total & 0xFFFF)
