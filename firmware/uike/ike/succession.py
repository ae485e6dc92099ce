"""The succession of an IKE SA (RFC 7296 section 2.8): what the new one takes over when an old one was rekeyed."""

import struct

from uike import event
from uike.ike import keys
from uike.ike.sa import IkeSa
from uike.transient import load

SPI = 8  # bytes of an IKE SPI
LINGER_MS = 20_000  # until an SA that nobody deletes is forgotten
NO_COLLISION, WON, LOST = 0, 1, 2


def has_rival(sa):
    """Whether the peer replaced this IKE SA while we were doing so, and its replacement is there still."""
    return sa.rival and sa.rival[1].state == event.STATE_ESTABLISHED


def to_rival(sa):
    """What the peer replaced this IKE SA by takes its place; whether there is such a one."""
    found = has_rival(sa)
    if found:
        succeed(sa, sa.rival[1])
    return found


def successor(sa, initiator):
    """An IKE SA to replace `sa`, without keys yet."""
    endpoint = sa.endpoint
    fresh = IkeSa(endpoint, endpoint.next_number(), sa.connection, initiator, sa.local, sa.remote, endpoint.now)
    fresh.setup = None
    fresh.quiet = True
    if initiator:
        fresh.spi_i = endpoint.new_ike_spi()
    else:
        fresh.spi_r = endpoint.new_ike_spi()
    return fresh


def make_keys(sa, fresh, shared, nonces):
    """Keys for `fresh` from those of `sa`; from here on it takes messages."""
    # SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr)
    keys.make_ike_keys(fresh, sa.endpoint.crypto.prf(sa.prf, sa.sk_d, shared + nonces), nonces)
    fresh.become(event.STATE_ESTABLISHED)
    sa.endpoint.sas.append(fresh)


def succeed(sa, fresh, ours=False, collision=NO_COLLISION):
    """`fresh` takes the place of `sa`, which stays only for its Delete."""
    endpoint = sa.endpoint
    fresh.quiet = False
    fresh.peer_id, fresh.address, fresh.behind_nat, fresh.heard_at = sa.peer_id, sa.address, sa.behind_nat, sa.heard_at
    fresh.fragment_size, fresh.address6, fresh.single_pair = sa.fragment_size, sa.address6, sa.single_pair
    fresh.local, fresh.remote, fresh.mobike, fresh.peer_behind_nat = sa.local, sa.remote, sa.mobike, sa.peer_behind_nat
    fresh.auth_until, fresh.seen = sa.auth_until, sa.seen
    if sa.redirected:
        fresh.redirected = sa.redirected
    for each in endpoint.sas:
        if each.replaces is sa:
            each.replaces = fresh
    fresh.children, sa.children = sa.children, []
    for each in fresh.children:
        each.owner = fresh
    for lease in endpoint.leases:
        if lease[2] is sa:
            lease[2] = fresh
    endpoint.limit(fresh)
    sa.fresh = sa.rival = sa.rekey_at = None
    sa.waiting = []
    if sa.path:
        load("uike.ike.mobike").go_on(sa, fresh)
    if endpoint.trace:
        body = struct.pack(">HBB", fresh.number, ours, collision) + fresh.spi_i + fresh.spi_r
        endpoint.trace(event.IKE_REKEYED, sa.number, body)
    await_delete(sa)


def await_delete(sa):
    """The peer is to delete this SA, on which no verdict is due; it does not wait for ever."""
    sa.quiet = True
    if sa.state == event.STATE_ESTABLISHED:  # else the peer was faster than our exchange
        sa.become(event.STATE_DELETING)
    sa.expires_at = sa.endpoint.now + LINGER_MS
