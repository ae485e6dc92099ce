"""TCP segments (RFC 9293 section 3.1) to and from IPv4 packets. For `uike.net.tcp`.

   |          Source Port          |       Destination Port        |
   |                        Sequence Number                        |
   |                    Acknowledgment Number                      |
   | Offset|       |C|E|U|A|P|R|S|F|            Window             |
   |           Checksum            |         Urgent Pointer        |

Of the options only the Maximum Segment Size is spoken (section 3.7.1); others are stepped over.
"""

import struct

from uike import iana
from uike.net import header
from uike.wire import ipv4

FIN = 1
SYN = 2
RST = 4
PSH = 8
ACK = 16
_IP = 20
_HEADER = 20
_MSS = 2
_MSS_DEFAULT = 536  # of a peer that says nothing
_MSS_LEAST = 64  # nobody makes us send bytes one by one
MASK = 0xFFFFFFFF


class Segment:
    """A received segment: `seq`, `ack`, `flags`, `window`, `mss` (of a SYN), `data` (a memoryview into the packet)."""

    def __init__(self, packet, at):
        self.seq, self.ack, offset, flags, self.window = struct.unpack_from(">IIBBH", packet, at + 4)
        self.flags = flags
        self.data = memoryview(packet)[at + (offset >> 4) * 4 :]
        self.mss = _mss(packet, at + _HEADER, at + (offset >> 4) * 4) if flags & SYN else 0

    def length(self):
        """What it takes of the sequence space."""
        return len(self.data) + (self.flags & SYN) // SYN + (self.flags & FIN)


def parse(packet, at):
    """The Segment at `at` of a valid IPv4 packet; None when its header or its checksum is wrong."""
    size = len(packet) - at
    if size < _HEADER or not _HEADER <= (packet[at + 12] >> 4) * 4 <= size:
        return None
    if ipv4.checksum(packet, at, len(packet), header.pseudo(packet, iana.IPPROTO_TCP, size)):
        return None
    return Segment(packet, at)


def _mss(packet, at, end):
    while at + 1 < end and packet[at]:
        if packet[at] == 1:
            at += 1
            continue
        length = packet[at + 1]
        if length < 2 or at + length > end:
            break
        if packet[at] == _MSS and length == 4:
            return max(_MSS_LEAST, packet[at + 2] << 8 | packet[at + 3])
        at += length
    return _MSS_DEFAULT


def build(ends, seq, ack, flags, window, size=0, mss=0):
    """A packet with room for `size` bytes at its end, to be sealed. ends: (our address, our port, theirs, theirs);
    mss: what a SYN announces."""
    option = 4 if mss else 0
    packet = header.build(ends[0], ends[2], iana.IPPROTO_TCP, _HEADER + option + size)
    struct.pack_into(
        ">HHIIBBH", packet, _IP, ends[1], ends[3], seq & MASK, ack & MASK, (_HEADER + option) << 2, flags, window
    )
    if mss:
        struct.pack_into(">BBH", packet, _IP + _HEADER, _MSS, 4, mss)
    return packet


def seal(packet):
    """Fills in the checksum, once the data is there."""
    total = header.pseudo(packet, iana.IPPROTO_TCP, len(packet) - _IP)
    struct.pack_into(">H", packet, _IP + 16, ipv4.checksum(packet, _IP, len(packet), total))
    return packet


def reset_for(packet, at, segment):
    """The RST that answers a segment which belongs to no connection (section 3.5.2); None for a RST."""
    if segment.flags & RST:
        return None
    from_port, to_port = struct.unpack_from(">HH", packet, at)
    ends = (packet[16:20], to_port, packet[12:16], from_port)
    if segment.flags & ACK:
        return seal(build(ends, segment.ack, 0, RST, 0))
    return seal(build(ends, 0, segment.seq + segment.length(), RST | ACK, 0))
