"""REDIRECT (RFC 5685): one gateway sends the board to another one. The message sequence is in the comments."""

import pytest

from tests import world
from tests.ike.test_info import ask
from tests.ike.test_rekey import rekey_ike
from tests.world import BOARD, GATEWAY, World, connection
from uike import event, iana
from uike.ike import accept, redirect
from uike.net import icmp
from uike.wire import message
from uike.wire.address import pack

OTHER = "203.0.113.9"
IDENT = bytes((1, 4))


class Three(World):
    """The board and two gateways; each datagram goes to whoever has its address."""

    def __init__(self, board=(), gateway=(), other=()):
        super().__init__(connection(True, **{"redirect": True, **dict(board)}), connection(False, **dict(gateway)))
        self.other = world.Side(OTHER, [connection(False, **dict(other))], "other")

    def settle(self, rounds=200):
        sides = {side.address: side for side in (self.board, self.gateway, self.other)}
        for _ in range(rounds):
            moved = 0
            for side in sides.values():
                for datagram, (address, port), local_port in side.endpoint.outgoing():
                    self.wire.append((side.address, bytes(datagram), port))
                    moved += 1
                    for arriving in self.filter(side, bytes(datagram), port) if address in sides else ():
                        there, here = (address, port), (side.address, local_port)
                        sides[address].endpoint.receive(bytearray(arriving), there, here, self.now)
            if not moved:
                return
        raise AssertionError("the engines never fall silent")


AWAY, BACK = {"redirect_to": pack(OTHER)}, {"redirect_to": pack(GATEWAY)}


def works(wire, gateway):
    """Whether packets go both ways between the board and that gateway."""
    inner, outer = wire.board.endpoint.sas[-1].address, bytes((10, 1, 0, 1))
    for here, there, ends in ((wire.board, gateway, (inner, outer)), (gateway, wire.board, (outer, inner))):
        here.collect(), there.collect()
        assert here.endpoint.send_packet(icmp.request(*ends, 7, 1, 56), wire.now) == 0
        wire.settle()
        assert len(there.collect()) == 1
    assert not wire.internal_errors() and "LOCAL_ERROR" not in wire.other.dropped()
    return True


def requests(wire):
    """The IKE_SA_INIT requests of the board."""
    for sender, data, port in wire.wire:
        if sender == BOARD and port == 500:
            got = message.Message(bytearray(data))
            got.read(got.first, message.HEADER, len(data))
            yield got


def test_in_ike_sa_init():
    wire = Three(gateway=AWAY).connect()
    # --> IKE_SA_INIT { SA, KE, Ni, N(REDIRECT_SUPPORTED) }     <-- { N(REDIRECT, other, Ni) }, and nothing is kept
    # --> IKE_SA_INIT { SA, KE, Ni, N(REDIRECTED_FROM, gateway) }, to the other one     <-- { SA, KE, Nr }
    assert wire.board.closed() == ["REDIRECTED"] and wire.gateway.closed() == ["SENT_AWAY"]
    assert not wire.gateway.endpoint.sas and len(wire.board.endpoint.sas) == 1 and works(wire, wire.other)
    first, second = requests(wire)
    assert first.notify(iana.REDIRECT_SUPPORTED) == b"" and first.notify(iana.REDIRECTED_FROM) is None
    assert second.notify(iana.REDIRECT_SUPPORTED) is None
    assert second.notify(iana.REDIRECTED_FROM) == IDENT + pack(GATEWAY)
    answer = message.Message(bytearray(next(data for sender, data, _ in wire.wire if sender == GATEWAY)))
    answer.read(answer.first, message.HEADER, len(answer.buffer))
    assert answer.spi_r == bytes(8) and len(answer.payloads) == 1
    assert answer.notify(iana.REDIRECT) == IDENT + pack(OTHER) + first.body(iana.NONCE)
    assert wire.board.said("REDIRECTED") == [pack(GATEWAY) + b"\x01\xf4" + pack(OTHER) + b"\x01\xf4"]


def test_a_client_that_cannot_follow_is_served():
    wire = Three({"redirect": False}, AWAY).connect()
    (request,) = requests(wire)
    assert request.notify(iana.REDIRECT_SUPPORTED) is None and works(wire, wire.gateway)


def test_a_client_that_comes_from_there_is_served():
    """Two gateways that would both rather not: the second one serves."""
    wire = Three(gateway=AWAY, other=BACK).connect()
    assert works(wire, wire.other) and len(list(requests(wire))) == 2


def test_who_is_at_the_other_address_serves():
    """So all gateways of a group may have the same configuration."""
    wire = Three(gateway=AWAY, other=AWAY).connect()
    assert wire.other.closed() == [] and works(wire, wire.other)


@pytest.mark.parametrize("what", ["nonce", "name", "here", "nowhere", "not enabled", "short"])
def test_what_is_not_followed(what):
    """Forged before the gateway's own answer: noted, and the negotiation goes on."""
    wire = Three({"redirect": what != "not enabled"})
    board = wire.board.endpoint
    board.connect(board.connections[0], BOARD, GATEWAY, 0)
    sa = board.sas[0]
    nonce = sa.setup.nonce_i
    data = {
        "nonce": IDENT + pack(OTHER) + nonce[:-1] + bytes((nonce[-1] ^ 1,)),
        "name": bytes((3, 10)) + b"gw.example" + nonce,
        "here": IDENT + pack(GATEWAY) + nonce,
        "nowhere": IDENT + bytes(4) + nonce,
        "not enabled": IDENT + pack(OTHER) + nonce,
        "short": IDENT,
    }[what]
    payloads = [message.notify(iana.REDIRECT, data)]
    forged = message.build(sa.spi_i, bytes(8), iana.IKE_SA_INIT, iana.FLAG_RESPONSE, 0, payloads)
    board.receive(bytes(forged), (BOARD, 500), (GATEWAY, 500), 0)
    assert wire.board.rejected() == ["REDIRECT_REFUSED"] and board.sas == [sa]
    wire.settle()
    assert works(wire, wire.gateway)


def test_when_nothing_better_comes_that_is_the_reason():
    wire = Three({"redirect": False}, AWAY)
    wire.gateway.endpoint.connections[0].redirect_to = None
    wire.filter = lambda sender, datagram, port: [redirected(datagram)] if sender is wire.gateway else [datagram]
    wire.connect()
    wire.run(60_000)
    assert wire.board.closed() == ["REDIRECT_REFUSED"]


def redirected(datagram):
    payloads = [message.notify(iana.REDIRECT, IDENT + pack(OTHER))]
    return message.build(datagram[:8], bytes(8), iana.IKE_SA_INIT, iana.FLAG_RESPONSE, 0, payloads)


def circle(wire, monkeypatch):
    """Neither gateway looks at where the client comes from."""
    monkeypatch.setattr(redirect, "send_away", lambda sa, request: stubborn(sa, request))


def stubborn(sa, request):
    there = IDENT + sa.connection.redirect_to
    raise redirect.Refusal(redirect.reason.SENT_AWAY, iana.REDIRECT, there + request.body(iana.NONCE))


def test_a_circle_ends(monkeypatch):
    wire = Three(gateway=AWAY, other=BACK)
    circle(wire, monkeypatch)
    wire.connect()
    assert len(list(requests(wire))) == 6  # the first, and five more
    wire.run(120_000)
    assert wire.board.closed() == ["REDIRECTED"] * 5 + ["REDIRECTED_TOO_OFTEN"] and not wire.board.endpoint.sas


@pytest.mark.parametrize(("now", "goes"), [(299_999, False), (300_000, True)])
def test_five_minutes_later_it_may_go_on(now, goes):
    wire = Three().connect()
    wire.board.sa.redirected = (OTHER, [0] * 5)
    wire.now = now
    ask(wire.gateway, wire, [message.notify(iana.REDIRECT, IDENT + pack(OTHER))])
    assert wire.board.rejected() == ([] if goes else ["REDIRECTED_TOO_OFTEN"])
    assert len(wire.board.said("REDIRECTED")) == goes and works(wire, wire.other if goes else wire.gateway)


def test_in_ike_auth(monkeypatch):
    wire = Three()
    respond = accept.respond

    def away(sa, request):
        payloads = respond(sa, request)
        if sa.endpoint is wire.gateway.endpoint:
            payloads = payloads[:2] + [message.notify(iana.REDIRECT, IDENT + pack(OTHER))]
        return payloads

    monkeypatch.setattr(accept, "respond", away)
    # --> IKE_AUTH { IDi, AUTH, .. }     <-- { IDr, AUTH, N(REDIRECT, other) }
    # --> INFORMATIONAL { D(IKE) }     <-- { }     and all of it again with the other one
    wire.connect()
    wire.run(25_000)
    assert wire.board.closed() == ["REDIRECTED"] and wire.gateway.closed() == ["DELETED_BY_PEER"]
    assert [sa.remote[0] for sa in wire.board.endpoint.sas] == [OTHER] and works(wire, wire.other)


@pytest.mark.parametrize("rekeyed", [False, True])
def test_later(rekeyed):
    wire = Three().connect()
    if rekeyed:
        rekey_ike(wire.gateway)
        wire.settle()
        wire.run(25_000)
    # <-- INFORMATIONAL { N(REDIRECT, other) }     --> { }     and a new IKE SA before the old one goes
    assert ask(wire.gateway, wire, [message.notify(iana.REDIRECT, IDENT + pack(OTHER))]) == []
    wire.run(60_000)
    assert [sa.remote[0] for sa in wire.board.endpoint.sas] == [OTHER] and works(wire, wire.other)
    assert len(wire.board.said("REAUTHENTICATED")) == 1 and not wire.board.closed()
    assert wire.gateway.closed() == ["DELETED_BY_PEER"] and not wire.gateway.endpoint.sas


def test_later_but_nobody_is_there():
    """The old SA stays, and serves."""
    wire = Three()
    wire.filter = lambda sender, datagram, port: [] if sender is wire.other else [datagram]
    wire.connect()
    ask(wire.gateway, wire, [message.notify(iana.REDIRECT, IDENT + pack(OTHER))])
    ask(wire.gateway, wire, [message.notify(iana.REDIRECT, IDENT + pack(OTHER))])  # once is enough
    assert len(wire.board.endpoint.sas) == 2
    wire.run(120_000)
    assert wire.board.closed() == ["NO_ANSWER"]
    assert [sa.remote[0] for sa in wire.board.endpoint.sas] == [GATEWAY] and works(wire, wire.gateway)


@pytest.mark.parametrize("side", ["client", "gateway"])
def test_later_who_must_not_be_sent_away_stays(side):
    """A client that has not been told to follow, and a gateway whose client would send it away."""
    wire = Three({"redirect": False}).connect()
    who = wire.gateway if side == "client" else wire.board
    assert ask(who, wire, [message.notify(iana.REDIRECT, IDENT + pack(OTHER))]) == []
    assert not wire.other.log and works(wire, wire.gateway)


def test_the_end_of_it_is_told_to_the_application():
    wire = Three(gateway=AWAY).connect()
    kinds = [kind for kind, _, _ in wire.board.endpoint.events()]
    assert kinds == [event.CLOSED, event.ADDRESS, event.ESTABLISHED]
