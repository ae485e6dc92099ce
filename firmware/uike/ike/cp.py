"""The Configuration payload (RFC 7296 section 3.15): an inner address asked for, and assigned.

|   CFG Type    |                    RESERVED                   |
|R|         Attribute Type      |            Length             |   value
"""

import struct

from uike import iana, reason
from uike.wire.refusal import Refusal

_DNS_MAX = 4


def request(address):
    """Body of a CFG_REQUEST for an address, its netmask and name servers: empty attributes, but for the `address` that
    we have and would like to keep (four bytes, or None)."""
    wanted = struct.pack(">HH", iana.INTERNAL_IP4_ADDRESS, len(address or b"")) + (address or b"")
    for kind in (iana.INTERNAL_IP4_NETMASK, iana.INTERNAL_IP4_DNS):
        wanted += struct.pack(">HH", kind, 0)
    return bytes((iana.CFG_REQUEST, 0, 0, 0)) + wanted


def reply(sa, body):
    """Takes what the responder assigned; raises Refusal when there is no address in it."""
    attributes = _parse(body, iana.CFG_REPLY) if body else []
    address = netmask = None
    servers = b""
    for kind, value in attributes:
        if len(value) == 4 and kind == iana.INTERNAL_IP4_ADDRESS and address is None:
            address = value
        elif len(value) == 4 and kind == iana.INTERNAL_IP4_NETMASK:
            netmask = value
        elif len(value) == 4 and kind == iana.INTERNAL_IP4_DNS and len(servers) < 4 * _DNS_MAX:
            servers += value
    if address is None or address == bytes(4):
        raise Refusal(reason.NO_ADDRESS_ASSIGNED, iana.FAILED_CP_REQUIRED)
    sa.address = address
    sa.endpoint.assigned(sa, address, netmask or b"\xff\xff\xff\xff", servers)


def _kept(sa):
    """The address that this peer has already on another IKE SA of the connection, which it is about to replace: both
    hold it until the other one goes. None for a peer that is new."""
    leases = sa.endpoint.leases
    for address, other in leases:
        if other.peer_id == sa.peer_id and other.connection is sa.connection:
            leases.append((address, sa))
            return address
    return None


def assign(sa, body):
    """Payloads that answer a CFG_REQUEST from the connection's pool: none when nothing was asked, or there is no pool.

    Raises Refusal when the pool has run out."""
    pool = sa.connection.pool
    if body is None:
        return []
    asked = [kind for kind, value in _parse(body, iana.CFG_REQUEST)]
    if pool is None or iana.INTERNAL_IP4_ADDRESS not in asked:
        return []
    sa.address = _kept(sa) or sa.endpoint.lease(sa, pool)
    if sa.address is None:
        raise Refusal(reason.POOL_EXHAUSTED, iana.INTERNAL_ADDRESS_FAILURE)
    servers = b"".join(sa.connection.dns)
    out = struct.pack(">BBHHH", iana.CFG_REPLY, 0, 0, iana.INTERNAL_IP4_ADDRESS, 4) + sa.address
    if iana.INTERNAL_IP4_NETMASK in asked:
        out += struct.pack(">HH", iana.INTERNAL_IP4_NETMASK, 4) + pool[2]
    for at in range(0, len(servers), 4):
        out += struct.pack(">HH", iana.INTERNAL_IP4_DNS, 4) + servers[at : at + 4]
    sa.endpoint.assigned(sa, sa.address, pool[2], servers)
    return [(iana.CP, out)]


def _parse(body, wanted):
    """Attributes as (type, value), when the payload is of the `wanted` kind; raises Refusal."""
    if len(body) < 4 or body[0] != wanted:
        raise Refusal(reason.BAD_CP_PAYLOAD, iana.INVALID_SYNTAX)
    found = []
    at = 4
    while at < len(body):
        if len(body) - at < 4:
            raise Refusal(reason.BAD_CP_PAYLOAD, iana.INVALID_SYNTAX)
        kind, size = struct.unpack_from(">HH", body, at)
        at += 4
        if size > len(body) - at:
            raise Refusal(reason.BAD_CP_PAYLOAD, iana.INVALID_SYNTAX)
        found.append((kind & 0x7FFF, body[at : at + size]))
        at += size
    return found
