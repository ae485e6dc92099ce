"""The Encrypted payload, SK {...}: RFC 7296 section 3.14, and RFC 5282 for the AEADs.

   | HDR | SK header (4) | IV | payloads, padding, Pad Length (1) | ICV |

Its fragments, SKF {...} (RFC 7383), have four bytes more before the IV. What is done with them is in `ike/fragment` and
`ike/reassembly`; their ICV is checked here.

Everything before the IV is authenticated; the ciphers of `uike.crypto` work on the message where it lies.
"""

from uike import iana, reason
from uike.transient import load
from uike.wire.message import HEADER, chain_size, write_chain, write_header
from uike.wire.refusal import Refusal

_AAD = 32  # IKE header and that of the payload
_AAD_SKF = 36
_OVERHEAD = 32  # IPv4 and UDP headers, non-ESP marker
_IV_COUNTER_END = 1 << 62


def seal(sa, exchange, response, message_id, payloads):
    """The datagrams (without the non-ESP marker) that carry `payloads` encrypted under `sa`: one, or its fragments."""
    cipher = sa.seal
    inside = chain_size(payloads)
    padding = -(inside + 1) % cipher.block_size
    end = _AAD + cipher.iv_size + inside + padding + 1
    if 0 < sa.fragment_size < _OVERHEAD + end + cipher.icv_size:
        return load("uike.ike.fragment").split(sa, exchange, response, message_id, payloads)
    buffer = bytearray(end + cipher.icv_size)
    flags = (iana.FLAG_INITIATOR if sa.initiator else 0) | (iana.FLAG_RESPONSE if response else 0)
    write_header(buffer, sa.spi_i, sa.spi_r, iana.SK, exchange, flags, message_id, len(buffer))
    size = len(buffer) - HEADER
    buffer[HEADER] = payloads[0][0] if payloads else iana.NO_NEXT_PAYLOAD
    buffer[HEADER + 2] = size >> 8
    buffer[HEADER + 3] = size & 255
    put_iv(sa, buffer, _AAD)
    write_chain(buffer, _AAD + cipher.iv_size, payloads)
    buffer[end - 1] = padding
    cipher.seal(buffer, _AAD, end)
    return [buffer]


def put_iv(sa, buffer, at):
    """A counter for an AEAD, which must never see an IV twice; unpredictable for CBC."""
    size = sa.seal.iv_size
    if sa.seal.block_size > 1:
        buffer[at : at + size] = sa.endpoint.random(size)
        return
    sa.iv += 1
    if sa.iv >= _IV_COUNTER_END:
        raise ValueError("IKE SA: no IV left")
    buffer[at : at + size] = sa.iv.to_bytes(8, "big")


def open(sa, message):
    """Decrypts `message` in its buffer and reads its payloads; a fragment is kept until all are there.

    Returns whether `message` is whole. Raises Refusal; `authentic` tells whether the ICV of a whole message was right,
    and so whose mistake it is."""
    start, end = unlock(sa, message)
    if message.first == iana.SKF:
        return load("uike.ike.reassembly").add(sa, message, start, end)
    message.authentic = True
    if end < start:
        raise Refusal(reason.BAD_PADDING, iana.INVALID_SYNTAX)
    sa.fragments.pop(message.response, None)  # it came in one piece after all
    message.first = message.buffer[HEADER]
    message.read(message.first, start, end)
    return True


def unlock(sa, message):
    """Checks the ICV of a message or fragment, and decrypts it in its buffer: (start, end) of the plaintext without its
    padding. An `end` before `start` tells of impossible padding. Raises Refusal."""
    buffer = message.buffer
    cipher = sa.open
    aad = _AAD
    if message.first == iana.SKF:
        aad = _AAD_SKF
        if not sa.fragment_size:
            raise Refusal(reason.FRAGMENT)
    elif message.first != iana.SK:
        cipher = None
    if cipher is None or len(buffer) < aad:
        raise Refusal(reason.NOT_ENCRYPTED)
    end = len(buffer) - cipher.icv_size
    start = aad + cipher.iv_size
    if buffer[HEADER + 2] << 8 | buffer[HEADER + 3] != len(buffer) - HEADER or end < start + 1:
        raise Refusal(reason.PAYLOAD_LENGTH)
    if not cipher.open(buffer, aad, end):
        raise Refusal(reason.BAD_ICV)
    end -= 1 + buffer[end - 1]
    return start, end
