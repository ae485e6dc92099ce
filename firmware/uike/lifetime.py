"""When SAs are to be rekeyed, and when they end (RFC 7296 section 2.8): in time, packets and bytes.

Soft limits start a rekeying, early by up to a tenth so that both peers and many boards do not do so at once; what is
still there a tenth after the full time ends. Called by the endpoint.
"""

from uike import event, reason
from uike.ike import exchange
from uike.transient import load

RETRY_MS = 10_000  # until a refused rekeying is tried again, on average
_EARLY = 2_560  # 255 of them are a tenth


def begin(sa_or_child, rekey_ms, random, now):
    """Sets both limits in time; 0 is never."""
    if rekey_ms:
        sa_or_child.rekey_at = now + rekey_ms - random(1)[0] * rekey_ms // _EARLY
        sa_or_child.expires_at = now + rekey_ms + rekey_ms // 10


def retry(sa_or_child, random, now):
    """The peer would not, or not now: once more a little later."""
    sa_or_child.rekey_at = now + RETRY_MS // 2 + random(1)[0] * RETRY_MS // 256


def deadline(sa):
    """When `tick` wants to be called for this SA; None for not at all."""
    due = None
    if sa.state == event.STATE_ESTABLISHED and not sa.task:
        due = sa.rekey_at
        if due is None or sa.auth_until is not None and sa.auth_until < due:
            due = sa.auth_until
        for child in sa.children:
            for at in (child.rekey_at, child.expires_at):
                if at is not None and (due is None or at < due):
                    due = at
    return due


def tick(sa, now):
    """Starts what is due, one exchange at a time."""
    for child in list(sa.children):
        if child.state == event.STATE_CHILD_RETIRED and now >= child.expires_at:
            sa.endpoint.child_down(sa, child, reason.REKEYED)
    if sa.state != event.STATE_ESTABLISHED or sa.task:
        return
    if sa.auth_until is not None and now >= sa.auth_until:
        load("uike.ike.reauth").due(sa)
        return
    if sa.rekey_at is not None and now >= sa.rekey_at:
        sa.rekey_at = None
        exchange.start(sa, load("uike.ike.rekey_ike").replace(sa), now)
        return
    for child in sa.children:
        if child.expires_at is not None and now >= child.expires_at:
            child.expires_at = None
            exchange.start(sa, load("uike.ike.info").delete_child(sa, child, reason.EXPIRED), now)
            return
        if child.rekey_at is not None and now >= child.rekey_at:
            child.rekey_at = None
            exchange.start(sa, load("uike.ike.rekey_child").replace(sa, child), now)
            return


def count(child, now):
    """A packet went through: rekeys at the soft limit, and returns False past the hard one."""
    used = child.used()
    if used and not child.worn:
        child.worn = True
        if child.state == event.STATE_CHILD_INSTALLED:
            child.rekey_at = now  # if that is refused, `retry` has the word
    return used < 2
