"""REDIRECT (RFC 5685): a gateway sends its client to another one, in IKE_SA_INIT, in IKE_AUTH or later.

   | GW Ident Type | GW Ident Len  |  address or name, then the nonce of the request it answers, in IKE_SA_INIT alone

The client follows to an IPv4 address, where the same connection is negotiated with the same identities and keys: so
whoever sends it astray gains nothing but its absence. A responder sends away whomever says that he can be.
"""

from uike import event, iana, reason
from uike.ike.exchange import pack_where
from uike.transient import load
from uike.wire.address import pack, text
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_IPV4 = 1  # GW Ident Type
_TIMES_MAX = 5  # redirections in a row,
_TIMES_MS = 300_000  # in so many milliseconds: RFC 5685 section 7


def word(sa):
    """The initiator's word in IKE_SA_INIT: that it would follow, or that it has done so."""
    if sa.redirected:
        return [notify(iana.REDIRECTED_FROM, _ident(pack(sa.redirected[0])))]
    return [notify(iana.REDIRECT_SUPPORTED)]


def send_away(sa, request):
    """The responder's half: raises a Refusal that is a REDIRECT, unless the client is there, comes from there, or does
    not say that it can follow."""
    there = _ident(sa.connection.redirect_to)
    if there == _ident(pack(request.local[0])):
        return
    before = request.notify(iana.REDIRECTED_FROM)
    if (before is not None or request.notify(iana.REDIRECT_SUPPORTED) is not None) and before != there:
        raise Refusal(reason.SENT_AWAY, iana.REDIRECT, there + request.body(iana.NONCE))


def target(sa, message):
    """The address to follow to, four bytes, when the notify in `message` is to be believed; raises Refusal."""
    data = message.notify(iana.REDIRECT)
    nonce = sa.setup.nonce_i if message.exchange == iana.IKE_SA_INIT else b""
    times = [at for at in sa.redirected[1] if sa.endpoint.now - at < _TIMES_MS] if sa.redirected else []
    there = data[2:6]
    if data[:2] != bytes((_IPV4, 4)) or data[6:] != nonce or there == pack(sa.remote[0]) or not any(there):
        raise Refusal(reason.REDIRECT_REFUSED, iana.REDIRECT, data[:6])
    if len(times) >= _TIMES_MAX or not sa.endpoint.has_room():
        raise Refusal(reason.REDIRECTED_TOO_OFTEN, iana.REDIRECT, data[:6])
    return there, times


def follow(sa, message):
    """Goes where the notify in `message` says, from an SA that is not up yet: it ends by the Refusal that is raised."""
    try:
        there, times = target(sa, message)
    except Refusal as refusal:
        sa.endpoint.note(sa, refusal)
        return
    replaces, sa.replaces = sa.replaces, None
    _begin(sa, there, times, replaces)
    raise Refusal(reason.REDIRECTED, iana.REDIRECT)


def leave(sa, request):
    """The gateway wants to be rid of an SA that is up: it goes when there is one with the other gateway."""
    try:
        there, times = target(sa, request)
    except Refusal as refusal:
        sa.endpoint.note(sa, refusal)
        return
    if not [1 for other in sa.endpoint.sas if other.replaces is sa]:
        _begin(sa, there, times, sa)


def _begin(sa, there, times, replaces):
    endpoint = sa.endpoint
    remote = (text(there), iana.PORT_IKE)
    if endpoint.trace:
        endpoint.trace(event.REDIRECTED, sa.number, pack_where(sa.remote) + pack_where(remote))
    fresh = endpoint.new_sa(sa.connection, True, (sa.local[0], iana.PORT_IKE), remote)
    fresh.spi_i = endpoint.new_ike_spi()
    fresh.redirected = (sa.remote[0], times + [endpoint.now])
    fresh.replaces = replaces
    endpoint.sas.append(fresh)
    endpoint.guard(fresh, load("uike.ike.init").begin, fresh)


def _ident(address):
    return bytes((_IPV4, len(address))) + address
