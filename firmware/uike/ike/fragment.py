"""Splits a message into Encrypted Fragment payloads, SKF {...}: RFC 7383 section 2.5. Transient: loaded by `ike/sk`
for a message that is too long for one datagram, and by `ike/exchange` when long datagrams seem to get lost.

   | HDR | SKF header (4) | Fragment Number (2) | Total Fragments (2) | IV | part, padding, Pad Length (1) | ICV |

Every fragment is sealed by itself, under its own IV. No plaintext is kept for later: a cipher opens what it sealed.
"""

import struct

from uike import event, iana
from uike.ike.sk import put_iv
from uike.wire import fragment
from uike.wire.message import HEADER, chain_size, write_header

_SMALL = 576  # bytes of IP datagram that every IPv4 path carries (RFC 7383 section 2.5.1)
_FRAGMENTS_MAX = 32
_OVERHEAD = 32  # bytes of IPv4 and UDP headers and of the non-ESP marker
_AAD_SK = HEADER + 4
AAD = HEADER + 8  # what lies before the IV


def split(sa, exchange, response, message_id, payloads):
    """The datagrams that carry `payloads`, each an IP datagram of at most `sa.fragment_size` bytes."""
    first = payloads[0][0] if payloads else iana.NO_NEXT_PAYLOAD
    flags = (iana.FLAG_INITIATOR if sa.initiator else 0) | (iana.FLAG_RESPONSE if response else 0)
    return _cut(sa, (first, exchange, flags, message_id), _chain(payloads), chain_size(payloads), 1)


def split_again(sa):
    """Cuts our unanswered request anew for a narrow path: the same message ID, and more fragments than before, by
    which the receiver knows that those it has are of no use (section 2.5.1)."""
    sa.fragment_size = min(sa.fragment_size, _SMALL)
    old = sa.request
    head = (old[0][HEADER], sa.exchange, old[0][19], sa.send_id)
    size = 0
    for part in _opened(sa, old):
        size += len(part)
    sa.request = _cut(sa, head, _opened(sa, old), size, len(old) + 1)


def _chain(payloads):
    """Yields the bytes of a chain of (type, body) payloads, piece by piece."""
    for i in range(len(payloads)):
        body = payloads[i][1]
        following = payloads[i + 1][0] if i + 1 < len(payloads) else iana.NO_NEXT_PAYLOAD
        yield struct.pack(">BBH", following, 0, 4 + len(body))
        yield body


def _opened(sa, datagrams):
    """Yields what our own datagrams carry; they themselves stay sealed, for they may still wait to be sent."""
    cipher = sa.seal
    for datagram in datagrams:
        aad = AAD if datagram[16] == iana.SKF else _AAD_SK
        buffer = bytearray(datagram)
        end = len(buffer) - cipher.icv_size
        cipher.open(buffer, aad, end)
        yield memoryview(buffer)[aad + cipher.iv_size : end - 1 - buffer[end - 1]]


def _cut(sa, head, pieces, size, least):
    """Fragments of a chain of `size` bytes that comes in `pieces`: at least `least` of them, and all alike in length.

    `head` is (first payload, exchange, flags, message ID)."""
    cipher = sa.seal
    room = sa.fragment_size - _OVERHEAD - AAD - cipher.iv_size - cipher.icv_size
    room -= room % cipher.block_size + 1
    total = max(min(-(-size // room), _FRAGMENTS_MAX), least)
    part = -(-size // total)
    datagrams = []
    piece, at = b"", 0
    for number in range(1, total + 1):
        here = min(part, size - part * (number - 1))
        buffer, start = _frame(sa, head, number, total, here)
        end = start + here
        while start < end:
            if at == len(piece):
                piece, at = next(pieces), 0
            take = min(len(piece) - at, end - start)
            buffer[start : start + take] = memoryview(piece)[at : at + take]
            start += take
            at += take
        cipher.seal(buffer, AAD, len(buffer) - cipher.icv_size)
        datagrams.append(buffer)
        if sa.endpoint.trace:
            sa.endpoint.trace(event.FRAGMENT, sa.number, fragment.describe(True, buffer))
    return datagrams


def _frame(sa, head, number, total, size):
    """(buffer, start): a fragment that lacks only its `size` bytes of plaintext, which begin at `start`."""
    cipher = sa.seal
    first, exchange, flags, message_id = head
    start = AAD + cipher.iv_size
    padding = -(size + 1) % cipher.block_size
    end = start + size + padding + 1
    buffer = bytearray(end + cipher.icv_size)
    write_header(buffer, sa.spi_i, sa.spi_r, iana.SKF, exchange, flags, message_id, len(buffer))
    following = first if number == 1 else iana.NO_NEXT_PAYLOAD
    fragment.write(buffer, following, number, total)
    put_iv(sa, buffer, AAD)
    buffer[end - 1] = padding
    return buffer, start
