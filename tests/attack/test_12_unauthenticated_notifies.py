"""What nobody signed is not believed: errors, cookies, groups, redirections in the clear, forged by who sees the wire."""

import pytest

from tests.attack.attacker import MARKER, STRANGER, throw, up, works
from tests.attack.test_10_exhaustion import Worker
from tests.fuzz.test_receive import STATES
from tests.world import BOARD, CBC, GATEWAY, World, connection
from uike import iana
from uike.wire.message import build, notify

REDIRECT = 16407
KINDS = sorted({*range(0, 50), 8_192, 16_383, *range(16_384, 16_440), 40_960, 65_535})
OTHER = ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0), (4, 19, 0))  # two groups, so that one can be asked for


def forged(spi, payloads, exchange=iana.IKE_SA_INIT, spi_r=bytes(8), message_id=0, flags=iana.FLAG_RESPONSE):
    return bytes(build(spi, spi_r, exchange, flags, message_id, payloads))


def asking(offer=CBC):
    """A board whose first request is under way, with the count of its key exchanges."""
    wire = World(connection(True, proposals=(offer,)), connection(False))
    board = wire.board.endpoint
    board.crypto = Worker()
    board.connect(board.connections[0], BOARD, GATEWAY, 0)
    return wire, board


def answered_by_the_gateway(wire):
    """The true answer comes at last, and counts."""
    wire.settle()
    wire.run(wire.now + 20_000)
    return not wire.board.closed() and len(wire.board.endpoint.sas) == 1 and works(wire)


@pytest.mark.parametrize("data", [b"", b"\0\x13", b"\0\x1f", bytes(64)], ids=bytes.hex)
def test_every_notify_in_the_place_of_the_first_answer(data):
    for kind in KINDS:
        wire, board = asking()
        assert len(board.outgoing()) == 1  # lost
        throw(wire, wire.board, forged(wire.board.sa.spi_i, [notify(kind, data)]), port=500)
        again = [(GATEWAY, 500)] if kind == iana.COOKIE and data else []
        assert [to for _, to, _ in board.out] == again and board.crypto.exchanges == 1, kind
        assert not wire.board.closed(), kind
        assert answered_by_the_gateway(wire), kind


@pytest.mark.parametrize("kind", [iana.COOKIE, iana.INVALID_KE_PAYLOAD, "both"])
def test_restarts_are_bounded(kind):
    """A storm of either kind makes the board ask four times more, and compute as often; then it waits for a better one."""
    wire, board = asking(OTHER)
    spi, requests = wire.board.sa.spi_i, set()
    for number in range(100):
        requests |= {bytes(datagram) for datagram, _, _ in board.outgoing()}
        wanted = (b"\0\x13", b"\0\x1f")[number % 2]
        cookie = notify(iana.COOKIE, bytes((number + 1,)) * 20)
        change = notify(iana.INVALID_KE_PAYLOAD, wanted)
        payload = {iana.COOKIE: cookie, iana.INVALID_KE_PAYLOAD: change, "both": (cookie, change)[number // 2 % 2]}[
            kind
        ]
        throw(wire, wire.board, forged(spi, [payload]), port=500)
    assert (
        len(requests) == 5 and board.crypto.exchanges == {iana.COOKIE: 1, iana.INVALID_KE_PAYLOAD: 5, "both": 3}[kind]
    )
    assert not wire.board.closed()
    board.tick(wire.now + 100)
    wire.run(2_500)  # the last request again
    assert answered_by_the_gateway(wire)


def test_refusals_that_nothing_better_follows_are_believed_late():
    """A peer that truly refuses has no way to sign that: after the second sending it is taken at its word."""
    wire, board = asking()
    for _ in range(3):
        throw(wire, wire.board, forged(wire.board.sa.spi_i, [notify(iana.NO_PROPOSAL_CHOSEN)]), port=500)
    board.outgoing()
    wire.filter = lambda sender, datagram, port: []
    wire.run(2_000)
    assert not wire.board.closed()
    wire.run(8_000)
    assert wire.board.closed() == ["PEER_SAID_NO_PROPOSAL"]


def test_a_redirection_in_the_clear_leads_nowhere():
    """RFC 5685: it was not asked for. The board goes on with the gateway that it was configured for."""
    where = bytes((1, 4, 198, 51, 100, 66))
    nonce = bytes(range(32))
    wire, board = asking()
    for payloads in ([notify(REDIRECT, where)], [notify(REDIRECT, where + nonce), (iana.NONCE, nonce)]):
        throw(wire, wire.board, forged(wire.board.sa.spi_i, payloads), port=500)
        throw(wire, wire.board, forged(wire.board.sa.spi_i, payloads), STRANGER, 500)
    assert [to for _, to, _ in board.out] == [(GATEWAY, 500)]
    assert wire.board.sa.remote == (GATEWAY, 500) and answered_by_the_gateway(wire)


LATER = [state for state in STATES if state.__name__ not in ("idle", "initiator_in_init")]


@pytest.mark.parametrize("state", LATER, ids=lambda state: state.__name__)
@pytest.mark.parametrize("response", [False, True], ids=["request", "response"])
def test_every_notify_in_every_later_state(state, response):
    """Right SPIs, right message ID, right exchange: whatever is not encrypted is dropped, and never answered."""
    wire, pick = state()
    side = pick(wire)
    sa = side.sa
    side.endpoint.outgoing(), side.log.clear()
    before = (sa.state, sa.send_id, sa.receive_id, sa.remote, len(sa.children))
    flags = (iana.FLAG_RESPONSE if response else 0) | (0 if sa.initiator else iana.FLAG_INITIATOR)
    count = 0
    for exchange in (iana.IKE_AUTH, iana.CREATE_CHILD_SA, iana.INFORMATIONAL):
        for kind in KINDS:
            for source in (None, (STRANGER[0], 4500)):
                number = sa.send_id if response else sa.receive_id
                data = forged(sa.spi_i, [notify(kind, b"\0\x13")], exchange, sa.spi_r, number, flags)
                throw(wire, side, MARKER + data, source)
                count += 1
    assert not side.endpoint.outgoing() and not wire.internal_errors()
    assert before == (sa.state, sa.send_id, sa.receive_id, sa.remote, len(sa.children))
    assert len(side.dropped()) == count and set(side.dropped()) <= {"NOT_ENCRYPTED", "UNEXPECTED_RESPONSE"}


def test_an_encrypted_payload_beside_a_notify_in_the_clear():
    """A notify in front of the Encrypted payload, or behind it, is not part of it: the message is dropped."""
    from tests.attack.attacker import chain, sealed

    wire = up()
    good = sealed(wire.board.sa, iana.INFORMATIONAL, False, wire.board.sa.send_id, 0, b"")[4:]
    outside = chain([notify(iana.AUTHENTICATION_FAILED)])
    front = bytearray(good[:28]) + bytes((iana.SK,)) + outside[1:] + good[28:]
    front[16] = iana.N
    behind = bytearray(good) + outside
    behind[28] = iana.N
    for data in (front, behind):
        data[24:28] = len(data).to_bytes(4, "big")
        throw(wire, wire.gateway, MARKER + bytes(data))
    assert wire.gateway.dropped() == ["NOT_ENCRYPTED", "PAYLOAD_LENGTH"] and not wire.gateway.endpoint.outgoing()
    assert works(wire)
