"""Inner addresses that a responder hands out (RFC 7296 sections 2.19, 3.15), and who has them. Loaded for IKE_AUTH."""

from uike import event, iana, reason
from uike.ike import cp
from uike.wire.refusal import Refusal

_LEASES_MAX = 48  # more than there can be IKE SAs: the rest are kept for clients that may come back


def assign(sa, body):
    """Payloads that answer the CP payload of an IKE_AUTH request, from the connection's pools: none when nothing was
    asked, or there is no pool. Raises Refusal when a pool has run out, or the client had to ask and did not."""
    connection = sa.connection
    asked = [kind for kind, _ in cp.parse(body, iana.CFG_REQUEST)] if body and body[0] == iana.CFG_REQUEST else []
    out = b""
    if connection.pool and iana.INTERNAL_IP4_ADDRESS in asked:
        sa.address = _lease(sa, connection.pool)
        out += cp.attribute(iana.INTERNAL_IP4_ADDRESS, sa.address)
        if iana.INTERNAL_IP4_NETMASK in asked:
            out += cp.attribute(iana.INTERNAL_IP4_NETMASK, connection.pool[2])
    if connection.pool6 and iana.INTERNAL_IP6_ADDRESS in asked:
        sa.address6 = _lease(sa, connection.pool6)
        out += cp.attribute(iana.INTERNAL_IP6_ADDRESS, sa.address6 + connection.pool6[2])
    if not out:
        if connection.require_cp:
            raise Refusal(reason.ADDRESS_NOT_ASKED, iana.FAILED_CP_REQUIRED)
        return cp.answer(body) if body else []
    for server in connection.dns:
        if len(server) == 4 and sa.address:
            out += cp.attribute(iana.INTERNAL_IP4_DNS, server)
        elif len(server) == 16 and sa.address6:
            out += cp.attribute(iana.INTERNAL_IP6_DNS, server)
    for kind, value in _subnets(connection.local_ts):
        out += cp.attribute(kind, value) if kind in asked else b""
    if iana.INTERNAL_DNS_DOMAIN in asked:
        for name in connection.domains:
            out += cp.attribute(iana.INTERNAL_DNS_DOMAIN, name)
    if iana.APPLICATION_VERSION in asked:
        out += cp.attribute(iana.APPLICATION_VERSION, cp.VERSION)
    sa.endpoint.assigned(sa, out)
    return [(iana.CP, bytes((iana.CFG_REPLY, 0, 0, 0)) + out)]


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
