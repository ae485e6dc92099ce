"""The header of an Encrypted Fragment payload, SKF (RFC 7383 section 2.5), after the generic one. Transient, with
`ike/fragment` and `ike/reassembly`.

|        Fragment Number        |        Total Fragments        |
"""

import struct

from uike import iana
from uike.wire.message import HEADER


def read(buffer):
    """(Fragment Number, Total Fragments) of a datagram that has them."""
    return struct.unpack_from(">HH", buffer, HEADER + 4)


def write(buffer, following, number, total):
    """Writes the SKF header, 8 bytes, of the fragment that fills `buffer`."""
    struct.pack_into(">BBHHH", buffer, HEADER, following, 0, len(buffer) - HEADER, number, total)


def describe(out, buffer):
    """The body of a FRAGMENT event."""
    response = buffer[19] & iana.FLAG_RESPONSE
    head = bytes((out, buffer[18], response != 0)) + bytes(buffer[20:24]) + bytes(buffer[HEADER + 4 : HEADER + 8])
    return head + struct.pack(">H", len(buffer))
