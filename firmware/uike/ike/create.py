"""The CREATE_CHILD_SA exchange from our side (RFC 7296 section 1.3.1): a further Child SA. For `rekey_child` too."""

from uike import iana, reason
from uike.ike import child, info, refused
from uike.wire import selectors
from uike.wire.refusal import Refusal


def new_child(sa, policy, packet=None, upper=0):
    """One more Child SA, for a policy of the configuration; `packet` is the inner one that asks for it, and `upper`
    what `ipsec.policy.upper` says of it."""
    first = None
    if packet:
        first = selectors.of_packet(packet, upper)
        local_ts, remote_ts = child.scope(sa, policy)
        if not selectors.within(first[:1], local_ts) or not selectors.within(first[1:], remote_ts):
            return
    for tries in (1, 2):
        offer = child.Offer(sa, policy, None, True, first)
        try:
            yield from negotiate(offer, [])
        except Refusal as refusal:
            if tries == 1 and first and refusal.reason == reason.SINGLE_PAIR_WANTED and not sa.single_pair:
                sa.single_pair = True
                continue
            yield from give_up(sa, offer, refusal)
        return


def negotiate(offer, before):
    """Asks for what `offer` holds; returns the Child SA, or raises Refusal."""
    try:
        for _ in range(refused.RESTARTS_MAX):
            # HDR, SK {[N(REKEY_SA),] SA, Ni, [KEi,] TSi, TSr} -->
            response = yield (iana.CREATE_CHILD_SA, before + offer.payloads())
            #                                 <-- HDR, SK {SA, Nr, [KEr,] TSi, TSr}
            wanted = response.notify(iana.INVALID_KE_PAYLOAD)
            if wanted is None:
                refused.check(response)
                return offer.accept(response)
            offer.change_group(wanted)
        raise Refusal(reason.GROUP_REFUSED, iana.INVALID_KE_PAYLOAD)
    finally:
        offer.forget()


def give_up(sa, offer, refusal):
    """Our request failed. When it was we who refused, the peer believes the Child SA to be up: it is deleted."""
    sa.endpoint.note(sa, refusal)
    if refusal.notify and refusal.reason not in (reason.PEER_ERROR, reason.GROUP_REFUSED):
        # HDR, SK {D} -->
        yield (iana.INFORMATIONAL, [info.delete_esp(offer.spi_in)])
        #                <-- HDR, SK {[D]}
