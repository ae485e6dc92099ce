"""The Configuration payload (RFC 7296 section 3.15, RFC 8598): inner addresses asked for, and assigned.

|   CFG Type    |                    RESERVED                   |
|R|         Attribute Type      |            Length             |   value
"""

import struct

from uike import iana, reason
from uike.wire.refusal import Refusal

_KEPT_MAX = 512  # bytes of attributes that we tell of
VERSION = b"uike"

# Lengths of the values that we know; every one may be empty in a request
_SIZES = {
    iana.INTERNAL_IP4_ADDRESS: 4,
    iana.INTERNAL_IP4_NETMASK: 4,
    iana.INTERNAL_IP4_DNS: 4,
    iana.INTERNAL_IP4_SUBNET: 8,
    iana.INTERNAL_IP6_ADDRESS: 17,
    iana.INTERNAL_IP6_DNS: 16,
    iana.INTERNAL_IP6_SUBNET: 17,
    iana.INTERNAL_DNS_DOMAIN: 0,  # any
    iana.APPLICATION_VERSION: 0,
}
_IPV4 = (iana.INTERNAL_IP4_ADDRESS, iana.INTERNAL_IP4_NETMASK, iana.INTERNAL_IP4_DNS, iana.INTERNAL_IP4_SUBNET)
_IPV6 = (iana.INTERNAL_IP6_ADDRESS, iana.INTERNAL_IP6_DNS, iana.INTERNAL_IP6_SUBNET)


def request(connection, address):
    """Body of a CFG_REQUEST for an address of each family that the connection has traffic of, and more: empty
    attributes, but for the IPv4 `address` that we have and would like to keep (four bytes, or None)."""
    sizes = [len(selector) for policy in connection.policies() for selector in policy.remote_ts]
    wanted = (_IPV4 if 16 in sizes else ()) + (_IPV6 if 40 in sizes else ()) + (iana.INTERNAL_DNS_DOMAIN,)
    own = {iana.INTERNAL_IP4_ADDRESS: address or b""}
    return bytes((iana.CFG_REQUEST, 0, 0, 0)) + b"".join([attribute(kind, own.get(kind, b"")) for kind in wanted])


def reply(sa, body):
    """Takes what the responder assigned; raises Refusal when there is no address in it."""
    kept = b""
    for kind, value in parse(body, iana.CFG_REPLY) if body else ():
        if kind == iana.INTERNAL_IP4_ADDRESS and any(value) and not sa.address:
            sa.address = value
        elif kind == iana.INTERNAL_IP6_ADDRESS and any(value) and not sa.address6:
            sa.address6 = value[:16]
        elif kind in (iana.INTERNAL_IP4_ADDRESS, iana.INTERNAL_IP6_ADDRESS) or not value:
            continue
        if len(kept) + 4 + len(value) <= _KEPT_MAX:
            kept += attribute(kind, value)
    if not sa.address and not sa.address6:
        raise Refusal(reason.NO_ADDRESS_ASSIGNED, iana.FAILED_CP_REQUIRED)
    sa.endpoint.assigned(sa, kept)


def answer(body):
    """Payloads that answer a CP payload which assigns nothing: what we are, when asked; of a CFG_SET we take nothing,
    and say so; a CFG_REPLY or CFG_ACK answers no request of ours."""
    kind = body[0] if body else 0
    if kind == iana.CFG_SET:
        parse(body, kind)
        return [(iana.CP, bytes((iana.CFG_ACK, 0, 0, 0)))]
    if kind == iana.CFG_REQUEST:
        for asked, _ in parse(body, kind):
            if asked == iana.APPLICATION_VERSION:
                return [(iana.CP, bytes((iana.CFG_REPLY, 0, 0, 0)) + attribute(asked, VERSION))]
    return []


def attribute(kind, value=b""):
    return struct.pack(">HH", kind, len(value)) + value


def parse(body, wanted):
    """Attributes that we know, as (type, value), when the payload is of the `wanted` kind; raises Refusal."""
    if len(body) < 4 or body[0] != wanted:
        raise Refusal(reason.BAD_CP_PAYLOAD, iana.INVALID_SYNTAX)
    found = []
    at = 4
    while at < len(body):
        if len(body) - at < 4:
            raise Refusal(reason.BAD_CP_PAYLOAD, iana.INVALID_SYNTAX)
        kind, size = struct.unpack_from(">HH", body, at)
        kind &= 0x7FFF
        at += 4
        right = _SIZES.get(kind)
        if size > len(body) - at or right and size and size != right:
            raise Refusal(reason.BAD_CP_PAYLOAD, iana.INVALID_SYNTAX)
        if right is not None:
            found.append((kind, body[at : at + size]))
        at += size
    return found
