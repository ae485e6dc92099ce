"""Missing, repeated and reordered payloads: in every exchange, from both roles."""

import pytest

from tests.attack.attacker import Insider, chain, split, up, works
from tests.ike.test_rekey import rekey_child, rekey_ike
from tests.world import World
from uike import event, iana

MESSAGES = [
    (exchange, response)
    for exchange in (iana.IKE_SA_INIT, iana.IKE_AUTH, iana.CREATE_CHILD_SA, iana.INFORMATIONAL)
    for response in (False, True)
]
MANDATORY = {
    (iana.IKE_AUTH, False): (iana.IDi, iana.AUTH, iana.SA, iana.TSi, iana.TSr),
    (iana.IKE_AUTH, True): (iana.IDr, iana.AUTH),
}


def play(wire):
    """Every exchange there is, as far as they go."""
    wire.connect()
    for step in (rekey_child, rekey_ike):
        for side in (wire.board, wire.gateway):
            if side.endpoint.sas and side.sa.state == event.STATE_ESTABLISHED and side.sa.children:
                step(side)
                wire.settle()
    wire.board.endpoint.close(None, wire.now)
    wire.settle()
    wire.run(wire.now + 200_000)


def kinds_of(wanted):
    """Payload types of that message in an honest run."""
    found = set()

    def look(exchange, response, first, raw):
        if (exchange, response) == wanted:
            found.update(kind for kind, _ in split(first, raw))

    wire = World()
    Insider(wire, wire.gateway if wanted[1] else wire.board, look)
    play(wire)
    return sorted(found)


@pytest.mark.parametrize("wanted", MESSAGES)
@pytest.mark.parametrize("how", ["missing", "twice", "backwards"])
def test_every_payload(wanted, how):
    for kind in [0] if how == "backwards" else kinds_of(wanted):
        for role in ("board", "gateway"):
            before = []

            def change(exchange, response, first, raw, kind=kind, before=before):
                if (exchange, response) != wanted:
                    return None
                payloads = split(first, raw)
                if how == "missing":
                    payloads = [row for row in payloads if row[0] != kind]
                elif how == "twice":
                    payloads += [row for row in payloads if row[0] == kind][:1]
                else:
                    payloads.reverse()
                before.append(kind)
                return [(payloads[0][0] if payloads else 0, chain(payloads))]

            wire = World()
            insider = Insider(wire, getattr(wire, role), change)
            play(wire)
            assert not wire.internal_errors(), (wanted, how, kind, role)
            assert not wire.board.endpoint.sas and not wire.gateway.endpoint.sas
            if how != "backwards" and before and kind in MANDATORY.get(wanted, ()):
                assert not insider.target.said("ESTABLISHED"), (wanted, how, kind)


@pytest.mark.parametrize("exchange", [iana.IKE_AUTH, iana.CREATE_CHILD_SA])
def test_order_means_nothing_under_protection(exchange):
    def change(kind, response, first, raw):
        payloads = split(first, raw)[::-1]
        return [(payloads[0][0], chain(payloads))] if kind == exchange and payloads else None

    wire = World()
    insider = Insider(wire, wire.board, change)
    wire.connect()
    if exchange == iana.CREATE_CHILD_SA:
        rekey_child(wire.board)
        wire.settle()
    assert insider.changed and works(wire) and works(up())
