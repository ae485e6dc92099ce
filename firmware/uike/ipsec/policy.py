"""Inner packets held against traffic selectors (RFC 4301 section 4.4.1), without allocating.

A selector is its wire form (RFC 7296 section 3.13.1): type, protocol, length, start port(4), end port(6), first address
(8), last address; 16 bytes for IPv4, 40 for IPv6. What a packet does not show, no selector that asks for it covers.
"""

from uike import iana


def allows(packet, at, size, sources, destinations):
    """True when the IP packet of `size` bytes at `at`, a sound one, comes from `sources` and goes to `destinations`."""
    next_layer = upper(packet, at, size)
    if next_layer < 0:
        return False
    protocol = next_layer & 255
    source = destination = -1
    header = next_layer >> 8
    if header:
        source = destination = packet[header] << 8 | packet[header + 1]
        if protocol == iana.IPPROTO_TCP or protocol == iana.IPPROTO_UDP:
            destination = packet[header + 2] << 8 | packet[header + 3]
    width = 4 if packet[at] >> 4 == 4 else 16
    at += 12 if width == 4 else 8
    return _any_covers(sources, packet, at, width, protocol, source) and _any_covers(
        destinations, packet, at + width, width, protocol, destination
    )


def _any_covers(selectors, packet, at, width, protocol, port):
    for selector in selectors:
        if len(selector) == 8 + 2 * width and _covers(selector, packet, at, width, protocol, port):
            return True
    return False


def _covers(selector, packet, at, width, protocol, port):
    """`at` is that of the address; `port` is -1 when the packet shows none."""
    if selector[1] and selector[1] != protocol:
        return False
    for i in range(width):
        if packet[at + i] != selector[8 + i]:
            if packet[at + i] < selector[8 + i]:
                return False
            break
    end = 8 + width
    for i in range(width):
        if packet[at + i] != selector[end + i]:
            if packet[at + i] > selector[end + i]:
                return False
            break
    low = selector[4] << 8 | selector[5]
    high = selector[6] << 8 | selector[7]
    if low == 0 and high == 65535:
        return True
    if low == 65535 and high == 0:  # OPAQUE
        return port < 0
    return port >= 0 and low <= port <= high


def upper(packet, at, size):
    """Where the next layer's ports are, times 256, and its protocol; of ICMP its type and code are what counts as
    ports (RFC 4301 section 4.4.1.1). The place is 0 when there are none, or a later fragment does not show them.
    -1 for a packet that must not pass: its headers go beyond its end, or an IPv6 routing header takes it to where no
    selector was asked."""
    if packet[at] >> 4 == 4:
        kind = packet[at + 9]
        header = (packet[at] & 15) * 4
        later = packet[at + 6] & 31 or packet[at + 7]
    else:
        kind = packet[at + 6]
        header = 40
        later = 0
        while not later and kind in (iana.IPPROTO_HOPOPTS, iana.IPPROTO_DSTOPTS, iana.IPPROTO_FRAGMENT):
            if size < header + 8:
                return -1
            if kind == iana.IPPROTO_FRAGMENT:
                later = packet[at + header + 2] or packet[at + header + 3] & 0xF8
                length = 8
            else:
                length = 8 + packet[at + header + 1] * 8
            kind = packet[at + header]
            header += length
            if header > size:
                return -1
        if kind == iana.IPPROTO_ROUTING:
            return -1
    if later or size < header + 4:
        return kind
    if kind in (iana.IPPROTO_TCP, iana.IPPROTO_UDP, iana.IPPROTO_ICMP, iana.IPPROTO_ICMPV6):
        return (at + header) << 8 | kind
    return kind


def inner_size(packet, at, end):
    """Total length of the IP packet at `at`, checked against its header and `end`; 0 when it is not one.

    What follows it up to `end` is traffic flow padding (RFC 4303 section 2.7)."""
    if end - at < 20:
        return 0
    if packet[at] >> 4 == 6:
        size = 40 + (packet[at + 4] << 8 | packet[at + 5])
    else:
        size = packet[at + 2] << 8 | packet[at + 3]
        if packet[at] >> 4 != 4 or packet[at] & 15 < 5 or size < (packet[at] & 15) * 4:
            return 0
    return size if size <= end - at else 0
