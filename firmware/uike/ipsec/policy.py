"""Inner packets held against traffic selectors (RFC 4301 section 4.4.1), without allocating.

A selector is the 16 bytes of its wire form (RFC 7296 section 3.13.1): type, protocol, length, start port(4), end
port(6), first address(8), last address(12).
"""

from uike import iana

_SOURCE = 12  # offsets in an IPv4 header
_DESTINATION = 16


def allows(packet, at, size, sources, destinations):
    """True when the IPv4 packet of `size` bytes at `at` comes from `sources` and goes to `destinations`."""
    return _any_covers(sources, packet, at, size, _SOURCE) and _any_covers(destinations, packet, at, size, _DESTINATION)


def _any_covers(selectors, packet, at, size, field):
    for selector in selectors:
        if _covers(selector, packet, at, size, field):
            return True
    return False


def _covers(selector, packet, at, size, field):
    if selector[1] and selector[1] != packet[at + 9]:
        return False
    for i in range(4):
        if packet[at + field + i] != selector[8 + i]:
            if packet[at + field + i] < selector[8 + i]:
                return False
            break
    for i in range(4):
        if packet[at + field + i] != selector[12 + i]:
            if packet[at + field + i] > selector[12 + i]:
                return False
            break
    low = selector[4] << 8 | selector[5]
    high = selector[6] << 8 | selector[7]
    if low == 0 and high == 65535:
        return True
    port = _port(packet, at, size, field)
    return port >= 0 and low <= port <= high


def _port(packet, at, size, field):
    """The port that belongs to that address; ICMP type and code as RFC 4301 section 4.4.1.1 maps them; -1 when the
    packet shows none, as a later fragment does."""
    header = (packet[at] & 15) * 4
    if (packet[at + 6] & 31) << 8 | packet[at + 7] or size < header + 4:
        return -1
    if packet[at + 9] in (iana.IPPROTO_TCP, iana.IPPROTO_UDP):
        header += 0 if field == _SOURCE else 2
    elif packet[at + 9] != iana.IPPROTO_ICMP:
        return -1
    return packet[at + header] << 8 | packet[at + header + 1]


def inner_size(packet, at, end):
    """Total length of the IPv4 packet at `at`, checked against its header and `end`; 0 when it is not one.

    What follows it up to `end` is traffic flow padding (RFC 4303 section 2.7)."""
    if end - at < 20 or packet[at] >> 4 != 4 or packet[at] & 15 < 5:
        return 0
    size = packet[at + 2] << 8 | packet[at + 3]
    if size < (packet[at] & 15) * 4 or size > end - at:
        return 0
    return size
