"""The Encrypted payload, SK {...}: RFC 7296 section 3.14, and RFC 5282 for the AEADs.

   | HDR | SK header (4) | IV | payloads, padding, Pad Length (1) | ICV |

Everything before the IV is authenticated; the ciphers of `uike.crypto` work on the message where it lies.
"""

from uike import iana, reason
from uike.wire.message import HEADER, chain_size, write_chain, write_header
from uike.wire.refusal import Refusal

_AAD = HEADER + 4
_IV_COUNTER_END = 1 << 62


def seal(sa, exchange, response, message_id, payloads):
    """The datagram (without the non-ESP marker) that carries `payloads` encrypted under `sa`."""
    cipher = sa.seal
    inside = chain_size(payloads)
    padding = -(inside + 1) % cipher.block_size
    end = _AAD + cipher.iv_size + inside + padding + 1
    buffer = bytearray(end + cipher.icv_size)
    flags = (iana.FLAG_INITIATOR if sa.initiator else 0) | (iana.FLAG_RESPONSE if response else 0)
    write_header(buffer, sa.spi_i, sa.spi_r, iana.SK, exchange, flags, message_id, len(buffer))
    size = len(buffer) - HEADER
    buffer[HEADER] = payloads[0][0] if payloads else iana.NO_NEXT_PAYLOAD
    buffer[HEADER + 2] = size >> 8
    buffer[HEADER + 3] = size & 255
    buffer[_AAD : _AAD + cipher.iv_size] = _iv(sa, cipher)
    write_chain(buffer, _AAD + cipher.iv_size, payloads)
    buffer[end - 1] = padding
    cipher.seal(buffer, _AAD, end)
    return buffer


def _iv(sa, cipher):
    """A counter for an AEAD, which must never see an IV twice; unpredictable for CBC."""
    if cipher.block_size > 1:
        return sa.endpoint.random(cipher.iv_size)
    sa.iv += 1
    if sa.iv >= _IV_COUNTER_END:
        raise ValueError("IKE SA: no IV left")
    return sa.iv.to_bytes(8, "big")


def open(sa, message):
    """Decrypts `message` in its buffer and reads its payloads. Raises Refusal; `authentic` tells whether the ICV was
    right, and so whose mistake it is."""
    buffer = message.buffer
    cipher = sa.open
    if message.first != iana.SK or cipher is None or len(buffer) < _AAD:
        raise Refusal(reason.NOT_ENCRYPTED)
    end = len(buffer) - cipher.icv_size
    start = _AAD + cipher.iv_size
    if buffer[HEADER + 2] << 8 | buffer[HEADER + 3] != len(buffer) - HEADER or end < start + 1:
        raise Refusal(reason.PAYLOAD_LENGTH)
    if not cipher.open(buffer, _AAD, end):
        raise Refusal(reason.BAD_ICV)
    message.authentic = True
    end -= 1 + buffer[end - 1]
    if end < start:
        raise Refusal(reason.BAD_PADDING, iana.INVALID_SYNTAX)
    message.first = buffer[HEADER]
    message.read(message.first, start, end)
