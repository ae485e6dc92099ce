"""Authentication anew (RFC 4478, RFC 7296 section 2.8.3): a new IKE SA from the start in the place of an old one.

Only the initiator of a connection can do so: in time, when `reauth_time` or the peer's AUTH_LIFETIME says so, or when
its address changed and the peer has no MOBIKE. The new SA is up before the old one goes, and carries no
INITIAL_CONTACT, so the peer keeps both until then. A responder deletes a peer that lets its time run out.
"""

import struct

from uike import event, iana, reason
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_SOONEST_MS = 5_000
_RETRY_MS = 10_000
_LONGEST_MS = 1 << 29  # six days; a longer life is cut to this, and renewed more often than it must be


def grant(sa):
    """The responder's notify in IKE_AUTH: how long this authentication holds. A list of payloads."""
    life_ms = sa.connection.auth_lifetime_ms
    sa.auth_until = sa.endpoint.now + life_ms
    return [notify(iana.AUTH_LIFETIME, struct.pack(">I", life_ms // 1000))]


def plan(sa, message):
    """Sets when the initiator authenticates anew: a tenth to a fifth before the earliest of the times that it knows."""
    lives = [sa.connection.reauth_ms] if sa.connection.reauth_ms else []
    data = message.notify(iana.AUTH_LIFETIME)
    if data is not None and len(data) == 4:
        lives.append(max(_SOONEST_MS, min(struct.unpack_from(">I", data, 0)[0], _LONGEST_MS // 1000) * 1000))
    if lives:
        life_ms = min(lives)
        early = life_ms // 10 + sa.endpoint.random(1)[0] * life_ms // 2560
        at = sa.endpoint.now + life_ms - early
        sa.auth_until = at if sa.auth_until is None else min(at, sa.auth_until)


def due(sa):
    """The time has come."""
    if sa.connection.initiator:
        renew(sa)
    else:
        sa.endpoint.end(sa, Refusal(reason.NOT_REAUTHENTICATED), None, True)


def renew(sa):
    """Negotiates an IKE SA in the place of `sa`, from the address that is ours now."""
    endpoint = sa.endpoint
    sa.auth_until = None
    for other in endpoint.sas:
        if other.replaces is sa:
            return
    if endpoint.has_room():
        begin(endpoint, sa.connection, sa.local[0], sa.remote[0], sa)
    else:
        sa.auth_until = endpoint.now + _RETRY_MS


def begin(endpoint, connection, local, remote, old):
    """Starts an IKE SA that is to replace `old`, which may be None."""
    number = endpoint.connect(connection, local, remote, endpoint.now)
    for fresh in endpoint.sas:
        if fresh.number == number:
            fresh.replaces = old


def succeeded(fresh):
    """`fresh` is up with its Child SAs: those of the old one go with it. No verdict is due on that."""
    old, fresh.replaces = fresh.replaces, None
    if old.state != event.STATE_ESTABLISHED:
        return
    if fresh.endpoint.trace:
        fresh.endpoint.trace(event.REAUTHENTICATED, old.number, struct.pack(">H", fresh.number))
    old.quiet = True
    fresh.endpoint.end(old, Refusal(reason.REPLACED), None, True)
