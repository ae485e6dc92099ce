"""The peer's CREATE_CHILD_SA requests (RFC 7296 sections 1.3, 2.25): an SA more, or one in the place of another."""

from uike import event, iana, reason
from uike.ike import ke
from uike.transient import load
from uike.wire import proposals
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_CHILDREN_MAX = 12


def respond(sa, request):
    """Answers the peer's request; returns the payloads of the response."""
    if sa.state != event.STATE_ESTABLISHED or sa.quiet:  # or it may yet be of no use (section 2.8.2)
        raise Refusal(reason.BUSY, iana.TEMPORARY_FAILURE)
    if request.body(iana.TSi) is None or request.body(iana.TSr) is None:
        return _ike(sa, request)
    return _child(sa, request)


def _child(sa, request):
    if sa.fresh:  # section 2.25.2
        raise Refusal(reason.REKEY_COLLISION, iana.TEMPORARY_FAILURE)
    if len(sa.children) >= _CHILDREN_MAX:
        raise Refusal(reason.TOO_MANY_CHILDREN, iana.NO_ADDITIONAL_SAS)
    # HDR, SK {[N(REKEY_SA),] SA, Ni, [KEi,] TSi, TSr} -->
    spi = _rekeyed(request)
    old = None
    for each in sa.children if spi else ():
        if each.spi_out == spi and each.state != event.STATE_CHILD_RETIRED:
            old = each
    if spi and not old:
        sa.endpoint.note(sa, Refusal(reason.CHILD_NOT_FOUND, iana.CHILD_SA_NOT_FOUND, spi))
        return [notify(iana.CHILD_SA_NOT_FOUND, b"", iana.PROTO_ESP, spi)]
    if old and (old.state in (event.STATE_CHILD_REKEYED, event.STATE_CHILD_DELETING) or old.rival):
        raise Refusal(reason.REKEY_COLLISION, iana.TEMPORARY_FAILURE)
    #                                 <-- HDR, SK {SA, Nr, [KEr,] TSi, TSr}
    fresh, payloads = load("uike.ike.child").answer(sa, request, old, True)
    if old:
        load("uike.ike.rekey_child").replaced_by_peer(sa, old, fresh, min(request.body(iana.NONCE), payloads[1][1]))
    return payloads


def _ike(sa, request):
    """The peer replaces the IKE SA; returns the payloads of the response."""
    succession = load("uike.ike.succession")
    # HDR, SK {SA, Ni, KEi} -->
    offered = proposals.parse(request.body(iana.SA))
    if not sa.fresh and _busy(sa):  # section 2.25.2
        raise Refusal(reason.REKEY_COLLISION, iana.TEMPORARY_FAILURE)
    if sa.rival or not sa.endpoint.has_room():
        raise Refusal(reason.BUSY, iana.TEMPORARY_FAILURE)
    chosen = proposals.choose(offered, sa.connection.proposals, iana.PROTO_IKE, succession.SPI)
    if not chosen or chosen[1] == bytes(succession.SPI):
        raise Refusal(reason.NO_COMMON_PROPOSAL, iana.NO_PROPOSAL_CHOSEN)
    number, spi_i, transforms = chosen
    nonce_i, nonce_r = ke.read_nonce(request), sa.endpoint.random(ke.NONCE)
    group = proposals.get(transforms, iana.KE_METHOD)[0]
    theirs = ke.read(request, group)
    exchange = sa.endpoint.crypto.key_exchange(group, sa.endpoint.random)
    ours = ke.build(group, exchange)
    shared = ke.agree(exchange, theirs)
    fresh = succession.successor(sa, False)
    fresh.spi_i, fresh.transforms = spi_i, transforms
    succession.make_keys(sa, fresh, shared, nonce_i + nonce_r)
    if sa.fresh:
        sa.rival = (min(nonce_i, nonce_r), fresh)
    else:
        succession.succeed(sa, fresh)
    #                       <-- HDR, SK {SA, Nr, KEr}
    answer = proposals.build([transforms], iana.PROTO_IKE, fresh.spi_r, number)
    said = load("uike.ike.crash").offer(fresh) if sa.connection.crash_detection else []
    return [(iana.SA, answer), (iana.NONCE, nonce_r), ours] + said


def _busy(sa):
    """Whether we are creating, rekeying or deleting a Child SA."""
    if sa.task and sa.exchange == iana.CREATE_CHILD_SA:
        return True
    return bool([1 for each in sa.children if each.state in (event.STATE_CHILD_REKEYING, event.STATE_CHILD_DELETING)])


def _rekeyed(request):
    """SPI in the REKEY_SA notify, or None: protocol(1) SPI size(1) type(2) SPI (RFC 7296 section 3.10)."""
    buffer = request.buffer
    for kind, start, _ in request.payloads:
        if kind == iana.N and buffer[start + 2] << 8 | buffer[start + 3] == iana.REKEY_SA:
            return bytes(buffer[start + 4 : start + 4 + buffer[start + 1]])
    return None
