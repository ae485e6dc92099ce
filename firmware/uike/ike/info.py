"""The INFORMATIONAL exchange (RFC 7296 section 1.4): liveness, deletion, errors."""

import struct

from uike import event, iana, reason
from uike.ike import exchange
from uike.transient import load
from uike.wire.refusal import Refusal

_ESP_SPI = 4
_RETIRED_MS = 5_000

# What the peer says of something that we sent, and that we leave at that (`ike/dropped` says the same)
_COMPLAINTS = {
    iana.INVALID_SELECTORS: reason.PEER_SAID_INVALID_SELECTORS,
    iana.INVALID_SPI: reason.PEER_SAID_INVALID_SPI,
    iana.INVALID_MESSAGE_ID: reason.PEER_SAID_INVALID_MESSAGE_ID,
}


def liveness(sa):
    """Is the peer still there? An answer is all we want (section 2.4)."""
    if sa.mobike and sa.behind_nat and sa.connection.initiator:
        yield from load("uike.ike.mobike").probe(sa)
        return
    # HDR, SK {} -->
    yield (iana.INFORMATIONAL, [])
    #                <-- HDR, SK {}


def delete(sa, said):
    """Ends the IKE SA, and everything under it; `said` are notify payloads that tell the peer why."""
    # HDR, SK {[N,] D} -->
    yield (iana.INFORMATIONAL, said + [(iana.D, struct.pack(">BBH", iana.PROTO_IKE, 0, 0))])
    #                <-- HDR, SK {}
    sa.endpoint.forget(sa)


def close_children(sa):
    """Starts the deletion of every Child SA in use; the IKE SA stays."""
    for child in sa.children if sa.state == event.STATE_ESTABLISHED and not sa.quiet else ():
        if child.state == event.STATE_CHILD_INSTALLED:
            exchange.start(sa, delete_child(sa, child, reason.DELETED_BY_US), sa.endpoint.now)


def delete_child(sa, child, why):
    """Ends one Child SA: we name our inbound SPI, the peer answers with its own (section 1.4.1)."""
    if child not in sa.children:
        return
    child.state = event.STATE_CHILD_DELETING
    # HDR, SK {D} -->
    yield (iana.INFORMATIONAL, [delete_esp(child.spi_in)])
    #                <-- HDR, SK {D}
    sa.endpoint.child_down(sa, child, why)


def respond(sa, request):
    """Answers the peer's request; returns the payloads of the response."""
    # HDR, SK {[N,] [D,] [CP]} -->
    error = request.error()
    ike_deleted = False
    payloads = []
    for kind, start, end in request.payloads:
        if kind == iana.D:
            protocol, spis = _parse_delete(bytes(request.buffer[start:end]))
            if protocol == iana.PROTO_IKE:
                ike_deleted = True
            elif protocol == iana.PROTO_ESP:
                payloads += _close_children(sa, spis)
        elif kind == iana.CP:
            payloads += load("uike.ike.cp").answer(bytes(request.buffer[start:end]))
    #                <-- HDR, SK {[D] [CP]}
    if error and error[0] == iana.AUTHENTICATION_FAILED:
        sa.endpoint.ended_by_peer(sa, reason.PEER_SAID_AUTH_FAILED, error[0])
    elif ike_deleted:
        sa.endpoint.ended_by_peer(sa, reason.DELETED_BY_PEER, error[0] if error else 0)
        return []
    elif request.body(iana.N) is not None:
        if error and error[0] in _COMPLAINTS:
            sa.endpoint.note(sa, Refusal(_COMPLAINTS[error[0]], error[0], error[1]))
        if sa.connection.initiator and request.notify(iana.AUTH_LIFETIME) is not None:
            load("uike.ike.reauth").plan(sa, request)
        if sa.connection.crash_detection and request.notify(iana.QUICK_CRASH_DETECTION) is not None:
            load("uike.ike.crash").take(sa, request)
        if sa.connection.redirect and request.notify(iana.REDIRECT) is not None:
            load("uike.ike.redirect").leave(sa, request)
        if sa.mobike and sa.state == event.STATE_ESTABLISHED:
            payloads += load("uike.ike.mobike").respond(sa, request)
    return payloads


def _close_children(sa, spis):
    """The peer deletes SAs by the SPIs that it receives with, which are those that we send with."""
    payloads = []
    for spi in spis:
        for child in list(sa.children):
            if child.spi_out != spi or child.state == event.STATE_CHILD_RETIRED:
                continue
            if child.state != event.STATE_CHILD_DELETING:  # else our own Delete says it (section 2.25.1)
                payloads.append(delete_esp(child.spi_in))
            if child.state == event.STATE_CHILD_REKEYED or child.rival:
                retire(sa, child)
            else:
                sa.endpoint.child_down(sa, child, reason.DELETED_BY_PEER)
    return payloads


def retire(sa, child):
    """A replaced Child SA is deleted on both sides; what is still on its way in is taken for a while."""
    sa.endpoint.sad.retire(child)
    child.state = event.STATE_CHILD_RETIRED
    child.rekey_at = None
    child.expires_at = sa.endpoint.now + _RETIRED_MS


def delete_esp(spi):
    """A Delete payload for the Child SA that we receive with this SPI."""
    return iana.D, struct.pack(">BBH", iana.PROTO_ESP, _ESP_SPI, 1) + spi


def _parse_delete(body):
    """(protocol, SPIs) of a Delete payload (RFC 7296 section 3.11); raises Refusal."""
    if len(body) < 4:
        raise Refusal(reason.BAD_DELETE_PAYLOAD, iana.INVALID_SYNTAX)
    protocol, size, count = struct.unpack_from(">BBH", body, 0)
    right = 0 if protocol == iana.PROTO_IKE else _ESP_SPI
    if len(body) != 4 + size * count or (count and size != right):
        raise Refusal(reason.BAD_DELETE_PAYLOAD, iana.INVALID_SYNTAX)
    return protocol, [body[at : at + size] for at in range(4, len(body), size)] if size else []
