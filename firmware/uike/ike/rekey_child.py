"""Rekeying of a Child SA (RFC 7296 sections 1.3.3, 2.8): it is replaced before its keys are worn out.

The new one is up before the old one goes. When both peers replace the same SA at once there are two new ones for a
moment: the one whose exchange had the lowest of the four nonces is deleted by the peer who asked for it, and the old
one by the other peer (section 2.8.1).
"""

from uike import event, iana, reason
from uike.ike import child, create, info
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_NONE, _WON, _LOST = 0, 1, 2  # of a collision


def replace(sa, old):
    """Replaces a Child SA."""
    if old not in sa.children or old.state != event.STATE_CHILD_INSTALLED:
        return  # the peer was faster
    old.state = event.STATE_CHILD_REKEYING
    offer = child.Offer(sa, old.policy, old, True)
    try:
        # HDR, SK {N(REKEY_SA), SA, Ni, [KEi,] TSi, TSr} -->
        #                                 <-- HDR, SK {SA, Nr, [KEr,] TSi, TSr}
        fresh = yield from create.negotiate(offer, [notify(iana.REKEY_SA, b"", iana.PROTO_ESP, old.spi_in)])
    except Refusal as refusal:
        yield from create.give_up(sa, offer, refusal)
        yield from _not_rekeyed(sa, old, refusal)
        return
    redundant = old
    collision = _NONE
    if old.rival:
        collision = _LOST if offer.lowest < old.rival[0] else _WON
        if collision == _LOST:
            redundant = fresh
            sa.endpoint.sad.prefer(old.rival[1])
    _trace_child(sa, old, fresh if redundant is old else old.rival[1], redundant is old, collision)
    old.rival = None
    if old.state == event.STATE_CHILD_REKEYING:
        old.state = event.STATE_CHILD_REKEYED
    if redundant in sa.children and redundant.state != event.STATE_CHILD_RETIRED:
        yield from _delete(sa, redundant)


def _not_rekeyed(sa, old, refusal):
    """The peer would not replace `old`."""
    if old not in sa.children:
        return
    if old.rival:  # but has done so itself, and may have deleted it since
        _trace_child(sa, old, old.rival[1], False, _NONE)
        old.rival = None
        if old.state == event.STATE_CHILD_REKEYING:
            old.state = event.STATE_CHILD_REKEYED
    elif refusal.reason == reason.CHILD_NOT_FOUND:  # section 2.25: then the peer has deleted it
        policy = old.policy
        sa.endpoint.child_down(sa, old, reason.DELETED_BY_PEER)
        yield from create.new_child(sa, policy)
    else:
        old.state = event.STATE_CHILD_INSTALLED
        sa.endpoint.retry(old)


def _delete(sa, redundant):
    redundant.state = event.STATE_CHILD_DELETING
    sa.endpoint.sad.retire(redundant)
    # HDR, SK {D} -->
    yield (iana.INFORMATIONAL, [info.delete_esp(redundant.spi_in)])
    #                <-- HDR, SK {[D]}
    info.retire(sa, redundant)


def replaced_by_peer(sa, old, fresh, lowest):
    """The peer asked for `fresh` in the place of `old`, with `lowest` as the lower nonce of that exchange."""
    sa.endpoint.sad.hold(fresh)
    old.rekey_at = None
    if old.state == event.STATE_CHILD_REKEYING:
        old.rival = (lowest, fresh)
        return
    old.state = event.STATE_CHILD_REKEYED
    _trace_child(sa, old, fresh, False, _NONE)


def _trace_child(sa, old, fresh, ours, collision):
    if sa.endpoint.trace:
        body = old.spi_in + fresh.spi_in + bytes((ours, collision))
        sa.endpoint.trace(event.CHILD_REKEYED, sa.number, body)
