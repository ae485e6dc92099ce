"""What fits through the tunnel in one piece: the bytes of an inner packet (RFC 4303 section 2; RFC 3948)."""

_OUTER = 1_500 - 20 - 8  # of an Ethernet frame, without the headers of IPv4 and UDP
_ESP = 8  # SPI and sequence number
_TRAILER = 2  # pad length and next header
UNKNOWN_MTU = 1_280  # while there is no Child SA


def inner_mtu(cipher):
    """Bytes of the longest inner packet whose ESP packet is not longer than an Ethernet frame. `cipher` as in the
    crypto contract."""
    room = _OUTER - _ESP - cipher.iv_size - cipher.icv_size
    return room - room % max(cipher.block_size, 4) - _TRAILER
