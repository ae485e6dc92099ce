"""ESP packets (RFC 4303 section 2). In transport mode the endpoint has taken the inner header off, and makes it again.

   |               Security Parameters Index (SPI)                 |
   |                      Sequence Number                          |
   |  IV, then the inner packet                                    |
   |               |  Padding 1, 2, 3 ...  |  Pad Length | Next Hdr|
   |                     Integrity Check Value                     |

The packet itself is the only thing that is allocated.
"""

import struct

from uike import iana, reason
from uike.ipsec.policy import allows, inner_size

_HEADER = 8
_SEQUENCE_MAX = 0xFFFFFFFF
_BATCH = 128  # bytes


class Ivs:
    """IVs of CBC packets: random(n) as the DRBG's, whose request costs three HMACs however short it is, so one request
    serves eight packets. Each byte is given once."""

    def __init__(self, random):
        self._random = random
        self._batch = b""
        self._at = 0

    def __call__(self, n):
        if self._at + n > len(self._batch):
            self._batch = self._random(_BATCH)
            self._at = 0
        self._at += n
        return self._batch[self._at - n : self._at]


def encapsulate(child, packet, size, random):
    """The ESP packet that carries the first `size` bytes of `packet`, a bytearray; None when the SA has used up its
    sequence numbers: it must not send again."""
    cipher = child.seal
    if child.sequence >= _SEQUENCE_MAX:
        if not cipher.high or not carry(cipher.high):
            return None
        child.sequence = -1
    child.sequence += 1
    start = _HEADER + cipher.iv_size
    padding = -(size + 2) % max(cipher.block_size, 4)
    end = start + size + padding + 2
    out = bytearray(end + cipher.icv_size)
    out[0:4] = child.spi_out
    struct.pack_into(">I", out, 4, child.sequence)
    if cipher.block_size > 1:
        out[_HEADER:start] = random(cipher.iv_size)
    else:  # the sequence number: unique under this key, which is all that an AEAD asks for
        out[start - 4 : start] = out[4:8]
        if cipher.high:
            out[_HEADER : start - 4] = cipher.high
    if len(packet) == size:
        out[start : start + size] = packet
    else:
        out[start : start + size] = packet[:size]
    for i in range(padding):
        out[start + size + i] = i + 1
    out[end - 2] = padding
    out[end - 1] = child.next_header or (iana.IPPROTO_IPV4 if packet[0] >> 4 == 4 else iana.IPPROTO_IPV6)
    cipher.seal(out, _HEADER, end)
    child.packets_out += 1
    child.bytes_out += size
    return out


def carry(high):
    """Counts the upper half of an extended sequence number, 4 bytes, in its place; False when it is at its end."""
    if high[0] & high[1] & high[2] & high[3] == 255:
        return False
    i = 3
    while high[i] == 255:
        high[i] = 0
        i -= 1
    high[i] += 1
    return True


def decapsulate(child, data):
    """Opens an ESP packet in its buffer: the inner packet as a memoryview, or the number of the reason why not."""
    cipher = child.open
    start = _HEADER + cipher.iv_size
    end = len(data) - cipher.icv_size
    if end < start + 2:
        return reason.ESP_SHORT
    sequence = struct.unpack_from(">I", data, 4)[0]
    if not child.replay.check(sequence):
        return reason.ESP_REPLAY
    if not cipher.open(data, _HEADER, end):
        return reason.ESP_BAD_ICV
    child.replay.accept(sequence)
    padding = data[end - 2]
    kind = data[end - 1]
    end -= 2 + padding
    if end < start:
        return reason.ESP_BAD_PADDING
    for i in range(padding):
        if data[end + i] != i + 1:
            return reason.ESP_BAD_PADDING
    if kind == iana.IPPROTO_NONE:
        return reason.ESP_DUMMY
    if kind != iana.IPPROTO_IPV4 and kind != iana.IPPROTO_IPV6:
        return reason.ESP_NEXT_HEADER
    size = inner_size(data, start, end)
    if not size or (data[start] >> 4 == 4) != (kind == iana.IPPROTO_IPV4):
        return reason.ESP_INNER_PACKET
    if not allows(data, start, size, child.remote_ts, child.local_ts):
        return reason.ESP_SELECTORS
    child.packets_in += 1
    child.bytes_in += size
    return memoryview(data)[start : start + size]
