"""Nonces and key exchanges: the Nonce and KE payloads (RFC 7296 sections 3.4, 3.9), and g^ir (section 2.12).

|   Key Exchange Method Num     |           RESERVED            |   KE: then the public value
"""

import struct

from uike import iana, reason
from uike.crypto import suites
from uike.wire.refusal import Refusal

NONCE = 32  # bytes: at least half the key of any PRF that we speak (section 2.10)
_NONCE_MIN = 16
_NONCE_MAX = 256


def build(group, exchange):
    """The KE payload as (type, body)."""
    return iana.KE, struct.pack(">HH", group, 0) + exchange.public


def read_nonce(message):
    """The Nonce payload's data, 16 to 256 bytes; raises Refusal."""
    nonce = message.body(iana.NONCE)
    if nonce is None or not _NONCE_MIN <= len(nonce) <= _NONCE_MAX:
        raise Refusal(reason.BAD_NONCE, iana.INVALID_SYNTAX)
    return nonce


def read(message, group):
    """The KE payload's public value, which must be of that group and of its size; raises Refusal, with
    INVALID_KE_PAYLOAD when the peer took another group (section 1.2)."""
    body = message.body(iana.KE)
    if body is None or len(body) < 4:
        raise Refusal(reason.BAD_KE_PAYLOAD, iana.INVALID_SYNTAX)
    if body[0] << 8 | body[1] != group:
        raise Refusal(reason.GROUP_REFUSED, iana.INVALID_KE_PAYLOAD, struct.pack(">H", group))
    if len(body) != 4 + suites.ke_size(group):
        raise Refusal(reason.BAD_KE_PAYLOAD, iana.INVALID_SYNTAX)
    return body[4:]


def agree(exchange, public, notify=iana.INVALID_SYNTAX):
    """g^ir of our key exchange, which is wiped, and the peer's public value. Raises Refusal for a degenerate one."""
    try:
        return exchange.shared(public)
    except ValueError:
        raise Refusal(reason.BAD_PUBLIC_VALUE, notify)
    finally:
        exchange.wipe()
