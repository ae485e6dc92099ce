"""Rekeying of the IKE SA (RFC 7296 sections 1.3.2, 2.8): it is replaced before its keys are worn out.

When both peers do so at once, the collision is resolved as that of `uike.ike.rekey_child`.
"""

import struct

from uike import event, iana, reason
from uike.ike import exchange, info, ke, refused, succession
from uike.transient import load
from uike.wire import proposals
from uike.wire.refusal import Refusal


def replace(sa):
    """Replaces the IKE SA; its Child SAs move to the new one."""
    offers, endpoint = sa.connection.proposals, sa.endpoint
    fresh = sa.fresh = succession.successor(sa, True)
    nonce = endpoint.random(ke.NONCE)
    group = proposals.get(sa.transforms, iana.KE_METHOD)[0]
    try:
        for _ in range(refused.RESTARTS_MAX):
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
        refused.check(response)
        chosen = proposals.accepted(proposals.parse(response.body(iana.SA)), offers, iana.PROTO_IKE, succession.SPI)
        if not chosen or chosen[0] == bytes(succession.SPI):
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
        if not succession.to_rival(sa):
            endpoint.retry(sa)
        return
    succession.make_keys(sa, fresh, shared, nonce + theirs)
    sa.fresh = None
    if sa.state != event.STATE_ESTABLISHED:  # it was closed in the meantime, and so is what was to replace it
        _discard(fresh)
        return
    if succession.has_rival(sa) and min(nonce, theirs) < sa.rival[0]:
        # the peer deletes the old one, and we our redundant one
        succession.succeed(sa, sa.rival[1], False, succession.LOST)
        _discard(fresh)
        return
    collision = succession.NO_COLLISION
    if sa.rival:
        collision = succession.WON
        succession.await_delete(sa.rival[1])
    succession.succeed(sa, fresh, True, collision)
    if fresh.connection.crash_detection:
        crash = load("uike.ike.crash")
        crash.take(fresh, response)
        crash.renew(fresh)
    # HDR, SK {D} -->
    yield (iana.INFORMATIONAL, [(iana.D, struct.pack(">BBH", iana.PROTO_IKE, 0, 0))])
    #                <-- HDR, SK {}
    endpoint.forget(sa)


def _discard(fresh):
    """A successor of ours that is of no use: the peer's own stays."""
    fresh.become(event.STATE_DELETING)
    exchange.start(fresh, info.delete(fresh, []), fresh.endpoint.now)
