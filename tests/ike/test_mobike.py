"""MOBIKE (RFC 4555): the board gets another address in the middle of it all. The message sequence is in the comments."""

import pytest

from tests import world
from tests.ike.test_rekey import agree, rekey_ike, tunnel, works
from uike import event, iana
from uike.ike import auth, exchange
from uike.ike import info as info_exchange
from uike.wire.message import notify

MOVED = "198.51.100.7"


def moved(wire, address=MOVED):
    """The board's network gives it another address; nothing is carried yet."""
    wire.gone = [each for each in (*wire.gone, wire.board.address) if each != address]
    wire.board.address = address
    wire.board.endpoint.address_changed(address, wire.now)


def where(side):
    return side.sa.local[0], side.sa.remote[0]


def ask(side, wire, payloads):
    """An INFORMATIONAL request of one side, made by hand; returns the notifies of the response."""
    found = []

    def task():
        response = yield (iana.INFORMATIONAL, payloads)
        found.extend(response.notifies())

    exchange.start(side.sa, task(), wire.now)
    wire.settle()
    return found


@pytest.mark.parametrize("rekeyed", ["", "board", "gateway"])
def test_the_board_moves_and_the_tunnel_with_it(rekeyed):
    wire = tunnel()
    if rekeyed:  # then the roles in the IKE SA may differ from those of the connection
        rekey_ike(getattr(wire, rekeyed))
        wire.settle()
        wire.run(wire.now + 25_000)
    assert wire.board.sa.mobike and wire.gateway.sa.mobike
    # --> INFORMATIONAL { N(UPDATE_SA_ADDRESSES), N(NATD_S), N(NATD_D) }     <-- { N(NATD_S), N(NATD_D) }
    #     <-- INFORMATIONAL { N(COOKIE2) }     --> { N(COOKIE2) }
    moved(wire)
    assert where(wire.board) == (MOVED, world.GATEWAY)
    wire.settle()
    assert where(wire.gateway) == (world.GATEWAY, MOVED)
    assert wire.board.sa.path is None and wire.gateway.sa.path is None
    assert [side.said("ADDRESS_CHANGED")[0][18:22] for side in (wire.board, wire.gateway)] == [
        bytes((192, 0, 2, 1)),
        bytes((198, 51, 100, 7)),
    ]
    assert agree(wire) == (1, 1) and works(wire)
    assert not wire.board.rejected() and not wire.gateway.rejected()


def test_esp_goes_to_the_new_address_only_when_it_is_proved():
    wire = tunnel()
    heard = []
    wire.filter = lambda sender, datagram, port: heard.append((sender, datagram)) or [datagram]
    moved(wire)
    wire._carry(wire.board, wire.gateway)  # the UPDATE_SA_ADDRESSES, and nothing else
    gateway = wire.gateway
    assert gateway.sa.remote[0] == world.BOARD and gateway.sa.path.remote[0] == MOVED
    out = gateway.endpoint.outgoing()  # the response, and the request with the cookie
    assert len(out) == 2 and {address for _, (address, _), _ in out} == {MOVED}
    packet = bytes((69, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 1, 0, 1)) + wire.board.sa.address
    assert gateway.endpoint.send_packet(bytearray(packet), wire.now) == 0
    ((_, (address, _), _),) = gateway.endpoint.outgoing()
    assert address == world.BOARD


def test_a_peer_that_cannot_be_reached_at_its_new_address_stays_where_it_is():
    wire = tunnel(retransmit_tries=6)
    # someone sends the UPDATE_SA_ADDRESSES on from an address of his own
    moved(wire)
    ((datagram, _, _),) = wire.board.endpoint.outgoing()
    wire.board.address = world.BOARD
    wire.gateway.endpoint.receive(bytearray(datagram), (world.GATEWAY, 4500), ("203.0.113.9", 4500), wire.now)
    for _ in range(6):
        for out, (address, _), _ in wire.gateway.endpoint.outgoing():
            if address == world.BOARD:  # what goes to the stranger is lost
                wire.board.endpoint.receive(bytearray(out), (world.BOARD, 4500), (world.GATEWAY, 4500), wire.now)
        wire.now += 20_000
        wire.gateway.endpoint.tick(wire.now)
        for out, _, _ in wire.board.endpoint.outgoing():
            wire.gateway.endpoint.receive(bytearray(out), (world.GATEWAY, 4500), (world.BOARD, 4500), wire.now)
    assert wire.gateway.rejected() == ["PATH_UNPROVED"]
    assert where(wire.gateway) == (world.GATEWAY, world.BOARD) and not wire.gateway.closed()


def test_an_answer_without_the_cookie_ends_the_sa():
    wire = tunnel()
    answers = info_exchange.respond
    wire.filter = lambda sender, datagram, port: [datagram]

    def forgetful(sa, request):
        payloads = answers(sa, request)
        return payloads if request.notify(iana.COOKIE2) is None else [notify(iana.COOKIE2, bytes(16))]

    info_exchange.respond = forgetful
    try:
        moved(wire)
        wire.settle()
    finally:
        info_exchange.respond = answers
    assert wire.gateway.closed() == ["BAD_COOKIE2"] and wire.board.closed() == ["DELETED_BY_PEER"]


def test_a_pending_request_is_sent_again_from_the_new_address():
    # --> INFORMATIONAL { } lost     moved, --> the same again     <-- { }     --> { N(UPDATE_SA_ADDRESSES), .. }
    wire = tunnel()
    wire.filter = lambda sender, datagram, port: []
    wire.run(30_500)
    assert wire.board.sa.task and wire.gateway.sa.task  # both ask whether the other is there
    pending = bytes(wire.board.sa.request[0])
    wire.filter = lambda sender, datagram, port: [datagram]
    wire.wire.clear()
    moved(wire)
    wire.board.endpoint.tick(wire.now)
    wire.settle()
    assert wire.wire[0][:2] == (MOVED, bytes(4) + pending)
    wire.run(wire.now + 10_000)
    assert where(wire.gateway) == (world.GATEWAY, MOVED) and works(wire)


def test_the_board_moves_again_before_the_peer_has_answered():
    wire = tunnel()
    held = []
    wire.filter = lambda sender, datagram, port: held.append(datagram) or []
    moved(wire)
    wire.settle()
    assert len(held) == 1
    wire.filter = lambda sender, datagram, port: [datagram]
    moved(wire, "198.51.100.8")
    moved(wire, "198.51.100.9")
    wire.board.endpoint.tick(wire.now)
    wire.settle()
    wire.run(wire.now + 5_000)
    assert where(wire.gateway) == (world.GATEWAY, "198.51.100.9") and works(wire)
    assert len(wire.board.said("ADDRESS_CHANGED")) == 3 and agree(wire) == (1, 1)


@pytest.mark.parametrize("role", ["board", "gateway"])
def test_a_move_while_the_ike_sa_is_replaced(role):
    wire = tunnel()
    rekey_ike(getattr(wire, role))
    moved(wire)
    wire.board.endpoint.tick(wire.now)
    wire.settle()
    wire.run(wire.now + 30_000)
    assert agree(wire) == (1, 1) and where(wire.gateway) == (world.GATEWAY, MOVED) and works(wire)


def test_back_again_needs_no_proof():
    wire = tunnel()
    moved(wire)
    wire.board.endpoint.outgoing()
    moved(wire, world.BOARD)
    wire.board.endpoint.tick(wire.now)
    wire.settle()
    assert where(wire.gateway) == (world.GATEWAY, world.BOARD) and works(wire)
    assert not wire.gateway.said("ADDRESS_CHANGED")


def test_the_same_address_is_no_change():
    wire = tunnel()
    wire.board.endpoint.address_changed(world.BOARD, wire.now)
    assert wire.board.endpoint.outgoing() == [] and not wire.board.said("ADDRESS_CHANGED")


def test_a_responder_takes_no_such_order():
    wire = tunnel()
    wire.gateway.endpoint.address_changed(MOVED, wire.now)
    assert wire.gateway.endpoint.outgoing() == []
    # <-- INFORMATIONAL { N(UPDATE_SA_ADDRESSES) }     --> { }     only the initiator decides (section 3.3)
    assert ask(wire.gateway, wire, [notify(iana.UPDATE_SA_ADDRESSES)]) == []
    assert wire.board.sa.remote[0] == world.GATEWAY and wire.board.sa.path is None


@pytest.mark.parametrize("size", [8, 64])
def test_a_cookie_is_returned(size):
    wire = tunnel()
    for side in (wire.board, wire.gateway):
        assert ask(side, wire, [notify(iana.COOKIE2, bytes(range(size)))]) == [(iana.COOKIE2, bytes(range(size)))]


@pytest.mark.parametrize("size", [0, 7, 65])
def test_a_cookie_of_a_wrong_size_is_not(size):
    assert ask((wire := tunnel()).board, wire, [notify(iana.COOKIE2, bytes(size))]) == []


def test_nat_detection_is_answered_and_additional_addresses_are_ignored():
    wire = tunnel()
    for side in (wire.board, wire.gateway):
        got = ask(side, wire, [notify(iana.NAT_DETECTION_SOURCE_IP, bytes(20)), notify(iana.NO_ADDITIONAL_ADDRESSES)])
        assert [kind for kind, _ in got] == [iana.NAT_DETECTION_SOURCE_IP, iana.NAT_DETECTION_DESTINATION_IP]
    extra = [notify(iana.ADDITIONAL_IP4_ADDRESS, bytes((10, 0, 0, i))) for i in range(30)]
    assert ask(wire.board, wire, extra) == []


def no_nats(source, destination):
    return notify(iana.NO_NATS_ALLOWED, source + destination + b"\x11\x94\x11\x94")


@pytest.mark.parametrize("source", [bytes((192, 0, 2, 2)), bytes((10, 0, 0, 7))], ids=["none", "one"])
def test_a_nat_that_is_not_allowed(source):
    # --> INFORMATIONAL { N(UPDATE_SA_ADDRESSES), N(NO_NATS_ALLOWED) }     <-- { [N(UNEXPECTED_NAT_DETECTED)] }
    wire = tunnel()
    got = ask(wire.board, wire, [notify(iana.UPDATE_SA_ADDRESSES), no_nats(source, bytes((192, 0, 2, 1)))])
    there = source != bytes((192, 0, 2, 2))
    assert got == ([(iana.UNEXPECTED_NAT_DETECTED, b"")] if there else [])
    assert wire.gateway.rejected() == (["NAT_REFUSED"] if there else [])
    assert wire.gateway.sa.remote[0] == world.BOARD


def test_an_address_that_the_connection_does_not_allow_and_a_new_sa_is_refused_too():
    # --> INFORMATIONAL { N(UPDATE_SA_ADDRESSES), .. }     <-- { N(UNACCEPTABLE_ADDRESSES) }
    # --> IKE_SA_INIT ..     no answer: that address has no connection there
    wire = tunnel(gateway={"remote": world.BOARD})
    moved(wire)
    wire.settle()
    assert wire.gateway.rejected() == ["ADDRESS_REFUSED"] and wire.board.rejected() == ["PEER_REFUSED_ADDRESS"]
    assert wire.gateway.sa.remote[0] == world.BOARD
    assert "NO_CONNECTION" in wire.gateway.dropped() and len(wire.board.endpoint.sas) == 2
    # back home it goes on as if nothing had been
    moved(wire, world.BOARD)
    wire.board.endpoint.tick(wire.now)
    wire.settle()
    wire.run(wire.now + 40_000)
    assert works(wire) and agree(wire) == (1, 1)


@pytest.mark.parametrize("role", ["board", "gateway"])
def test_without_mobike_a_new_sa_takes_the_place_of_the_old_one(role):
    wire = tunnel(**{role: {"mobike": False}})
    assert not wire.board.sa.mobike and not wire.gateway.sa.mobike
    address = wire.board.sa.address
    wire.wire.clear()
    # --> IKE_SA_INIT     <-- ..     --> IKE_AUTH without N(INITIAL_CONTACT)     <-- ..     --> INFORMATIONAL { D(IKE) }
    moved(wire)
    wire.settle()
    assert [port for _, _, port in wire.wire[:1]] == [500]
    assert not wire.board.closed() and wire.board.said("REAUTHENTICATED") == [b"\0\2"]
    assert wire.gateway.closed() == ["DELETED_BY_PEER"]
    wire.run(wire.now + 25_000)
    assert agree(wire) == (1, 1) and works(wire) and wire.board.sa.address == address
    assert where(wire.gateway) == (world.GATEWAY, MOVED)


def test_a_move_before_the_sa_is_up_begins_again():
    wire = world.World()
    wire.filter = lambda sender, datagram, port: [datagram] if port == 500 else []
    wire.connect()
    assert wire.board.sa.state == event.STATE_AUTH
    wire.filter = lambda sender, datagram, port: [datagram]
    moved(wire)
    wire.settle()
    (sa,) = wire.board.endpoint.sas
    assert sa.state == event.STATE_ESTABLISHED and sa.local[0] == MOVED and not wire.board.closed()


def test_a_nat_that_forgot_us_is_found_by_asking():
    # behind a NAT: --> INFORMATIONAL { N(NATD_S), N(NATD_D) }     <-- { N(NATD_S), N(NATD_D) } another hash
    # --> INFORMATIONAL { N(UPDATE_SA_ADDRESSES), .. }     <-- ..
    wire = world.World()
    inside = "10.0.0.7"
    wire.board.endpoint.connect(wire.board.endpoint.connections[0], inside, world.GATEWAY, 0)
    wire.settle()
    assert wire.board.sa.behind_nat and wire.board.sa.seen
    wire.run(35_000)
    assert not wire.gateway.said("ADDRESS_CHANGED")
    wire.board.address, wire.gone = MOVED, [world.BOARD]  # the NAT has another outer address now
    wire.run(70_000)
    assert wire.gateway.sa.remote[0] == MOVED and wire.board.sa.local[0] == inside and works(wire)
    wire.run(140_000)
    assert len(wire.gateway.said("ADDRESS_CHANGED")) == 1


@pytest.mark.parametrize("source", [bytes((192, 0, 2, 2)), bytes((10, 0, 0, 7))], ids=["none", "one"])
def test_a_nat_that_is_not_allowed_from_the_start(monkeypatch, source):
    # --> IKE_AUTH { .., N(MOBIKE_SUPPORTED), N(NO_NATS_ALLOWED) }     <-- { .. } or { N(UNEXPECTED_NAT_DETECTED) }
    said = [notify(iana.MOBIKE_SUPPORTED), no_nats(source, bytes((192, 0, 2, 1)))]
    monkeypatch.setattr(auth, "can_move", lambda connection: said if connection.initiator else said[:1])
    wire = world.World().connect()
    if source == bytes((192, 0, 2, 2)):
        assert wire.gateway.sa.mobike and works(wire)
    else:
        assert wire.gateway.closed() == ["NAT_REFUSED"] and wire.board.closed() == ["PEER_ERROR"]
