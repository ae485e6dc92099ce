"""Rekeying (RFC 7296 sections 1.3.2, 1.3.3, 2.8): a Child SA or the IKE SA is replaced before its keys are worn out.

The new one is up before the old one goes. When both peers replace the same SA at once there are two new ones for a
moment: the one whose exchange had the lowest of the four nonces is deleted by the peer who asked for it, and the old
one by the other peer (section 2.8.1).
"""

import struct

from uike import event, iana, reason
from uike.ike import child, create, exchange, info, ke, keys
from uike.ike.sa import IkeSa
from uike.transient import load
from uike.wire import proposals
from uike.wire.message import notify
from uike.wire.refusal import Refusal

SPI = 8  # bytes of an IKE SPI
LINGER_MS = 20_000  # until an SA that nobody deletes is forgotten
_NONE, _WON, _LOST = 0, 1, 2  # of a collision


def rekey_child(sa, old):
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


# -- the IKE SA ------------------------------------------------------------------------------------------------------


def rekey_ike(sa):
    """Replaces the IKE SA; its Child SAs move to the new one."""
    offers, endpoint = sa.connection.proposals, sa.endpoint
    fresh = sa.fresh = successor(sa, True)
    nonce = endpoint.random(ke.NONCE)
    group = proposals.get(sa.transforms, iana.KE_METHOD)[0]
    try:
        for _ in range(create.RESTARTS_MAX):
            secret = sa.secret = endpoint.crypto.key_exchange(group, endpoint.random)
            # HDR, SK {SA, Ni, KEi} -->
            offer = (iana.SA, proposals.build(offers, iana.PROTO_IKE, fresh.spi_i))
            response = yield (iana.CREATE_CHILD_SA, [offer, (iana.NONCE, nonce), ke.build(group, secret)])
            #                       <-- HDR, SK {SA, Nr, KEr}
            wanted = response.notify(iana.INVALID_KE_PAYLOAD)
            if wanted is None:
                break
            secret.wipe()
            group = wanted[0] << 8 | wanted[1] if len(wanted) == 2 else 0
            if not [1 for row in offers if (iana.KE_METHOD, group, 0) in row]:
                raise Refusal(reason.GROUP_REFUSED, 0, wanted)
        create.check(response)
        chosen = proposals.accepted(proposals.parse(response.body(iana.SA)), offers, iana.PROTO_IKE, SPI)
        if not chosen or chosen[0] == bytes(SPI):
            raise Refusal(reason.PEER_CHOSE_UNOFFERED)
        fresh.spi_r, fresh.transforms = chosen
        if proposals.get(fresh.transforms, iana.KE_METHOD)[0] != group:
            raise Refusal(reason.BAD_KE_PAYLOAD)
        theirs = ke.read_nonce(response)
        shared = ke.agree(secret, ke.read(response, group))
    except Refusal as refusal:
        secret.wipe()
        sa.fresh = None
        endpoint.forget(fresh)
        endpoint.note(sa, refusal)
        if has_rival(sa):
            succeed(sa, sa.rival[1])
        else:
            endpoint.retry(sa)
        return
    make_keys(sa, fresh, shared, nonce + theirs)
    sa.fresh = None
    if sa.state != event.STATE_ESTABLISHED:  # it was closed in the meantime, and so is what was to replace it
        _discard(fresh)
        return
    if has_rival(sa) and min(nonce, theirs) < sa.rival[0]:
        succeed(sa, sa.rival[1], False, _LOST)  # the peer deletes the old one, and we our redundant one
        _discard(fresh)
        return
    collision = _NONE
    if sa.rival:
        collision = _WON
        _await_delete(sa.rival[1])
    succeed(sa, fresh, True, collision)
    if fresh.connection.crash_detection:
        crash = load("uike.ike.crash")
        crash.take(fresh, response)
        crash.renew(fresh)
    # HDR, SK {D} -->
    yield (iana.INFORMATIONAL, [(iana.D, struct.pack(">BBH", iana.PROTO_IKE, 0, 0))])
    #                <-- HDR, SK {}
    endpoint.forget(sa)


def has_rival(sa):
    """Whether the peer replaced this IKE SA while we were doing so, and its replacement is there still."""
    return sa.rival and sa.rival[1].state == event.STATE_ESTABLISHED


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


def succeed(sa, fresh, ours=False, collision=_NONE):
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
    _await_delete(sa)


def _await_delete(sa):
    """The peer is to delete this SA, on which no verdict is due; it does not wait for ever."""
    sa.quiet = True
    if sa.state == event.STATE_ESTABLISHED:  # else the peer was faster than our exchange
        sa.become(event.STATE_DELETING)
    sa.expires_at = sa.endpoint.now + LINGER_MS


def _discard(fresh):
    """A successor of ours that is of no use: the peer's own stays."""
    fresh.become(event.STATE_DELETING)
    exchange.start(fresh, info.delete(fresh, []), fresh.endpoint.now)
