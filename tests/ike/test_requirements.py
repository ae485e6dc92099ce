"""Requirements of RFC 7296 that no other file singles out: what is ignored, what is refused, what is never answered."""

import pytest

from tests.fuzz.test_receive import pad, seal_raw
from tests.handshake import lifetime, messages
from tests.ike.test_rekey import agree, rekey_child, start, tunnel, works
from tests.world import BOARD, ESP_CBC, GATEWAY, NETWORK, World
from uike import event, iana
from uike.ike import sk
from uike.wire import message, proposals, selectors


def deliver(wire, sender, target, datagrams):
    """Hands datagrams of one side to the other; returns those that it sends back."""
    for datagram in datagrams:
        source = (sender.address, 4500)
        target.endpoint.receive(bytearray(4) + datagram, (target.address, 4500), source, wire.now)
    return target.endpoint.outgoing()


def request(wire, exchange, payloads):
    """A request of the board's with these payloads: what the gateway answers."""
    board = wire.board.sa
    return deliver(wire, wire.board, wire.gateway, sk.seal(board, exchange, False, board.send_id, payloads))


def chain(data):
    """(type, flags, body) of each payload of a message in the clear."""
    kind, at, found = data[16], 28, []
    while kind:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        found.append((kind, data[at + 1], data[at + 4 : at + size]))
        kind, at = data[at], at + size
    return found


def last_sent(side):
    """The payloads of the last message that a side sent."""
    return chain([data for sent, data in messages(side) if sent][-1])


def test_fields_of_what_we_send():
    """Version 2.0, no flag but I and R, I for the initiator alone, nothing critical or reserved, IDs from 0 upwards."""
    wire, _ = lifetime()
    for side, initiator in ((wire.board, True), (wire.gateway, False)):
        sent = [data for out, data in messages(side) if out]
        for number, data in enumerate(sent):
            assert data[17] == 0x20
            assert data[19] == (iana.FLAG_INITIATOR if initiator else iana.FLAG_RESPONSE)
            assert int.from_bytes(data[20:24], "big") == number
            assert all(flags == 0 for _, flags, _ in chain(data))
        assert data[18] == iana.INFORMATIONAL and len(sent) == 3
    first = messages(wire.board)[0][1]
    assert first[:8] != bytes(8) and first[8:16] == bytes(8)


def test_an_unknown_critical_payload_is_named_in_the_answer():
    # --> INFORMATIONAL { 200, critical }     <-- { N(UNSUPPORTED_CRITICAL_PAYLOAD, 200) }
    wire = tunnel()
    data = seal_raw(wire.board.sa, iana.INFORMATIONAL, False, wire.board.sa.send_id, 200, pad(b"\0\x80\0\x06??"))
    assert len(deliver(wire, wire.board, wire.gateway, [data[4:]])) == 1
    assert last_sent(wire.gateway) == [(iana.N, 0, b"\0\0\0\x01\xc8")]


@pytest.mark.parametrize(
    "payload",
    [message.notify(40_000, b"?"), message.notify(8_000), (iana.V, b"somebody"), (200, b"??"), (iana.CP, b"?")],
)
def test_what_is_not_known_is_passed_over(payload):
    # --> INFORMATIONAL { N(unknown status or error) or V or an unknown payload }     <-- { }
    wire = tunnel()
    assert len(request(wire, iana.INFORMATIONAL, [payload])) == 1
    assert last_sent(wire.gateway) == [] and wire.gateway.sa.state == event.STATE_ESTABLISHED


@pytest.mark.parametrize("size", [15, 257])
def test_a_nonce_of_a_wrong_size(size):
    wire = tunnel()
    offer = proposals.build([ESP_CBC], iana.PROTO_ESP, b"spi4")
    ts = selectors.build([NETWORK])
    request(wire, iana.CREATE_CHILD_SA, [(iana.SA, offer), (iana.NONCE, bytes(size)), (iana.TSi, ts), (iana.TSr, ts)])
    assert [kind for kind, _, _ in last_sent(wire.gateway)] == [iana.N]
    assert len(wire.gateway.said("CHILD_UP")) == 1


def test_an_old_message_id():
    """Its response is forgotten: it is neither answered nor obeyed, and neither is one from beyond the window."""
    wire = tunnel()
    board = wire.board.sa
    for number in (0, board.send_id - 2, board.send_id + 1, 2**32 - 1):
        wire.gateway.log.clear()
        data = sk.seal(board, iana.INFORMATIONAL, False, number, [])
        assert deliver(wire, wire.board, wire.gateway, data) == []
        assert wire.gateway.dropped() == ["WRONG_MESSAGE_ID"]


@pytest.mark.parametrize("exchange", [iana.IKE_AUTH, iana.CREATE_CHILD_SA, iana.INFORMATIONAL])
@pytest.mark.parametrize("flags", [iana.FLAG_INITIATOR, iana.FLAG_RESPONSE, iana.FLAG_INITIATOR | iana.FLAG_RESPONSE])
@pytest.mark.parametrize("kind", [iana.INVALID_IKE_SPI, iana.INVALID_SYNTAX])
def test_an_unprotected_message_changes_nothing_and_only_an_unknown_spi_is_answered(exchange, flags, kind):
    wire = tunnel()
    sa = wire.gateway.sa
    before = (sa.state, sa.send_id, sa.receive_id, len(sa.children))
    for spis in ((sa.spi_i, sa.spi_r), (b"unknown!", b"as well!"), (bytes(8), sa.spi_r)):
        data = message.build(*spis, exchange, flags, sa.receive_id, [message.notify(kind)])
        answers = deliver(wire, wire.board, wire.gateway, [data])
        stranger = spis[0] == b"unknown!" and not flags & iana.FLAG_RESPONSE
        told = message.build(*spis, exchange, iana.FLAG_RESPONSE, sa.receive_id, [message.notify(iana.INVALID_IKE_SPI)])
        assert [bytes(answer[0])[4:] for answer in answers] == ([bytes(told)] if stranger else [])
    assert (sa.state, sa.send_id, sa.receive_id, len(sa.children)) == before
    assert len(wire.gateway.dropped()) == 3 and wire.gateway.dropped()[1:] == ["UNKNOWN_IKE_SPI", "ZERO_INITIATOR_SPI"]
    assert works(wire)


FORGED = [
    [message.notify(iana.NO_PROPOSAL_CHOSEN)],
    [message.notify(iana.INVALID_KE_PAYLOAD, b"\0\x02")],
    [message.notify(iana.INVALID_SYNTAX)],
    [message.notify(iana.AUTHENTICATION_FAILED)],
    [(iana.SA, proposals.build([ESP_CBC], iana.PROTO_IKE)), (iana.KE, b"\0\x1f\0\0?"), (iana.NONCE, bytes(32))],
]


@pytest.mark.parametrize("payloads", FORGED)
def test_a_forged_answer_to_ike_sa_init_is_not_believed(payloads):
    wire = World()
    board = wire.board.endpoint
    board.connect(board.connections[0], BOARD, GATEWAY, 0)
    data = message.build(wire.board.sa.spi_i, b"attacker", iana.IKE_SA_INIT, iana.FLAG_RESPONSE, 0, payloads)
    board.receive(bytearray(data), (BOARD, 500), (GATEWAY, 500), 0)
    assert not wire.board.closed()
    wire.settle()
    assert agree(wire) == (1, 1) and works(wire)


def test_two_deletes_for_one_child_sa_cross():
    """Each names its own SPI in its request, and none in its response (section 1.4.1)."""
    wire = tunnel()
    for side in (wire.board, wire.gateway):
        start(side, "info", "delete_child", side.sa, side.sa.children[0], 91)
    wire.settle()
    for side in (wire.board, wire.gateway):
        found = [data for _, data in messages(side) if data[18] == iana.INFORMATIONAL]
        asked = [chain(data) for data in found if not data[19] & iana.FLAG_RESPONSE]
        answered = [chain(data) for data in found if data[19] & iana.FLAG_RESPONSE]
        assert [len(each) for each in asked] == [1, 1] and answered == [[], []]
    assert agree(wire) == (1, 0)


def answered(wire, kind):
    """The board's rekeying of its Child SA, answered with a notify."""
    rekey_child(wire.board)
    wire.board.endpoint.outgoing()  # what the gateway never sees
    sa = wire.gateway.sa
    data = sk.seal(sa, iana.CREATE_CHILD_SA, True, wire.board.sa.send_id, [message.notify(kind)])
    return deliver(wire, wire.gateway, wire.board, data)


def test_an_unknown_error_means_that_the_request_failed():
    wire = tunnel()
    assert answered(wire, 8_192) == []
    assert wire.board.rejected() == ["PEER_ERROR"]
    assert wire.board.sa.state == event.STATE_ESTABLISHED and agree(wire) == (1, 1)


def test_after_temporary_failure_we_wait():
    wire = tunnel(esp_rekey_ms=3_600_000)
    sent = len(wire.wire)
    assert answered(wire, iana.TEMPORARY_FAILURE) == []
    assert wire.board.rejected() == ["PEER_SAID_LATER"]
    wire.gateway.sa.receive_id += 1  # as if it had had the request
    wire.run(4_900)
    assert len(wire.wire) == sent
    wire.run(21_000)
    assert len(wire.board.said("CHILD_REKEYED")) == 1 and agree(wire) == (1, 1)


def test_inbound_traffic_is_a_sign_of_life():
    wire = tunnel()
    for seconds in range(20, 200, 20):
        wire.run(seconds * 1_000)
        assert works(wire)
    assert not wire.board.said("LIVENESS") and not wire.gateway.said("LIVENESS")
