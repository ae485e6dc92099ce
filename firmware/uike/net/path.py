"""What fits through the tunnel in one piece: the bytes of an inner packet (RFC 4303 section 2; RFC 3948)."""

_OUTER = 1_500 - 20 - 8  # of an Ethernet frame, without the headers of IPv4 and UDP
_ESP = 8  # SPI and sequence number
_TRAILER = 2  # pad length and next header
_LEAST = 576  # what every host takes (RFC 791)
_OF_HEAP = 40  # the free heap is in pieces: a packet of more than that part of it may find none that it fits into
UNKNOWN_MTU = 576  # while there is no Child SA


def inner_mtu(cipher, heap=None):
    """Bytes of the longest inner packet whose ESP packet is not longer than an Ethernet frame; fewer where the heap,
    (used, free) or None, is small. `cipher` as in the crypto contract."""
    room = _OUTER - _ESP - cipher.iv_size - cipher.icv_size
    most = room - room % max(cipher.block_size, 4) - _TRAILER
    return min(most, max(_LEAST, heap[1] // _OF_HEAP)) if heap else most
