"""EAP in IKE_AUTH, the responder's side (RFC 7296 section 2.16, RFC 3748). Transient, loaded by `ike/accept`.

We prove ourselves first, ask for a name, and for the password of that name by the first of our methods that the peer
takes. Rounds need no counter: each request is another one, and no method begins twice. A name that nobody has costs the
same rounds as a wrong password. The user, and not the identity of IKE, is whom the SA belongs to.
"""

from binascii import hexlify

from uike import event, iana, reason
from uike.crypto import equal
from uike.eap.packet import build, parse, refuse
from uike.ike import accept, auth
from uike.transient import load
from uike.wire.refusal import Refusal

USER_MAX = 256  # bytes of the name that a peer says
_DETAIL_MAX = 48
_SHARED = bytes((iana.AUTH_SHARED_KEY, 0, 0, 0))
_METHODS = {iana.EAP_MSCHAPV2: "uike.eap.mschapv2_server", iana.EAP_MD5: "uike.eap.md5_server"}


def respond(sa, request, body):
    """The first request of IKE_AUTH and those that follow; `body` is that of its AUTH payload, None as it should be."""
    if body is not None:  # what we prove ourselves by is nobody else's proof
        raise refuse(reason.AUTH_METHOD_REFUSED, body[:1])
    talk = _Talk()
    try:
        #       <-- HDR, SK {IDr, [CERT,] AUTH, EAP}
        # HDR, SK {EAP} -->
        #       <-- HDR, SK {EAP}, as often as the method wants
        user, key = yield from talk.converse(sa, accept.prove(sa))
    except Refusal as refusal:
        message = talk.message
        if message is None:  # we could not even prove ourselves
            raise
        goes_on = message.exchange == iana.IKE_AUTH
        if not goes_on and not talk.verdict:
            return _leave(sa, message, refusal)
        sa.endpoint.end(sa, talk.verdict or refusal, message, False)
        #       <-- HDR, SK {EAP (failure)}
        return [build(iana.EAP_FAILURE, talk.number)] if goes_on else []
    #           <-- HDR, SK {EAP (success)}
    message = yield [build(iana.EAP_SUCCESS, talk.number)]
    # HDR, SK {AUTH} -->
    body = message.body(iana.AUTH)
    if message.exchange != iana.IKE_AUTH:
        return _leave(sa, message, Refusal(reason.WRONG_EXCHANGE, iana.INVALID_SYNTAX))
    if body is None:
        raise Refusal(reason.PAYLOAD_MISSING, iana.INVALID_SYNTAX)
    octets = auth.octets_of(sa, True, request.body(iana.IDi))
    if body[:1] != _SHARED[:1] or not equal(auth.mac(sa, octets, key or sa.sk_pi), body[4:]):
        raise refuse(reason.EAP_KEY_DIFFERS)
    octets = auth.octets_of(sa, False, auth.id_body(sa.connection.local_id))
    #           <-- HDR, SK {AUTH, [CP(CFG_REPLY),] [SAr2, TSi, TSr]}
    proof = [(iana.AUTH, _SHARED + auth.mac(sa, octets, key or sa.sk_pr))]
    return accept.welcome(sa, request, (iana.ID_FQDN, user), proof)


def _leave(sa, message, refusal):
    """The peer may go, as it does when it does not believe us; all else waits until it is known."""
    if message.exchange == iana.INFORMATIONAL:
        payloads = load("uike.ike.info").respond(sa, message)
        if sa.state == event.STATE_DELETING:
            return payloads
    raise refusal


class _Talk:
    """One conversation: the newest message of the peer's, and the identifier of our newest packet.

    `verdict` is a Refusal once the password was wrong: whatever the peer says after it was told."""

    message = verdict = None
    number = 0

    def converse(self, sa, proof):
        """The rounds; `proof` goes out with the first. Returns the user's name, and the MSK or None."""
        kind, user = yield from self._ask(iana.EAP_IDENTITY, b"", proof)
        if kind != iana.EAP_IDENTITY or not 0 < len(user) <= USER_MAX:
            raise refuse(reason.BAD_EAP)
        known, password = False, hexlify(sa.endpoint.random(12))  # nobody has it, so no guess is right
        for name, each in sa.connection.eap_users:
            if equal(name, user):
                known, password = True, each
        left = getattr(sa.connection, "eap_methods", (iana.EAP_MSCHAPV2, iana.EAP_MD5))
        wanted = bytes(left)
        while True:
            found = [kind for kind in left if kind in wanted]
            if not found:
                raise refuse(reason.EAP_METHODS_REFUSED_BY_PEER, wanted[:_DETAIL_MAX])
            left = [kind for kind in left if kind != found[0]]
            method = load(_METHODS[found[0]]).Method(sa, user, password)
            kind, data = yield from self._ask(method.kind, method.ask(self.number + 1))
            if kind != iana.EAP_NAK:
                break
            wanted = data
        while kind == method.kind:
            data = method.hear(self.number, data)
            if method.wrong or not known:
                why = reason.EAP_WRONG_PASSWORD if known else reason.EAP_UNKNOWN_USER
                self.verdict = refuse(why, user[:_DETAIL_MAX])
            if data is None:
                if self.verdict:
                    raise self.verdict
                return user, method.msk
            kind, data = yield from self._ask(method.kind, data)
        raise refuse(reason.BAD_EAP)

    def _ask(self, kind, data, before=()):
        """(type, data) of the response to a request, behind the payloads `before`."""
        self.number += 1
        self.message = yield list(before) + [build(iana.EAP_REQUEST, self.number, kind, data)]
        if self.message.exchange != iana.IKE_AUTH:
            raise Refusal(reason.WRONG_EXCHANGE, iana.INVALID_SYNTAX)
        code, number, kind, data = parse(self.message.body(iana.EAP))
        if code != iana.EAP_RESPONSE or number != self.number or self.message.body(iana.AUTH) is not None:
            raise refuse(reason.BAD_EAP)
        return kind, data
