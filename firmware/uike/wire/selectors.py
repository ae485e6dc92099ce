"""Traffic selectors: the TS payloads (RFC 7296 section 3.13), and their narrowing (section 2.9).

   |   TS Type     |IP Protocol ID |       Selector Length         |
   |           Start Port          |           End Port            |
   |                  Starting Address, Ending Address             |

A selector is kept as these bytes, 16 for IPv4: what is on the wire is what is compared. Used by the exchanges, then
dropped; packets are held against selectors in `ipsec/policy`.
"""

import struct

from uike import iana, reason
from uike.wire.refusal import Refusal

IPV4_SIZE = 16
_SELECTORS_MAX = 16


def make(protocol, start_port, end_port, start, end):
    """An IPv4 selector from its parts; `start` and `end` are addresses of four bytes, both included."""
    return struct.pack(">BBHHH", iana.TS_IPV4_ADDR_RANGE, protocol, IPV4_SIZE, start_port, end_port) + start + end


def host(address):
    """Everything to and from one address of four bytes."""
    return make(0, 0, 65535, address, address)


def of_packet(packet):
    """(source, destination) selectors of one IPv4 packet, with its ports; of ICMP its type and code, on our side."""
    protocol = packet[9]
    at = (packet[0] & 15) * 4
    low = high = b"\0\0"
    if protocol in (iana.IPPROTO_TCP, iana.IPPROTO_UDP, iana.IPPROTO_ICMP) and len(packet) >= at + 4:
        low = packet[at : at + 2]
        high = low if protocol == iana.IPPROTO_ICMP else packet[at + 2 : at + 4]
        ports = (low * 2, high * 2)
    else:
        ports = (b"\0\0\xff\xff",) * 2
    head = bytes((iana.TS_IPV4_ADDR_RANGE, protocol, 0, IPV4_SIZE))
    return head + ports[0] + packet[12:16] * 2, head + ports[1] + packet[16:20] * 2


def build(selectors):
    """Body of a TS payload."""
    return bytes((len(selectors), 0, 0, 0)) + b"".join(selectors)


def parse(body):
    """IPv4 selectors of a TS payload; other types are left out, as if not offered. Raises Refusal."""
    if len(body) < 4 or body[0] == 0:
        raise Refusal(reason.BAD_TS_PAYLOAD, iana.INVALID_SYNTAX)
    found = []
    at = 4
    for _ in range(body[0]):
        if len(body) - at < 8:
            raise Refusal(reason.BAD_TS_PAYLOAD, iana.INVALID_SYNTAX)
        size = body[at + 2] << 8 | body[at + 3]
        if size < 8 or size > len(body) - at:
            raise Refusal(reason.BAD_TS_PAYLOAD, iana.INVALID_SYNTAX)
        if body[at] == iana.TS_IPV4_ADDR_RANGE:
            if size != IPV4_SIZE:
                raise Refusal(reason.BAD_TS_PAYLOAD, iana.INVALID_SYNTAX)
            if len(found) < _SELECTORS_MAX:
                found.append(body[at : at + size])
        at += size
    if at != len(body):
        raise Refusal(reason.BAD_TS_PAYLOAD, iana.INVALID_SYNTAX)
    return found


def narrow(offered, allowed):
    """What both lists have in common, each pair intersected; the order is the offer's."""
    found = []
    for theirs in offered:
        for ours in allowed:
            both = _intersect(theirs, ours)
            if both and both not in found and len(found) < _SELECTORS_MAX:
                found.append(both)
    return found


def within(selectors, limits):
    """True when every selector lies inside one of `limits`."""
    for selector in selectors:
        if selector not in [_intersect(selector, limit) for limit in limits]:
            return False
    return True


def _intersect(a, b):
    if a[1] and b[1] and a[1] != b[1]:
        return None
    low, high = max(a[4:6], b[4:6]), min(a[6:8], b[6:8])
    start, end = max(a[8:12], b[8:12]), min(a[12:16], b[12:16])
    if low > high or start > end:
        return None
    return bytes((iana.TS_IPV4_ADDR_RANGE, a[1] or b[1], 0, IPV4_SIZE)) + low + high + start + end
