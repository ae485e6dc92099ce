"""MOBIKE (RFC 4555): the initiator's outer address changes, and its SAs go with it.

The initiator decides, and uses its new address at once. The responder sends nothing but IKE requests to an address that
it was told of before the peer has answered from there, with a cookie that only it can know (section 3.7). Without
MOBIKE a new IKE SA is negotiated in the place of the old one (`ike/reauth`).

Initiator means the one of the connection: after a rekeying the other side may be it in the IKE SA (section 3.3).
"""

import struct

from uike import event, iana, reason
from uike.crypto import equal
from uike.ike import exchange, natd
from uike.ike.path import Path, move
from uike.transient import load
from uike.wire.address import pack
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_COOKIE = 16
_COOKIE_MIN = 8
_COOKIE_MAX = 64


# -- the initiator ---------------------------------------------------------------------------------------------------


def leave(endpoint, local):
    """Our address is now `local`, a text: every SA of an initiator goes there. Called by the endpoint."""
    for sa in list(endpoint.sas):
        if sa.connection.initiator and sa.local[0] != local:
            _leave(endpoint, sa, local)


def _leave(endpoint, sa, local):
    if sa.state == event.STATE_INIT or sa.state == event.STATE_AUTH:  # nothing to keep: begin again
        old, sa.replaces = sa.replaces, None
        endpoint.forget(sa)
        load("uike.ike.reauth").begin(endpoint, sa.connection, local, sa.remote[0], old)
        return
    move(sa, (local, sa.local[1]), sa.remote)
    if sa.state != event.STATE_ESTABLISHED or sa.quiet:
        if sa.last_response:  # the peer may still wait for it, at an address that is no more: so it knows a successor
            endpoint.send(sa, sa.last_response, endpoint.now)
        return
    if not sa.mobike:
        load("uike.ike.reauth").renew(sa)
        return
    if sa.request:  # it is sent again from the new address (section 3.5)
        sa.tries = 1
        sa.retransmit_at = endpoint.now
    pending, sa.path = sa.path, Path(sa.local, sa.remote)
    if not pending:
        exchange.start(sa, update(sa), endpoint.now)


def update(sa):
    """Tells the peer that `sa.path` is the way to go, until it has heard of the newest."""
    while sa.path:
        path = sa.path
        # HDR, SK {N(UPDATE_SA_ADDRESSES), N(NATD_S), N(NATD_D)} -->
        response = yield (iana.INFORMATIONAL, [notify(iana.UPDATE_SA_ADDRESSES)] + natd.notifies(sa))
        #                <-- HDR, SK {[N(COOKIE2),] N(NATD_S), N(NATD_D)}
        if sa.path and sa.path is not path:
            continue
        sa.path = None
        error = response.error()
        if error:
            sa.endpoint.note(sa, Refusal(reason.PEER_REFUSED_ADDRESS, error[0]))
            load("uike.ike.reauth").renew(sa)
        else:
            natd.detect(sa, response)


def probe(sa):
    """Liveness from behind a NAT: also whether the NAT still shows us as it did (section 3.8)."""
    # HDR, SK {N(NATD_S), N(NATD_D)} -->
    response = yield (iana.INFORMATIONAL, natd.notifies(sa))
    #                <-- HDR, SK {N(NATD_S), N(NATD_D)}
    seen = response.notify(iana.NAT_DETECTION_DESTINATION_IP)
    if seen is not None and seen != sa.seen and not sa.path:
        sa.path = Path(sa.local, sa.remote)
        yield from update(sa)


# -- the responder, and what both answer -----------------------------------------------------------------------------


def respond(sa, request):
    """Payloads that the notifies of an INFORMATIONAL request ask for."""
    payloads = []
    moves = detects = False
    for kind, data in request.notifies():
        if kind == iana.COOKIE2 and _COOKIE_MIN <= len(data) <= _COOKIE_MAX:
            payloads.append(notify(kind, data))
        elif kind == iana.UPDATE_SA_ADDRESSES and not sa.connection.initiator:
            moves = True
        elif kind == iana.NAT_DETECTION_SOURCE_IP:
            detects = True
    path = Path(request.local, request.remote)
    if moves:
        try:
            check(sa, request)
        except Refusal as refusal:
            sa.endpoint.note(sa, refusal)
            return [notify(refusal.notify)] + payloads
        if detects:
            natd.detect(sa, request, path)
        _follow(sa, path)
    return payloads + (natd.notifies(sa, path) if detects else [])


def check(sa, request):
    """Raises Refusal when the peer must not use the address that `request` came from."""
    if sa.connection not in sa.endpoint.responders(request.remote[0]):
        raise Refusal(reason.ADDRESS_REFUSED, iana.UNACCEPTABLE_ADDRESSES)
    said = request.notify(iana.NO_NATS_ALLOWED)
    (source, source_port), (destination, destination_port) = request.remote, request.local
    seen = pack(source) + pack(destination) + struct.pack(">HH", source_port, destination_port)
    if said is not None and said != seen:
        raise Refusal(reason.NAT_REFUSED, iana.UNEXPECTED_NAT_DETECTED)


def _follow(sa, path):
    pending = sa.path
    if path.remote == sa.remote and path.local == sa.local:
        sa.path = None  # it is there already, or is back
        return
    sa.path = path
    if not pending:
        exchange.start(sa, prove(sa), sa.endpoint.now)


def prove(sa):
    """The peer says that it has moved to `sa.path`. It goes there once it has answered from there.

    No answer from there is no harm: half of the tries go to the old address again (`exchange.tick`)."""
    while sa.path:
        path = sa.path
        cookie = sa.endpoint.random(_COOKIE)
        # HDR, SK {N(COOKIE2)} -->
        response = yield (iana.INFORMATIONAL, [notify(iana.COOKIE2, cookie)])
        #                <-- HDR, SK {N(COOKIE2)}
        if not equal(response.notify(iana.COOKIE2) or b"", cookie):
            raise Refusal(reason.BAD_COOKIE2)
        if sa.path and sa.path is not path:
            continue
        if sa.path and response.remote == path.remote:
            move(sa, path.local, path.remote)
        else:
            sa.endpoint.note(sa, Refusal(reason.PATH_UNPROVED))
        sa.path = None


def go_on(old, fresh):
    """An IKE SA was replaced in the middle of a move: its successor ends it."""
    fresh.path, old.path = old.path, None
    exchange.start(fresh, update(fresh) if fresh.connection.initiator else prove(fresh), fresh.endpoint.now)
