"""USE_PPK is in the clear (RFC 8784): whoever takes it away may end a negotiation, and never has one without the PPK."""

import pytest

from tests.attack.attacker import Insider, chain, split, throw, works
from tests.world import BOARD, World, connection
from uike import iana

MAY = {"ppk": bytearray(b"a key that no quantum computer finds"), "ppk_id": b"ppk@example"}
MUST = {**MAY, "ppk_required": True}


def strip(wire, responses):
    """A man in the middle takes USE_PPK out of IKE_SA_INIT: out of the request (False), the response (True), or both."""

    def change(exchange, response, first, raw):
        if exchange != iana.IKE_SA_INIT or response not in responses:
            return None
        rows = [row for row in split(first, raw) if row[0] != iana.N or row[1][2] << 8 | row[1][3] != iana.USE_PPK]
        return [(rows[0][0], chain(rows))]

    attackers = [Insider(wire, side, change) for side in (wire.board, wire.gateway)]
    filters = [each._filter for each in attackers]
    wire.filter = lambda sender, datagram, port: filters[sender is wire.gateway](sender, datagram, port)


@pytest.mark.parametrize("responses", [(False,), (True,), (False, True)], ids=["request", "response", "both"])
@pytest.mark.parametrize("ours", [MAY, MUST], ids=["we may", "we must"])
@pytest.mark.parametrize("theirs", [MAY, MUST], ids=["they may", "they must"])
def test_a_man_in_the_middle(ours, theirs, responses):
    """AUTH covers IKE_SA_INIT as it was sent and as it came: what was taken out of a message is missed.

    A responder cannot know what came of its own response, and need not insist on a PPK: only then it has an SA, until
    the initiator has read its AUTH."""
    wire = World(connection(True, **ours), connection(False, **theirs))
    strip(wire, responses)
    wire.connect()
    wire.run(wire.now + 60_000)
    misled = ours is theirs is MAY and responses == (True,)
    for side in (wire.board,) if misled else (wire.board, wire.gateway):
        assert not side.said("CHILD_UP") and not side.said("ESTABLISHED")
    assert not wire.board.endpoint.sas and not wire.gateway.endpoint.sas
    if misled:
        assert wire.board.closed() == ["PSK_DIFFERS"] and wire.gateway.closed() == ["PEER_SAID_AUTH_FAILED"]
    elif ours is MUST:  # not even IKE_AUTH, in which it would tell who it is
        assert wire.board.closed() == ["PPK_NOT_OFFERED"] and wire.gateway.closed() == ["HALF_OPEN_TIMEOUT"]
    else:
        assert wire.board.closed() == ["PEER_SAID_AUTH_FAILED"]
        said = {"PPK_NOT_OFFERED", "PPK_NOT_USED"} if theirs is MUST else {"PSK_DIFFERS"}
        assert len(wire.gateway.closed()) == 1 and set(wire.gateway.closed()) <= said
    assert not wire.internal_errors()


def test_an_answer_without_it_that_somebody_throws_in():
    """Nobody signed it: a board that must have a PPK waits for a better one, which comes."""
    donor = World(connection(True, **MUST), connection(False), seed=2)
    wire = World(connection(True, **MUST), connection(False, **MUST))
    board = wire.board.endpoint
    board.connect(board.connections[0], BOARD, "192.0.2.1", 0)
    ((request, _, _),) = board.outgoing()
    donor.gateway.endpoint.receive(bytearray(request), ("192.0.2.1", 500), (BOARD, 500), 0)
    ((without, _, _),) = donor.gateway.endpoint.outgoing()
    throw(wire, wire.board, bytes(without), port=500)
    assert wire.board.rejected() == ["PPK_NOT_OFFERED"] and not wire.board.closed()
    wire.run(20_000)
    assert not wire.board.closed() and works(wire)
