"""The Configuration payload (RFC 7296 section 3.15, RFC 8598): inner addresses asked for, and assigned.

|   CFG Type    |                    RESERVED                   |
|R|         Attribute Type      |            Length             |   value
"""

import struct

from uike import event, iana, reason
from uike.wire.refusal import Refusal

_LEASES_MAX = 48  # more than there can be IKE SAs: the rest are kept for clients that may come back
_KEPT_MAX = 512  # bytes of attributes that we tell of
_VERSION = b"uike"

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
    return bytes((iana.CFG_REQUEST, 0, 0, 0)) + b"".join([_attribute(kind, own.get(kind, b"")) for kind in wanted])


def reply(sa, body):
    """Takes what the responder assigned; raises Refusal when there is no address in it."""
    kept = b""
    for kind, value in _parse(body, iana.CFG_REPLY) if body else ():
        if kind == iana.INTERNAL_IP4_ADDRESS and any(value) and not sa.address:
            sa.address = value
        elif kind == iana.INTERNAL_IP6_ADDRESS and any(value) and not sa.address6:
            sa.address6 = value[:16]
        elif kind in (iana.INTERNAL_IP4_ADDRESS, iana.INTERNAL_IP6_ADDRESS) or not value:
            continue
        if len(kept) + 4 + len(value) <= _KEPT_MAX:
            kept += _attribute(kind, value)
    if not sa.address and not sa.address6:
        raise Refusal(reason.NO_ADDRESS_ASSIGNED, iana.FAILED_CP_REQUIRED)
    sa.endpoint.assigned(sa, kept)


def assign(sa, body):
    """Payloads that answer the CP payload of an IKE_AUTH request, from the connection's pools: none when nothing was
    asked, or there is no pool. Raises Refusal when a pool has run out, or the client had to ask and did not."""
    connection = sa.connection
    asked = [kind for kind, _ in _parse(body, iana.CFG_REQUEST)] if body and body[0] == iana.CFG_REQUEST else []
    out = b""
    if connection.pool and iana.INTERNAL_IP4_ADDRESS in asked:
        sa.address = _lease(sa, connection.pool)
        out += _attribute(iana.INTERNAL_IP4_ADDRESS, sa.address)
        if iana.INTERNAL_IP4_NETMASK in asked:
            out += _attribute(iana.INTERNAL_IP4_NETMASK, connection.pool[2])
    if connection.pool6 and iana.INTERNAL_IP6_ADDRESS in asked:
        sa.address6 = _lease(sa, connection.pool6)
        out += _attribute(iana.INTERNAL_IP6_ADDRESS, sa.address6 + connection.pool6[2])
    if not out:
        if connection.require_cp:
            raise Refusal(reason.ADDRESS_NOT_ASKED, iana.FAILED_CP_REQUIRED)
        return answer(body) if body else []
    for server in connection.dns:
        if len(server) == 4 and sa.address:
            out += _attribute(iana.INTERNAL_IP4_DNS, server)
        elif len(server) == 16 and sa.address6:
            out += _attribute(iana.INTERNAL_IP6_DNS, server)
    for kind, value in _subnets(connection.local_ts):
        out += _attribute(kind, value) if kind in asked else b""
    if iana.INTERNAL_DNS_DOMAIN in asked:
        for name in connection.domains:
            out += _attribute(iana.INTERNAL_DNS_DOMAIN, name)
    if iana.APPLICATION_VERSION in asked:
        out += _attribute(iana.APPLICATION_VERSION, _VERSION)
    sa.endpoint.assigned(sa, out)
    return [(iana.CP, bytes((iana.CFG_REPLY, 0, 0, 0)) + out)]


def answer(body):
    """Payloads that answer a CP payload which assigns nothing: what we are, when asked; of a CFG_SET we take nothing,
    and say so; a CFG_REPLY or CFG_ACK answers no request of ours."""
    kind = body[0] if body else 0
    if kind == iana.CFG_SET:
        _parse(body, kind)
        return [(iana.CP, bytes((iana.CFG_ACK, 0, 0, 0)))]
    if kind == iana.CFG_REQUEST:
        for asked, _ in _parse(body, kind):
            if asked == iana.APPLICATION_VERSION:
                return [(iana.CP, bytes((iana.CFG_REPLY, 0, 0, 0)) + _attribute(asked, _VERSION))]
    return []


def _lease(sa, pool):
    """An address of `pool` for this SA: the one that its peer had before, a fresh one, or the one that was given back
    the longest time ago. Raises Refusal when all are in use."""
    leases = sa.endpoint.leases
    for lease in leases:  # it is about to replace an IKE SA: both hold the address until the other one goes
        other = lease[2]
        if (
            other
            and other.state != event.STATE_DELETING
            and other.peer_id == sa.peer_id
            and other.connection is sa.connection
            and _in(lease[0], pool)
        ):
            leases.append([lease[0], sa.peer_id, sa])
            return lease[0]
    idle = [lease for lease in leases if lease[2] is None or lease[2].state == event.STATE_DELETING]
    active = [lease[0] for lease in leases if lease not in idle]
    ours = [lease for lease in idle if _in(lease[0], pool) and lease[0] not in active]
    lease = None
    for each in ours:
        if each[1] == sa.peer_id:
            lease = each
    if not lease:
        if len(leases) >= _LEASES_MAX and idle:
            leases.remove(idle[0])
        address = _unused(leases, pool)
        if address:
            leases.append([address, sa.peer_id, sa])
            return address
        if not ours:
            raise Refusal(reason.POOL_EXHAUSTED, iana.INTERNAL_ADDRESS_FAILURE)
        lease = ours[0]
    lease[1:] = [sa.peer_id, sa]
    return lease[0]


def _in(address, pool):
    return len(address) == len(pool[0]) and pool[0] <= address <= pool[1]


def _unused(leases, pool):
    taken = [lease[0] for lease in leases]
    first = int.from_bytes(pool[0], "big")
    for number in range(min(int.from_bytes(pool[1], "big") - first, _LEASES_MAX) + 1):
        address = (first + number).to_bytes(len(pool[0]), "big")
        if address not in taken:
            return address
    return None


def _subnets(selectors):
    """(attribute type, value) of each selector that is a network, with all its ports: what a client should route."""
    found = []
    for selector in selectors:
        half = len(selector) // 2 + 4
        first, last = int.from_bytes(selector[8:half], "big"), int.from_bytes(selector[half:], "big")
        span = first ^ last
        if span & (span + 1) or first & span or selector[1] or selector[4:8] != b"\0\0\xff\xff":
            continue
        if half == 12:
            found.append((iana.INTERNAL_IP4_SUBNET, selector[8:half] + (0xFFFFFFFF ^ span).to_bytes(4, "big")))
        else:
            bits = 128
            while span:
                bits, span = bits - 1, span >> 1
            found.append((iana.INTERNAL_IP6_SUBNET, selector[8:half] + bytes((bits,))))
    return found


def _attribute(kind, value=b""):
    return struct.pack(">HH", kind, len(value)) + value


def _parse(body, wanted):
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
