"""The IKE_AUTH exchange (RFC 7296 section 1.2): who the peers are, and their first Child SA."""

from uike import event, iana, reason
from uike.crypto import equal
from uike.ike import auth_psk, child, cp
from uike.transient import load
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_ID_MAX = 256
_X509 = b"\x04"  # certificate encoding: X.509 Certificate - Signature

# What an error notify in the response to IKE_AUTH says of our request
_PEER_SAID = (
    (iana.AUTHENTICATION_FAILED, reason.PEER_SAID_AUTH_FAILED),
    (iana.NO_PROPOSAL_CHOSEN, reason.PEER_SAID_NO_ESP_PROPOSAL),
    (iana.TS_UNACCEPTABLE, reason.TS_REFUSED_BY_PEER),
    (iana.SINGLE_PAIR_REQUIRED, reason.SINGLE_PAIR_WANTED),
    (iana.INTERNAL_ADDRESS_FAILURE, reason.PEER_SAID_ADDRESS_FAILURE),
    (iana.FAILED_CP_REQUIRED, reason.PEER_SAID_ADDRESS_FAILURE),
)


def initiate(sa):
    """The initiator's side."""
    connection = sa.connection
    offer = None if sa.setup.childless else child.Offer(sa, connection)
    # HDR, SK {IDi, [N(INITIAL_CONTACT),] [IDr,] AUTH, [CP(CFG_REQUEST),] [SAi2, TSi, TSr,] [N(MOBIKE_SUPPORTED),]
    #          [N(QCD_TOKEN)]} -->
    response = yield (iana.IKE_AUTH, _request(sa, offer))
    #           <-- HDR, SK {IDr, AUTH, [CP(CFG_REPLY),] [SAr2, TSi, TSr]}
    error = response.error()
    if error and response.body(iana.AUTH) is None:
        raise Refusal(_peer_said(error), error[0], error[1])
    id_r = response.body(iana.IDr)
    body = response.body(iana.AUTH)
    if id_r is None or body is None:
        raise Refusal(reason.PAYLOAD_MISSING, iana.INVALID_SYNTAX)
    peer = _peer_id(id_r)
    if connection.remote_id and not _is(connection.remote_id, peer):
        raise Refusal(reason.WRONG_PEER_ID, iana.AUTHENTICATION_FAILED, bytes((peer[0],)) + peer[1])
    _verify(sa, response, False, id_r, body)
    sa.peer_id = peer
    if connection.redirect and response.notify(iana.REDIRECT) is not None:
        load("uike.ike.redirect").follow(sa, response)
    single = error and error[0] == iana.SINGLE_PAIR_REQUIRED
    if error and not single:  # the peer is who it says; only the Child SA was refused
        raise Refusal(_peer_said(error), error[0], error[1])
    if connection.virtual_ip:
        cp.reply(sa, response.body(iana.CP))
    sa.mobike = connection.mobike and response.notify(iana.MOBIKE_SUPPORTED) is not None
    if connection.crash_detection:
        load("uike.ike.crash").take(sa, response)
    sa.become(event.STATE_ESTABLISHED)
    if connection.reauth_ms or response.notify(iana.AUTH_LIFETIME) is not None:
        load("uike.ike.reauth").plan(sa, response)
    if single:  # Child SAs come with the packets that need them (section 2.9)
        sa.single_pair = True
        sa.endpoint.note(sa, Refusal(reason.SINGLE_PAIR_WANTED, error[0]))
    elif offer:
        offer.accept(response)


def _request(sa, offer):
    """Payloads of the request; made here, so that none of them is kept while the answer is awaited."""
    connection = sa.connection
    id_i = _id_body(connection.local_id)
    payloads = [(iana.IDi, id_i)] + _certificates(connection)
    if not sa.endpoint.has_other(sa):
        payloads.append(notify(iana.INITIAL_CONTACT))
    if connection.cacerts:
        payloads += load("uike.ike.certreq").trusted(sa)
        sa.endpoint.release()
    if connection.remote_id:
        payloads.append((iana.IDr, _id_body(connection.remote_id)))
    payloads.append(_auth_payload(sa, True, id_i))
    if connection.virtual_ip:
        payloads.append((iana.CP, cp.request(connection, sa.replaces and sa.replaces.address)))
    if offer:
        payloads += offer.payloads()
    if connection.crash_detection:
        payloads += load("uike.ike.crash").offer(sa)
    return payloads + _can_move(connection)


def respond(sa, request):
    """The responder's side: returns the payloads of the response."""
    # HDR, SK {IDi, [IDr,] AUTH, [CP(CFG_REQUEST),] [SAi2, TSi, TSr]} -->
    kinds = [kind for kind, _, _ in request.payloads if kind in (iana.SA, iana.TSi, iana.TSr)]
    if len(kinds) not in (0, 3):  # RFC 6023 section 3: all of a Child SA, or nothing
        raise Refusal(reason.PAYLOAD_MISSING, iana.INVALID_SYNTAX)
    id_i = request.body(iana.IDi)
    peer = _peer_id(id_i)
    wanted = request.body(iana.IDr)
    sa.connection = _find_connection(sa, peer, wanted and _peer_id(wanted))
    _verify(sa, request, True, id_i, request.body(iana.AUTH))
    sa.peer_id = peer
    if request.notify(iana.NO_NATS_ALLOWED) is not None:
        load("uike.ike.mobike").check(sa, request)
    sa.mobike = sa.connection.mobike and request.notify(iana.MOBIKE_SUPPORTED) is not None
    sa.become(event.STATE_ESTABLISHED)
    if request.notify(iana.INITIAL_CONTACT) is not None:
        sa.endpoint.replace_others(sa)
    #           <-- HDR, SK {IDr, AUTH, [CP(CFG_REPLY),] [SAr2, TSi, TSr]}
    id_r = _id_body(sa.connection.local_id)
    payloads = [(iana.IDr, id_r)] + _certificates(sa.connection) + [_auth_payload(sa, False, id_r)]
    payloads += _can_move(sa.connection) if sa.mobike else []
    if sa.connection.crash_detection:
        crash = load("uike.ike.crash")
        crash.take(sa, request)
        payloads += crash.offer(sa)
    if sa.connection.auth_lifetime_ms:
        payloads += load("uike.ike.reauth").grant(sa)
    try:
        payloads += load("uike.ike.pool").assign(sa, request.body(iana.CP))
        if not kinds:
            return payloads
        fresh, answer = child.answer(sa, request)
        if _known(sa):  # it authenticates anew, and takes the new Child SA once it has our answer
            sa.endpoint.sad.hold(fresh)
        return payloads + answer
    except Refusal as refusal:  # the IKE SA stands all the same (section 1.2)
        sa.refused = refusal.reason
        sa.endpoint.note(sa, refusal)
        return payloads + [notify(refusal.notify, refusal.data)]


def _find_connection(sa, peer, wanted):
    """The first responder connection that knows this peer, and is whom the peer asks for."""
    known = False
    for connection in sa.endpoint.responders(sa.remote[0]):
        if connection.remote_id is None or _is(connection.remote_id, peer):
            known = True
            if wanted is None or wanted == connection.local_id:
                for proposal in connection.proposals:
                    if not [row for row in sa.transforms if row not in proposal]:
                        return connection
    said = bytes((peer[0],)) + peer[1] if not known else bytes((wanted[0],)) + wanted[1] if wanted else b""
    why = reason.WRONG_PEER_ID if known else reason.UNKNOWN_PEER_ID
    raise Refusal(why, iana.AUTHENTICATION_FAILED, said)


def _can_move(connection):
    """Our word that we speak RFC 4555."""
    return [notify(iana.MOBIKE_SUPPORTED)] if connection.mobike else []


def _known(sa):
    """Whether this peer has another IKE SA of the same connection."""
    same = [1 for other in sa.endpoint.sas if other.peer_id == sa.peer_id and other.connection is sa.connection]
    return len(same) > 1


def _id_body(identity):
    return bytes((identity[0], 0, 0, 0)) + identity[1]


def _peer_id(body):
    if not 4 < len(body) <= _ID_MAX:
        raise Refusal(reason.BAD_ID_PAYLOAD, iana.INVALID_SYNTAX)
    return body[0], body[4:]


def _is(wanted, peer):
    """Whether the peer is who is wanted; distinguished names may be written in several ways."""
    if wanted == peer or wanted[0] != iana.ID_DER_ASN1_DN:
        return wanted == peer
    return load("uike.pki.identity").match(wanted[0], wanted[1], peer[0], peer[1])


def _certificates(connection):
    """CERT payloads: ours first, then those between it and a CA."""
    return [(iana.CERT, _X509 + data) for data in connection.cert]


def _octets(sa, initiators, id_body):
    """What the AUTH of one side covers (section 2.15): its first message, the other's nonce, and prf(SK_p, its ID)."""
    setup = sa.setup
    if initiators:
        message, nonce, sk_p = setup.request, setup.nonce_r, sa.sk_pi
    else:
        message, nonce, sk_p = setup.response, setup.nonce_i, sa.sk_pr
    return message + nonce + sa.endpoint.crypto.prf(sa.prf, sk_p, id_body)


def _auth_payload(sa, initiators, id_body):
    octets = _octets(sa, initiators, id_body)
    if sa.connection.cert:
        body = load("uike.ike.auth_sign").sign(sa, octets)
        sa.endpoint.release()  # this side's signature and the other's are not in memory at once
        return iana.AUTH, body
    return iana.AUTH, bytes((iana.AUTH_SHARED_KEY, 0, 0, 0)) + auth_psk.make(sa, sa.connection.psk, octets)


def _verify(sa, message, initiators, id_body, body):
    """Raises Refusal unless `body` is the AUTH payload that only the holder of the key can make."""
    if len(body) < 4:
        raise Refusal(reason.BAD_AUTH_PAYLOAD, iana.INVALID_SYNTAX)
    octets = _octets(sa, initiators, id_body)
    if sa.connection.cacerts and body[0] != iana.AUTH_SHARED_KEY:
        load("uike.ike.auth_verify").verify(sa, message, _peer_id(id_body), octets, body)
        return
    if sa.connection.cacerts or body[0] != iana.AUTH_SHARED_KEY:
        raise Refusal(reason.AUTH_METHOD_REFUSED, iana.AUTHENTICATION_FAILED, body[:1])
    if not equal(auth_psk.make(sa, sa.connection.psk, octets), body[4:]):
        raise Refusal(reason.PSK_DIFFERS, iana.AUTHENTICATION_FAILED)


def _peer_said(error):
    for kind, why in _PEER_SAID:
        if kind == error[0]:
            return why
    return reason.PEER_ERROR
