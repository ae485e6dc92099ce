"""INFORMATIONAL and what is below it: mixed payloads, message IDs and windows, liveness. The messages are in comments."""

import struct

import pytest

from tests import world
from tests.ike.test_rekey import agree, rekey_ike, tunnel, works
from uike import event, iana
from uike.ike import create, exchange, sk
from uike.ipsec import packet as esp
from uike.net import icmp
from uike.wire.message import notify


def other(wire, side):
    return wire.gateway if side is wire.board else wire.board


def ask(side, wire, payloads):
    """A request of one side, made by hand; returns the payloads of the response, (type, body)."""
    found = []

    def task():
        response = yield (iana.INFORMATIONAL, payloads)
        found.extend((kind, bytes(response.buffer[start:end])) for kind, start, end in response.payloads)

    exchange.start(side.sa, task(), wire.now)
    wire.settle()
    return found


def delete(protocol, *spis):
    return iana.D, struct.pack(">BBH", protocol, len(spis[0]) if spis else 0, len(spis)) + b"".join(spis)


def more_children(wire, count):
    for _ in range(count):
        exchange.start(wire.board.sa, create.new_child(wire.board.sa, wire.board.sa.connection), wire.now)
        wire.settle()


def sealed(side, message_id, payloads=(), response=False):
    """A datagram for port 4500 that only this side can make."""
    return bytes(4) + bytes(sk.seal(side.sa, iana.INFORMATIONAL, response, message_id, list(payloads))[0])


def give(wire, side, datagram):
    """Hands it a datagram of the other side; returns what it sends."""
    source = other(wire, side)
    side.endpoint.receive(bytearray(datagram), (side.address, 4500), (source.address, 4500), wire.now)
    return [bytes(each) for each, _, _ in side.endpoint.outgoing()]


both = pytest.mark.parametrize("role", ["board", "gateway"])


@both
def test_an_empty_request(role):
    wire = tunnel()
    # --> INFORMATIONAL { }     <-- { }
    assert ask(getattr(wire, role), wire, []) == []
    assert agree(wire) == (1, 1)


@both
@pytest.mark.parametrize("rekeyed", [False, True], ids=["", "rekeyed"])
def test_several_deletes_notifies_and_unknown_ones_in_one_message(role, rekeyed):
    wire = tunnel()
    side = getattr(wire, role)
    more_children(wire, 4)
    if rekeyed:
        rekey_ike(other(wire, side))
        wire.settle()
        wire.run(25_000)
    children = list(side.sa.children)
    spis, theirs = [child.spi_in for child in children], [child.spi_out for child in children]
    # --> INFORMATIONAL { N(40000), D(ESP, 2 + 1 unknown), N(16384), D(AH), D(ESP), N(SET_WINDOW_SIZE), D(ESP, none) }
    #     <-- { D(ESP), D(ESP), D(ESP) }
    payloads = [
        notify(40_000, b"what is this"),
        delete(iana.PROTO_ESP, spis[0], b"\x3f\xff\xff\xff", spis[1]),
        notify(iana.INITIAL_CONTACT),
        delete(iana.PROTO_AH, spis[4]),
        delete(iana.PROTO_ESP, spis[2]),
        notify(iana.SET_WINDOW_SIZE, b"\0\0\0\5"),
        delete(iana.PROTO_ESP),
    ]
    answer = ask(side, wire, payloads)
    deleted = [spi for kind, body in answer for spi in (body[4:8],) if kind == iana.D]
    assert len(answer) == 3 and sorted(deleted) == sorted(theirs[:3])
    left = other(wire, side).sa.children
    assert sorted(child.spi_out for child in left) == sorted(spis[3:])
    for child in children[:3]:
        side.endpoint.child_down(side.sa, child, 91)
    assert agree(wire) == (1, 2) and works(wire)


@both
def test_a_delete_of_everything_is_answered_with_nothing(role):
    wire = tunnel()
    side = getattr(wire, role)
    # --> INFORMATIONAL { N, D(ESP), D(IKE) }     <-- { }     section 1.4.1: the Child SAs go with the IKE SA
    payloads = [notify(40_000), delete(iana.PROTO_ESP, side.sa.children[0].spi_in), delete(iana.PROTO_IKE)]
    assert ask(side, wire, payloads) == []
    assert other(wire, side).closed() == ["DELETED_BY_PEER"]
    assert not other(wire, side).endpoint.sad.inbound


@both
@pytest.mark.parametrize(
    "body",
    [b"", b"\3\4\0", b"\3\4\0\1", b"\3\4\0\2\1\2\3\4", b"\3\4\0\0\1\2\3\4", b"\3\3\0\1\1\2\3", b"\1\4\0\1\1\2\3\4"],
)
def test_a_delete_that_lies_about_its_length(role, body):
    wire = tunnel()
    # --> INFORMATIONAL { D }     <-- { N(INVALID_SYNTAX) }     and the SA is over (section 2.21.3)
    answer = ask(getattr(wire, role), wire, [(iana.D, body)])
    assert answer == [notify(iana.INVALID_SYNTAX)]
    assert other(wire, getattr(wire, role)).closed() == ["BAD_DELETE_PAYLOAD"]


# -- INITIAL_CONTACT (section 2.4) -----------------------------------------------------------------------------------


def test_initial_contact_spares_other_peers_and_other_connections():
    second = world.connection(False, remote_id=(2, b"two.example"), local_id=(2, b"gw2.example"))
    third = world.connection(False, local_id=(2, b"gw3.example"))
    wire = world.World()
    wire.gateway.endpoint.connections += [second, third]
    boards = {
        "same": world.connection(True),
        "another peer": world.connection(True, local_id=(2, b"two.example"), remote_id=(2, b"gw2.example")),
        "another connection": world.connection(True, remote_id=(2, b"gw3.example")),
    }
    for name, each in boards.items():
        wire.board = world.Side(world.BOARD, [each], name)
        wire.connect()
    assert len(wire.gateway.endpoint.sas) == 3
    wire.board = world.Side(world.BOARD, [boards["same"]], "after a power cut")
    old = wire.gateway.endpoint.sas[0]
    wire.connect()
    assert wire.gateway.closed() == ["REPLACED"] and old not in wire.gateway.endpoint.sas
    assert [sa.connection for sa in wire.gateway.endpoint.sas] == [second, third, wire.gateway.endpoint.connections[0]]
    assert len(wire.gateway.endpoint.leases) == 3


def test_initial_contact_of_a_stranger_is_not_believed():
    wire = tunnel()
    stranger = world.connection(True, psk=bytearray(b"another key"))
    first, wire.board = wire.board, world.Side(world.BOARD, [stranger], "stranger")
    wire.connect()
    assert wire.gateway.closed() == ["PSK_DIFFERS"]
    wire.board = first
    wire.gateway.endpoint.sas = [sa for sa in wire.gateway.endpoint.sas if sa.state == event.STATE_ESTABLISHED]
    assert works(wire)


def test_initial_contact_outside_of_ike_auth_means_nothing():
    wire = tunnel()
    assert ask(wire.board, wire, [notify(iana.INITIAL_CONTACT)]) == [] and works(wire)


# -- message IDs and windows (sections 2.2, 2.3) ---------------------------------------------------------------------


@both
@pytest.mark.parametrize("ahead", [-2, 1, 2, 1 << 16])
def test_a_request_outside_of_the_window_is_dropped(role, ahead):
    wire = tunnel()
    side = getattr(wire, role)
    for _ in range(3):
        ask(other(wire, side), wire, [])
    expected = side.sa.receive_id
    # --> INFORMATIONAL, ID too far ahead or behind: neither is it acknowledged nor does it count
    said = give(wire, side, sealed(other(wire, side), expected + ahead))
    assert not [data for data in said if data[4 + 19] & iana.FLAG_RESPONSE] and len(said) == (ahead > 0)
    assert side.dropped()[-1] == "WRONG_MESSAGE_ID" and side.sa.receive_id == expected
    assert ask(other(wire, side), wire, []) == [] and works(wire)


@both
def test_set_window_size_changes_nothing_of_ours(role):
    wire = tunnel()
    side, peer = getattr(wire, role), other(wire, getattr(wire, role))
    assert ask(peer, wire, [notify(iana.SET_WINDOW_SIZE, b"\0\0\0\x10")]) == []
    # three exchanges at once of our side: one request, and only then the next
    for _ in range(3):
        exchange.start(side.sa, iter_once(), wire.now)
    first = [bytes(each) for each, _, _ in side.endpoint.outgoing()]
    assert len(first) == 1 and len(side.sa.waiting) == 2
    (answer,) = give(wire, peer, first[0])
    assert len(give(wire, side, answer)) == 1 and len(side.sa.waiting) == 1


def iter_once():
    yield (iana.INFORMATIONAL, [])


@both
def test_a_retransmitted_request_gets_the_same_answer_byte_for_byte(role):
    wire = tunnel()
    side, peer = getattr(wire, role), other(wire, getattr(wire, role))
    request = sealed(peer, side.sa.receive_id, [notify(iana.COOKIE2, bytes(16))])
    (answer,) = give(wire, side, request)
    children, heard = len(side.sa.children), side.sa.heard_at
    wire.now += 5_000
    assert [give(wire, side, request) for _ in range(3)] == [[answer]] * 3
    assert side.dropped()[-3:] == ["RETRANSMITTED_REQUEST"] * 3 and len(side.sa.children) == children
    assert side.sa.heard_at == heard  # it may be a replay: no sign of life
    # the same ID with other contents is no retransmission, but cannot be told from one: it gets the same answer
    assert give(wire, side, sealed(peer, side.sa.receive_id - 1)) == [answer]
    # the answer goes to where the request came from (section 2.11), and nothing else does
    side.endpoint.receive(bytearray(request), (side.address, 4500), ("203.0.113.9", 4501), wire.now)
    ((_, to, _),) = side.endpoint.outgoing()
    assert to == ("203.0.113.9", 4501) and side.sa.remote == (peer.address, 4500)


@both
@pytest.mark.parametrize("what", ["unasked", "early", "late", "another exchange"])
def test_a_response_that_nobody_waits_for(role, what):
    wire = tunnel()
    side, peer = getattr(wire, role), other(wire, getattr(wire, role))
    ask(side, wire, [])
    if what != "unasked":
        exchange.start(side.sa, iter_once(), wire.now)
        side.endpoint.outgoing()
    number = side.sa.send_id + {"early": 1, "late": -1}.get(what, 0)
    kind = iana.CREATE_CHILD_SA if what == "another exchange" else iana.INFORMATIONAL
    assert give(wire, side, bytes(4) + bytes(sk.seal(peer.sa, kind, True, number, [])[0])) == []
    assert side.dropped()[-1] == "UNEXPECTED_RESPONSE"
    assert bool(side.sa.task) == (what != "unasked")


@both
@pytest.mark.parametrize("which", ["send_id", "receive_id"])
def test_the_ike_sa_is_rekeyed_long_before_its_message_ids_are_used_up(role, which):
    wire = tunnel(dpd_delay_ms=0, nat_keepalive_ms=0)
    side, peer = getattr(wire, role), other(wire, getattr(wire, role))
    mirrored = {"send_id": "receive_id", "receive_id": "send_id"}[which]
    setattr(side.sa, which, (1 << 31) - 1)
    setattr(peer.sa, mirrored, (1 << 31) - 1)
    ask(side if which == "send_id" else peer, wire, [])
    assert side.sa.rekey_at == wire.now
    wire.run(wire.now + 25_000)
    assert len(side.said("IKE_REKEYED")) >= 1 and agree(wire) == (1, 1) and works(wire)
    assert side.sa.send_id < 100 and side.sa.receive_id < 100


@both
@pytest.mark.parametrize("which", ["send_id", "receive_id"])
def test_message_ids_never_wrap(role, which):
    wire = tunnel(dpd_delay_ms=0, nat_keepalive_ms=0)
    side, peer = getattr(wire, role), other(wire, getattr(wire, role))
    mirrored = {"send_id": "receive_id", "receive_id": "send_id"}[which]
    end = 0xFFFFFFF0
    setattr(side.sa, which, end - 1)
    setattr(peer.sa, mirrored, end - 1)
    # --> INFORMATIONAL { }, the last but a few     <-- { }     --> INFORMATIONAL { D(IKE) }     <-- { }
    ask(side if which == "send_id" else peer, wire, [])
    wire.run(wire.now + 25_000)
    assert "MESSAGE_IDS_EXHAUSTED" in side.closed() + peer.closed()
    assert not side.endpoint.sas and not peer.endpoint.sas and not wire.internal_errors()


# -- liveness (section 2.4) ------------------------------------------------------------------------------------------


def quiet_peer(**changes):
    """A board that asks after 30 s of silence, and a gateway that never asks."""
    return tunnel({"dpd_delay_ms": 30_000}, {"dpd_delay_ms": 0}, nat_keepalive_ms=0, **changes)


@pytest.mark.parametrize("life", ["esp", "dummy", "request"])
def test_whatever_is_authentic_is_life(life):
    wire = quiet_peer()
    gateway, board = wire.gateway, wire.board
    wire.run(29_000)
    if life == "request":
        ask(gateway, wire, [])
    else:
        child = gateway.sa.children[0]
        packet = icmp.request(bytes((10, 1, 0, 1)), board.sa.address, 7, 1, 56)
        if life == "dummy":  # from outside of the selectors: it is dropped, but the peer has sent it
            packet = icmp.request(bytes((10, 77, 0, 1)), board.sa.address, 7, 1, 56)
            board.endpoint.look_at = 1 << 30  # the answer would be life too
        give(wire, board, esp.encapsulate(child, packet, len(packet), gateway.endpoint.random))
    wire.run(58_999)
    assert not board.said("LIVENESS")
    wire.run(59_001)
    assert len(board.said("LIVENESS")) == 1


@pytest.mark.parametrize("life", ["replayed esp", "forged esp", "replayed request", "forged request"])
def test_what_anybody_could_have_sent_is_none(life):
    wire = quiet_peer()
    gateway, board = wire.gateway, wire.board
    packet = icmp.request(bytes((10, 1, 0, 1)), board.sa.address, 7, 1, 56)
    gateway.endpoint.send_packet(packet, wire.now)
    ((esp, _, _),) = gateway.endpoint.outgoing()
    request = sealed(gateway, board.sa.receive_id)
    give(wire, board, bytes(esp))
    give(wire, board, request)
    datagram = bytearray(esp if life.endswith("esp") else request)
    if life.startswith("forged"):
        datagram[7] ^= 64  # of an ESP packet the sequence number
        datagram[-1] ^= 1
    wire.run(29_000)
    give(wire, board, datagram)
    wire.run(30_001)
    assert len(board.said("LIVENESS")) == 1
