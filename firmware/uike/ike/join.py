"""The initiator's side of the IKE_AUTH exchange (RFC 7296 section 1.2): who we are, and our first Child SA."""

from uike import event, iana, reason
from uike.ike import auth
from uike.transient import load
from uike.wire.message import notify
from uike.wire.refusal import Refusal

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
    """One exchange, and what it leads to."""
    connection = sa.connection
    offered = []  # what of our offer of a Child SA is needed for the answer
    # HDR, SK {IDi, [CERT,] [N(INITIAL_CONTACT),] [CERTREQ,] [IDr,] AUTH, [CP(CFG_REQUEST),] [SAi2, TSi, TSr,]
    #          [N(PPK_IDENTITY),] [N(NO_PPK_AUTH),] [N(MOBIKE_SUPPORTED),] [N(QCD_TOKEN)]} -->
    response = yield (iana.IKE_AUTH, _request(sa, offered))
    #           <-- HDR, SK {IDr, [CERT,] AUTH, [CP(CFG_REPLY),] [SAr2, TSi, TSr]}
    error = response.error()
    if error and response.body(iana.AUTH) is None:
        refused_ppk = sa.setup.ppk and error[0] == iana.AUTHENTICATION_FAILED
        raise Refusal(reason.PEER_REFUSED_PPK if refused_ppk else _peer_said(error), error[0], error[1])
    id_r = response.body(iana.IDr)
    body = response.body(iana.AUTH)
    if id_r is None or body is None and not connection.eap_only:
        raise Refusal(reason.PAYLOAD_MISSING, iana.INVALID_SYNTAX)
    peer = auth.peer_id(id_r)
    if connection.remote_id and not auth.same(connection.remote_id, peer):
        raise Refusal(reason.WRONG_PEER_ID, iana.AUTHENTICATION_FAILED, bytes((peer[0],)) + peer[1])
    if sa.setup.ppk:
        load("uike.ike.ppk").settle(sa, response)
    if body is not None and (connection.psk or connection.cacerts or not connection.eap_only):
        auth.verify(sa, response, False, id_r, body)
    if connection.eap_password:
        response = yield from load("uike.ike.eap").prove(sa, response, id_r)
        error = response.error()
    elif response.body(iana.EAP) is not None:
        raise Refusal(reason.EAP_NOT_CONFIGURED, iana.AUTHENTICATION_FAILED)
    sa.peer_id = peer
    if connection.redirect and response.notify(iana.REDIRECT) is not None:
        load("uike.ike.redirect").follow(sa, response)
    single = error and error[0] == iana.SINGLE_PAIR_REQUIRED
    if error and not single:  # the peer is who it says; only the Child SA was refused
        raise Refusal(_peer_said(error), error[0], error[1])
    if connection.virtual_ip:
        load("uike.ike.cp").reply(sa, response.body(iana.CP))
    sa.mobike = connection.mobike and response.notify(iana.MOBIKE_SUPPORTED) is not None
    if connection.crash_detection:
        load("uike.ike.crash").take(sa, response)
    sa.become(event.STATE_ESTABLISHED)
    if connection.reauth_ms or response.notify(iana.AUTH_LIFETIME) is not None:
        load("uike.ike.reauth").plan(sa, response)
    if single:  # Child SAs come with the packets that need them (section 2.9)
        sa.single_pair = True
        sa.endpoint.note(sa, Refusal(reason.SINGLE_PAIR_WANTED, error[0]))
    elif offered:
        load("uike.ike.child").Offer(sa, connection, offered=offered).accept(response)


def _request(sa, offered):
    """Payloads of the request; made here, so that none of them is kept while the answer is awaited, nor the code that
    made the offer: a proof with certificates needs the room."""
    connection = sa.connection
    id_i = auth.id_body(connection.local_id)
    payloads = [(iana.IDi, id_i)] + auth.certificates(sa)
    if not sa.endpoint.has_other(sa):
        payloads.append(notify(iana.INITIAL_CONTACT))
    payloads += auth.trusted(sa)
    if connection.remote_id:
        payloads.append((iana.IDr, auth.id_body(connection.remote_id)))
    if connection.eap_password:
        payloads += [notify(iana.EAP_ONLY_AUTHENTICATION)] if connection.eap_only else []
    else:
        payloads += load("uike.ike.ppk").prove(sa, id_i) if sa.setup.ppk else [auth.payload(sa, True, id_i)]
    if connection.virtual_ip:
        payloads.append((iana.CP, load("uike.ike.cp").request(connection, sa.replaces and sa.replaces.address)))
    if not sa.setup.childless:
        offer = load("uike.ike.child").Offer(sa, connection)
        payloads += offer.payloads()
        offered += [offer.spi_in, offer.local_ts, offer.remote_ts]
        offer = None
    if connection.cacerts:
        auth.forget(sa)
    if connection.crash_detection:
        payloads += load("uike.ike.crash").offer(sa)
    return payloads + auth.can_move(connection)


def _peer_said(error):
    for kind, why in _PEER_SAID:
        if kind == error[0]:
            return why
    return reason.PEER_ERROR
