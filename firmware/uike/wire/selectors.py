"""Traffic selectors: the TS payloads (RFC 7296 section 3.13), and their narrowing (section 2.9).

   |   TS Type     |IP Protocol ID |       Selector Length         |
   |           Start Port          |           End Port            |
   |                  Starting Address, Ending Address             |

A selector is kept as these bytes, 16 for IPv4 and 40 for IPv6: what is on the wire is what is compared. Ports from
65535 to 0 are OPAQUE: of packets that show none (RFC 4301 section 4.4.1.1). Used by the exchanges, then dropped;
packets are held against selectors in `ipsec/policy`.
"""

import struct

from uike import iana, reason
from uike.wire.refusal import Refusal

_SELECTORS_MAX = 16
_TYPE = {16: iana.TS_IPV4_ADDR_RANGE, 40: iana.TS_IPV6_ADDR_RANGE}  # by the selector's length
_ANY_PORT = b"\0\0\xff\xff"
_OPAQUE = b"\xff\xff\0\0"


def make(protocol, start_port, end_port, start, end):
    """A selector from its parts; `start` and `end` are addresses of 4 or 16 bytes, both included."""
    size = 8 + 2 * len(start)
    return struct.pack(">BBHHH", _TYPE[size], protocol, size, start_port, end_port) + start + end


def host(address):
    """Everything to and from one address of 4 or 16 bytes."""
    return make(0, 0, 65535, address, address)


def anywhere(size):
    """Everything of the family whose addresses have `size` bytes."""
    return make(0, 0, 65535, bytes(size), b"\xff" * size)


def families(selectors):
    """Everything of each address family that occurs in `selectors`."""
    return [anywhere(size) for size in (4, 16) if [1 for selector in selectors if len(selector) == 8 + 2 * size]]


def of_packet(packet, upper):
    """(source, destination) selectors of one inner packet, with its ports; of ICMP its type and code, on our side.

    `upper` is what `ipsec.policy.upper` says of it."""
    protocol, at = upper & 255, upper >> 8
    low = high = _ANY_PORT
    if at:
        low = packet[at : at + 2] * 2
        high = low if protocol in (iana.IPPROTO_ICMP, iana.IPPROTO_ICMPV6) else packet[at + 2 : at + 4] * 2
    size, at = (4, 12) if packet[0] >> 4 == 4 else (16, 8)
    head = bytes((_TYPE[8 + 2 * size], protocol, 0, 8 + 2 * size))
    return head + low + packet[at : at + size] * 2, head + high + packet[at + size : at + 2 * size] * 2


def build(selectors):
    """Body of a TS payload."""
    return bytes((len(selectors), 0, 0, 0)) + b"".join(selectors)


def parse(body):
    """Selectors of a TS payload; those of other types are left out, as if not offered. Raises Refusal."""
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
        if body[at] in (iana.TS_IPV4_ADDR_RANGE, iana.TS_IPV6_ADDR_RANGE):
            if _TYPE.get(size) != body[at]:
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


def single(selector, limits):
    """All traffic of the one address in `selector` that the first of `limits` which covers it allows."""
    for limit in limits:
        if _intersect(selector, limit) == selector:
            return [_intersect(host(selector[8 : 4 + len(selector) // 2]), limit)]
    return []


def _intersect(a, b):
    if a[0] != b[0] or a[1] and b[1] and a[1] != b[1]:
        return None
    ports = _ports(a[4:8], b[4:8])
    half = 4 + len(a) // 2
    start, end = max(a[8:half], b[8:half]), min(a[half:], b[half:])
    if not ports or start > end:
        return None
    return bytes((a[0], a[1] or b[1], 0, len(a))) + ports + start + end


def _ports(a, b):
    """What two port ranges have in common: OPAQUE is in itself and in ANY, and in no other."""
    if a == _OPAQUE or b == _OPAQUE:
        return _OPAQUE if a in (b, _ANY_PORT) or b == _ANY_PORT else None
    low, high = max(a[:2], b[:2]), min(a[2:], b[2:])
    return low + high if low <= high else None
