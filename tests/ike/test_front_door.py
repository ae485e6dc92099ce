"""What a stranger gets at the door: a cookie, a limit, a rare error in the clear. RFC 7296 sections 2.6 and 2.21.4."""

import pytest

from tests import world
from tests.world import BOARD, GATEWAY, World, connection
from uike import iana
from uike.wire import message


def knock(wire, seed, address=BOARD, now=0):
    """A fresh IKE_SA_INIT request from `address`: (it, what the gateway answered)."""
    side = world.Side(address, [connection(True)], seed)
    side.endpoint.connect(side.endpoint.connections[0], address, GATEWAY, 0)
    ((request, _, _),) = side.endpoint.outgoing()
    return bytes(request), send(wire, request, address, now)


def send(wire, data, address=BOARD, now=0):
    wire.gateway.endpoint.receive(bytes(data), (GATEWAY, 500), (address, 500), now)
    return [bytes(datagram) for datagram, _, _ in wire.gateway.endpoint.outgoing()]


def read(data):
    got = message.Message(bytearray(data))
    got.read(got.first, message.HEADER, len(data))
    return got


def with_cookie(request, cookie):
    got = read(request)
    payloads = [(kind, request[start:end]) for kind, start, end in got.payloads]
    payloads.insert(0, message.notify(iana.COOKIE, cookie))
    return message.build(got.spi_i, got.spi_r, got.exchange, iana.FLAG_INITIATOR, 0, payloads)


def asked(wire=None, seed=100, **where):
    """A gateway that always asks, a request, and the cookie that it was answered with."""
    wire = wire or World(responder=connection(False, cookie_threshold=0))
    request, (answer,) = knock(wire, seed, **where)
    return wire, request, read(answer).notify(iana.COOKIE)


def test_above_the_threshold_a_cookie_and_no_state():
    # HDR(A,0), SAi1, KEi, Ni  -->   <--  HDR(A,0), N(COOKIE)
    wire = World()
    for i in range(3):
        knock(wire, i, f"198.51.100.{i}")
    request, (answer,) = knock(wire, 50)
    got = read(answer)
    assert [kind for kind, _, _ in got.payloads] == [iana.N] and len(got.notify(iana.COOKIE)) == 21
    assert got.spi_r == bytes(8) and got.response and len(answer) <= len(request)
    assert len(wire.gateway.endpoint.sas) == 3 and wire.gateway.dropped() == ["COOKIE_WANTED"]


def test_two_engines_meet_by_cookie():
    wire = World(responder=connection(False, cookie_threshold=0)).connect()
    assert len(wire.board.endpoint.sad.outbound) == 1 and wire.gateway.dropped() == ["COOKIE_WANTED"]


def test_cookie_and_then_another_group():
    # Ni -->  <-- N(COOKIE);  COOKIE, KEi -->  <-- N(INVALID_KE_PAYLOAD);  COOKIE, KEi' -->
    both = ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0), (4, 19, 0))
    only = ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 19, 0))
    wire = World(connection(True, proposals=(both,)), connection(False, proposals=(only,), cookie_threshold=0))
    wire.connect()
    assert len(wire.board.endpoint.sad.outbound) == 1
    assert wire.gateway.dropped().count("COOKIE_WANTED") == 1


@pytest.mark.parametrize("spoil", ["bit", "address", "nonce", "short"])
def test_a_cookie_is_for_one_request_from_one_address(spoil):
    wire, request, cookie = asked()
    address = "198.51.100.9" if spoil == "address" else BOARD
    if spoil == "bit":
        cookie = cookie[:-1] + bytes([cookie[-1] ^ 1])
    elif spoil == "short":
        cookie = cookie[:-1]
    elif spoil == "nonce":
        request, _ = knock(wire, 101)
    send(wire, with_cookie(request, cookie), address)
    assert not wire.gateway.endpoint.sas and set(wire.gateway.dropped()) == {"COOKIE_WANTED"}


@pytest.mark.parametrize("secrets, good", [(0, True), (1, True), (2, False)])
def test_the_old_secret_is_honoured_once_more(secrets, good):
    wire, request, cookie = asked()
    for i in range(secrets):
        knock(wire, 200 + i, now=60_000 * (i + 1))
    send(wire, with_cookie(request, cookie), now=60_000 * secrets)
    assert len(wire.gateway.endpoint.sas) == int(good)


def test_a_secret_makes_so_many_cookies():
    wire, _, first = asked()
    wire.gateway.endpoint.admission.made = 4_096
    assert asked(wire, 101)[2][0] == first[0] + 1


def test_one_address_has_a_limit_and_room_for_its_owner():
    wire = World(responder=connection(False, cookie_threshold=5))
    for i in range(2):
        knock(wire, i)
    for i in range(2, 5):
        _, request, cookie = asked(wire, i)
        send(wire, with_cookie(request, cookie))
    assert len(wire.gateway.endpoint.sas) == 4
    assert wire.gateway.dropped() == ["COOKIE_WANTED"] * 3 + ["HALF_OPEN_OF_ADDRESS"]


def stray(flags=iana.FLAG_INITIATOR, size=40):
    return message.build(b"i" * 8, b"r" * 8, iana.INFORMATIONAL, flags, 7, [(iana.SK, bytes(size - 32))])


def test_a_message_for_an_unknown_sa_is_told_so_rarely():
    wire = World()
    (answer,) = send(wire, stray())
    got = read(answer)
    assert got.error() == (iana.INVALID_IKE_SPI, b"") and got.response and not got.from_initiator
    assert (got.spi_i, got.spi_r, got.id) == (b"i" * 8, b"r" * 8, 7)
    assert not send(wire, stray(), now=249) and send(wire, stray(), now=250)
    assert set(wire.gateway.dropped()) == {"UNKNOWN_IKE_SPI"}


@pytest.mark.parametrize("data", [stray(iana.FLAG_INITIATOR | iana.FLAG_RESPONSE), stray(size=35)])
def test_never_an_answer_to_an_answer_nor_a_longer_one(data):
    assert not send(World(), data)


def test_forged_refusals_do_not_end_a_negotiation():
    # SAi1, KEi, Ni -->   <-- N(NO_PROPOSAL_CHOSEN), N(INVALID_SYNTAX)  (of somebody else)   <-- SAr1, KEr, Nr
    wire = World()
    board = wire.board.endpoint
    board.connect(board.connections[0], BOARD, GATEWAY, 0)
    spi = board.sas[0].spi_i
    for kind in (iana.NO_PROPOSAL_CHOSEN, iana.INVALID_SYNTAX, iana.INVALID_IKE_SPI, iana.REDIRECT_SUPPORTED - 1):
        payloads = [message.notify(kind)]
        forged = message.build(spi, bytes(8), iana.IKE_SA_INIT, iana.FLAG_RESPONSE, 0, payloads)
        board.receive(bytes(forged), (BOARD, 500), (GATEWAY, 500), 0)
    board.outgoing()  # lost
    wire.run(2_500)
    assert not wire.board.closed() and len(board.sad.outbound) == 1
