"""The IKE_SA_INIT exchange (RFC 7296 section 1.2): algorithms, nonces, key exchange, and who is behind a NAT."""

from uike import event, iana, reason
from uike.ike import exchange as running
from uike.ike import ke, keys, natd
from uike.transient import load
from uike.wire import proposals
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_RESTARTS_MAX = 4  # INVALID_KE_PAYLOAD and COOKIE together
_COOKIE_MAX = 64
_SPI = 8


def begin(sa):
    """Starts an SA that the endpoint has, as its initiator."""
    sa.become(event.STATE_INIT)
    running.start(sa, initiate(sa), sa.endpoint.now)


def initiate(sa):
    """The initiator's side."""
    crypto, random = sa.endpoint.crypto, sa.endpoint.random
    offers = sa.connection.proposals
    sa.setup.nonce_i = random(ke.NONCE)
    group = proposals.get(offers[0], iana.KE_METHOD)[0]
    exchange = sa.secret = crypto.key_exchange(group, random)
    cookie = None
    restarts = 0
    while True:
        # HDR, [N(COOKIE),] SAi1, KEi, Ni -->
        payloads = [notify(iana.COOKIE, cookie)] if cookie else []
        payloads.append((iana.SA, proposals.build(offers, iana.PROTO_IKE)))
        payloads.append(ke.build(group, exchange))
        payloads.append((iana.NONCE, sa.setup.nonce_i))
        payloads += natd.notifies(sa) + _can_fragment(sa)
        if sa.connection.cacerts or sa.connection.cert:
            payloads.append(_hashes())
        if sa.connection.ppk:
            payloads.append(notify(iana.USE_PPK))
        if sa.connection.redirect:
            payloads += load("uike.ike.redirect").word(sa)
        response = yield (iana.IKE_SA_INIT, payloads)
        #                                   <-- HDR, SAr1, KEr, Nr
        while not _counts(sa, response, offers, group, restarts < _RESTARTS_MAX):
            response = yield None
        if sa.connection.redirect and response.notify(iana.REDIRECT) is not None:
            exchange.wipe()
            load("uike.ike.redirect").follow(sa, response)
        restarts += 1
        cookie = response.notify(iana.COOKIE) or cookie
        wanted = response.notify(iana.INVALID_KE_PAYLOAD)
        if wanted:
            group = wanted[0] << 8 | wanted[1]
            exchange.wipe()
            exchange = sa.secret = crypto.key_exchange(group, random)
        elif not response.error() and not response.notify(iana.COOKIE):
            break
    sa.setup.response = bytes(response.buffer)
    sa.spi_r = response.spi_r
    sa.transforms = proposals.accepted(proposals.parse(response.body(iana.SA)), offers, iana.PROTO_IKE, 0)[1]
    sa.setup.childless = sa.connection.childless and response.notify(iana.CHILDLESS_IKEV2_SUPPORTED) is not None
    if sa.connection.ppk:
        sa.setup.ppk = response.notify(iana.USE_PPK) is not None
        if not sa.setup.ppk:
            sa.endpoint.note(sa, Refusal(reason.PPK_NOT_OFFERED))
    sa.setup.nonce_r = response.body(iana.NONCE)
    sa.setup.hashes = response.notify(iana.SIGNATURE_HASH_ALGORITHMS) or b""
    if not natd.detect(sa, response):
        raise Refusal(reason.NAT_T_UNSUPPORTED)
    _agree(sa, exchange, response.body(iana.KE)[4:])
    _agree_fragments(sa, response)
    sa.send_id = 1
    sa.local = (sa.local[0], iana.PORT_NATT)  # RFC 7296 section 2.23: float, and stay there
    sa.remote = (sa.remote[0], iana.PORT_NATT)
    sa.become(event.STATE_AUTH)


def _counts(sa, response, offers, group, again):
    """Whether this response takes us on. Nobody signed it: what it refuses is noted, and believed only when nothing
    better comes, see `exchange.tick`. `again` tells whether the request may still be changed: who forges answers can
    make us do so, but not for ever, and not end it."""
    refusal = None
    error = response.error()
    if error:
        kind, data = error
        if kind == iana.INVALID_KE_PAYLOAD and len(data) == 2:
            wanted = data[0] << 8 | data[1]
            if wanted != group and [1 for offer in offers if (iana.KE_METHOD, wanted, 0) in offer]:
                if again:
                    return True
                refusal = Refusal(reason.COOKIE_LOOP, kind, data)
            else:
                refusal = Refusal(reason.GROUP_REFUSED, kind, data)
        elif kind == iana.NO_PROPOSAL_CHOSEN:
            refusal = Refusal(reason.PEER_SAID_NO_PROPOSAL, kind)
        else:
            refusal = Refusal(reason.PEER_ERROR, kind, data)
    else:
        cookie = response.notify(iana.COOKIE)
        if cookie is not None:
            if not 1 <= len(cookie) <= _COOKIE_MAX:
                return False
            if again:
                return True
            refusal = Refusal(reason.COOKIE_LOOP, iana.COOKIE)
        elif response.notify(iana.REDIRECT) is not None:
            refusal = _not_redirected(sa, response)
        else:
            refusal = _flaw(response, offers, group)
            if not refusal and sa.connection.ppk_required and response.notify(iana.USE_PPK) is None:
                refusal = Refusal(reason.PPK_NOT_OFFERED)
    if refusal:
        sa.setup.refusal = refusal
        sa.endpoint.note(sa, refusal)
        return False
    return True


def _not_redirected(sa, response):
    """Why we do not follow to another gateway; None when we do."""
    if not sa.connection.redirect:
        return Refusal(reason.REDIRECT_REFUSED, iana.REDIRECT)
    try:
        load("uike.ike.redirect").target(sa, response)
    except Refusal as refusal:
        return refusal
    return None


def _flaw(response, offers, group):
    """What is wrong with an answer that carries SA, KE and Nr; None when nothing is."""
    if response.spi_r == bytes(_SPI):
        return Refusal(reason.LENGTH_MISMATCH)
    body = response.body(iana.KE)
    try:
        answer = proposals.parse(response.body(iana.SA))
        ke.read_nonce(response)
    except Refusal as refusal:
        return refusal
    chosen = proposals.accepted(answer, offers, iana.PROTO_IKE, 0)
    if not chosen:
        return Refusal(reason.PEER_CHOSE_UNOFFERED)
    if proposals.get(chosen[1], iana.KE_METHOD)[0] != group or len(body) < 4 or body[0] << 8 | body[1] != group:
        return Refusal(reason.BAD_KE_PAYLOAD)
    return None


def respond(sa, request):
    """The responder's side."""
    # HDR, SAi1, KEi, Ni -->
    nonce = ke.read_nonce(request)
    offered = proposals.parse(request.body(iana.SA))
    sa.connection, sa.transforms = _choose(sa, offered)
    if sa.connection.redirect_to:
        load("uike.ike.redirect").send_away(sa, request)
    group = proposals.get(sa.transforms, iana.KE_METHOD)[0]
    theirs = ke.read(request, group)
    sa.setup.nonce_i = nonce
    sa.setup.nonce_r = sa.endpoint.random(ke.NONCE)
    if not natd.detect(sa, request):
        raise Refusal(reason.NAT_T_UNSUPPORTED, iana.NO_PROPOSAL_CHOSEN)
    exchange = sa.endpoint.crypto.key_exchange(group, sa.endpoint.random)
    ours = ke.build(group, exchange)
    _agree(sa, exchange, theirs)
    _agree_fragments(sa, request)
    sa.become(event.STATE_AUTH)
    #                                       <-- HDR, SAr1, KEr, Nr
    payloads = [
        (iana.SA, proposals.build([sa.transforms], iana.PROTO_IKE, b"", _number(offered, sa.transforms))),
        ours,
        (iana.NONCE, sa.setup.nonce_r),
    ]
    connection = sa.connection
    sa.setup.hashes = request.notify(iana.SIGNATURE_HASH_ALGORITHMS) or b""
    if connection.cacerts:
        payloads += load("uike.ike.certreq").trusted(sa) + ([_hashes()] if sa.setup.hashes else [])
    if request.notify(iana.USE_PPK) is not None and [1 for each in sa.endpoint.responders(sa.remote[0]) if each.ppk]:
        sa.setup.ppk = True  # who the peer is, and which PPK is for it, we learn in IKE_AUTH
        payloads.append(notify(iana.USE_PPK))
    payloads.append(notify(iana.CHILDLESS_IKEV2_SUPPORTED))
    return payloads + natd.notifies(sa) + (_can_fragment(sa) if sa.fragment_size else [])


def _choose(sa, offered):
    """(connection, transforms): the first connection for this peer that has a proposal in common with the offer."""
    for connection in sa.endpoint.responders(sa.remote[0]):
        chosen = proposals.choose(offered, connection.proposals, iana.PROTO_IKE, 0)
        if chosen:
            return connection, chosen[2]
    if sa.endpoint.trace:
        for connection in sa.endpoint.responders(sa.remote[0]):
            body = proposals.build(connection.proposals, iana.PROTO_IKE)
            sa.endpoint.trace(event.OFFER, sa.number, b"\x01" + body)
    raise Refusal(reason.NO_COMMON_PROPOSAL, iana.NO_PROPOSAL_CHOSEN)


def _hashes():
    """Of what we verify signatures (RFC 7427 section 4): SHA2-256, 384, 512, and what Ed25519 signs (RFC 8420)."""
    numbers = (iana.SHA2_256, iana.SHA2_384, iana.SHA2_512, iana.HASH_IDENTITY)
    return notify(iana.SIGNATURE_HASH_ALGORITHMS, b"".join([bytes((0, number)) for number in numbers]))


def _number(offered, transforms):
    return proposals.choose(offered, [transforms], iana.PROTO_IKE, 0)[0]


def _can_fragment(sa):
    """Our word that we speak RFC 7383."""
    return [notify(iana.IKEV2_FRAGMENTATION_SUPPORTED)] if sa.connection.fragmentation else []


def _agree_fragments(sa, message):
    """Messages may be fragmented from now on when both sides say so (RFC 7383 section 2.3)."""
    if sa.connection.fragmentation and message.notify(iana.IKEV2_FRAGMENTATION_SUPPORTED) is not None:
        sa.fragment_size = sa.connection.fragment_size


def _agree(sa, exchange, public):
    """Finishes the key exchange with the peer's public value and makes the keys of the SA."""
    crypto, nonces = sa.endpoint.crypto, sa.setup.nonce_i + sa.setup.nonce_r
    shared = ke.agree(exchange, public, 0 if sa.initiator else iana.INVALID_SYNTAX)
    # SKEYSEED = prf(Ni | Nr, g^ir)
    keys.make_ike_keys(sa, crypto.prf(proposals.get(sa.transforms, iana.PRF)[0], nonces, shared), nonces)
    if sa.endpoint.trace:
        sa.endpoint.trace(event.IKE_PROPOSAL, sa.number, proposals.pack(sa.transforms))
