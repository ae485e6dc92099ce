"""The responder's side of the IKE_AUTH exchange (RFC 7296 section 1.2): whom we know, and its first Child SA."""

from uike import event, iana, reason
from uike.ike import auth
from uike.transient import load
from uike.wire.message import notify
from uike.wire.refusal import Refusal


def respond(sa, request):
    """Returns the payloads of the response; with EAP a generator, which takes further requests."""
    # HDR, SK {IDi, [CERT,] [CERTREQ,] [IDr,] AUTH, [CP(CFG_REQUEST),] [SAi2, TSi, TSr]} -->
    id_i, body = request.body(iana.IDi), request.body(iana.AUTH)
    if id_i is None or len(_of_child(request)) not in (0, 3):  # RFC 6023 section 3: all of a Child SA, or nothing
        raise Refusal(reason.PAYLOAD_MISSING, iana.INVALID_SYNTAX)
    peer = auth.peer_id(id_i)
    wanted = request.body(iana.IDr)
    sa.connection = _find_connection(sa, peer, wanted and auth.peer_id(wanted))
    if sa.connection.psks:
        sa.setup.psk = load("uike.ike.psks").choose(sa.connection, peer)
    if getattr(sa.connection, "eap_users", None):
        return load("uike.ike.eap_server").respond(sa, request, body)
    if body is None:
        raise Refusal(reason.PAYLOAD_MISSING, iana.INVALID_SYNTAX)
    how = load("uike.ike.ppk") if sa.setup.ppk or sa.connection.ppk else auth
    said = how.verify(sa, request, True, id_i, body) or []
    return welcome(sa, request, peer, prove(sa) + said)


def prove(sa):
    """Payloads that say who we are, and show it."""
    id_r = auth.id_body(sa.connection.local_id)
    own = auth.certificates(sa)  # without any this ends here
    return [(iana.IDr, id_r)] + own + [auth.payload(sa, False, id_r)]


def welcome(sa, request, peer, payloads):
    """The peer is `peer`, an identity, which is proved; adds the answers to the rest of `request` to `payloads`."""
    sa.peer_id = peer
    if request.notify(iana.NO_NATS_ALLOWED) is not None:
        load("uike.ike.mobike").check(sa, request)
    sa.mobike = sa.connection.mobike and request.notify(iana.MOBIKE_SUPPORTED) is not None
    sa.become(event.STATE_ESTABLISHED)
    if request.notify(iana.INITIAL_CONTACT) is not None:
        sa.endpoint.replace_others(sa)
    #           <-- HDR, SK {IDr, [CERT,] AUTH, [CP(CFG_REPLY),] [SAr2, TSi, TSr]}
    payloads += auth.can_move(sa.connection) if sa.mobike else []
    if sa.connection.crash_detection:
        crash = load("uike.ike.crash")
        crash.take(sa, request)
        payloads += crash.offer(sa)
    if sa.connection.auth_lifetime_ms:
        payloads += load("uike.ike.reauth").grant(sa)
    try:
        payloads += load("uike.ike.pool").assign(sa, request.body(iana.CP))
        if not _of_child(request):
            return payloads
        fresh, answer = load("uike.ike.child").answer(sa, request)
        if _known(sa):  # it authenticates anew, and takes the new Child SA once it has our answer
            sa.endpoint.sad.hold(fresh)
        if sa.connection.key:  # that becomes a long message
            auth.forget(sa)
        return payloads + answer
    except Refusal as refusal:  # the IKE SA stands all the same (section 1.2)
        sa.refused = refusal.reason
        sa.endpoint.note(sa, refusal)
        return payloads + [notify(refusal.notify, refusal.data)]


def _of_child(request):
    return [kind for kind, _, _ in request.payloads if kind in (iana.SA, iana.TSi, iana.TSr)]


def _find_connection(sa, peer, wanted):
    """The first responder connection that knows this peer, and is whom the peer asks for."""
    known = False
    for connection in sa.endpoint.responders(sa.remote[0]):
        if connection.remote_id is None or auth.same(connection.remote_id, peer):
            known = True
            if wanted is None or wanted == connection.local_id:
                for proposal in connection.proposals:
                    if not [row for row in sa.transforms if row not in proposal]:
                        return connection
    said = bytes((peer[0],)) + peer[1] if not known else bytes((wanted[0],)) + wanted[1] if wanted else b""
    why = reason.WRONG_PEER_ID if known else reason.UNKNOWN_PEER_ID
    raise Refusal(why, iana.AUTHENTICATION_FAILED, said)


def _known(sa):
    """Whether this peer has another IKE SA of the same connection."""
    same = [1 for other in sa.endpoint.sas if other.peer_id == sa.peer_id and other.connection is sa.connection]
    return len(same) > 1
