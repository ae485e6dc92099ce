"""A PSK tunnel between two engines: bring-up, traffic, end. The message sequence is in the comments."""

import pytest

from tests import world
from tests.world import World, connection
from uike import event, reason
from uike.net import icmp
from uike.wire import ipv4

SUITES = [
    (world.CBC, world.ESP_CBC),
    (world.GCM, world.ESP_GCM),
    (world.CHACHA, world.ESP_CHACHA),
]


def tunnel(**changes):
    return World(connection(True, **changes), connection(False, **changes)).connect()


def ping(here, there, destination, wire):
    """An echo request from one side, its answer from the other; returns the answer's inner packet."""
    source = here.sa.address or bytes((10, 1, 0, 1))
    assert here.endpoint.send_packet(icmp.request(source, destination, 7, 1, 56), wire.now) == 0
    wire.settle()
    (request,) = there.collect()
    assert there.endpoint.send_packet(ipv4.echo_reply(request, destination), wire.now) == 0
    wire.settle()
    (answer,) = here.collect()
    return answer


@pytest.mark.parametrize(("ike", "esp"), SUITES, ids=["cbc", "gcm", "chacha"])
def test_tunnel_of_every_cipher_family(ike, esp):
    # --> IKE_SA_INIT { SA, KE, Ni, N, N }     <-- { SA, KE, Nr, N, N }
    # --> IKE_AUTH { IDi, N, IDr, AUTH, CP, SA, TSi, TSr }     <-- { IDr, AUTH, CP, SA, TSi, TSr }
    wire = tunnel(proposals=(ike,), esp_proposals=(esp,))
    for side in (wire.board, wire.gateway):
        assert side.sa.state == event.STATE_ESTABLISHED
        assert side.sa.transforms == ike
        assert len(side.said("ESTABLISHED")) == len(side.said("CHILD_UP")) == 1
        assert side.sa.address == bytes((10, 9, 0, 1))
        side.collect()
    # --> ESP { ICMP echo }     <-- ESP { ICMP echo reply }
    answer = ping(wire.board, wire.gateway, bytes((10, 1, 0, 1)), wire)
    assert icmp.answered(answer, 7) == 1
    child = wire.board.sa.children[0]
    assert (child.packets_out, child.packets_in, child.bytes_out) == (1, 1, 84)
    # --> INFORMATIONAL { D(IKE) }     <-- { }
    wire.board.endpoint.close(None, wire.now)
    wire.settle()
    assert wire.board.closed() == ["DELETED_BY_US"]
    assert wire.gateway.closed() == ["DELETED_BY_PEER"]
    assert not wire.board.endpoint.sas and not wire.board.endpoint.sad.inbound
    assert not wire.gateway.endpoint.sad.inbound
    wire.run(30_000)  # the responder stays a while to answer a retransmitted Delete
    assert not wire.gateway.endpoint.sas
    assert wire.gateway.endpoint.leases == [[bytes((10, 9, 0, 1)), (2, b"dev.example"), None]]
    assert not wire.internal_errors()


def test_float_to_4500_before_ike_auth():
    wire = tunnel()
    ports = [port for _, _, port in wire.wire]
    assert ports == [500, 500, 4500, 4500]
    assert wire.wire[2][1][:4] == bytes(4)
    assert wire.gateway.sa.remote == (world.BOARD, 4500)


def test_auth_data_never_reaches_the_trace():
    wire = tunnel()
    for side in (wire.board, wire.gateway):
        for body in side.said("MESSAGE"):
            chain = body[16:]
            if chain[18] == 35:  # IKE_AUTH
                kind, at = chain[16], 28
                seen = False
                while kind:
                    size = int.from_bytes(chain[at + 2 : at + 4], "big")
                    if kind == 39:
                        seen = True
                        assert chain[at + 8 : at + size] == bytes(size - 8)
                    kind, at = chain[at], at + size
                assert seen


FAILURES = [
    # what differs at the initiator, its reason, the responder's reason
    ({"psk": bytearray(b"another key")}, "PEER_SAID_AUTH_FAILED", "PSK_DIFFERS"),
    ({"local_id": (2, b"stranger.example")}, "PEER_SAID_AUTH_FAILED", "UNKNOWN_PEER_ID"),
    ({"remote_id": (2, b"other.example")}, "PEER_SAID_AUTH_FAILED", "WRONG_PEER_ID"),
    ({"proposals": (world.GCM,)}, "PEER_SAID_NO_PROPOSAL", "NO_COMMON_PROPOSAL"),
]


@pytest.mark.parametrize(("changes", "ours", "theirs"), FAILURES, ids=[row[2] for row in FAILURES])
def test_failure_ends_with_its_own_reason_on_both_sides(changes, ours, theirs):
    wire = World(connection(True, **changes), connection(False)).connect()
    wire.run(60_000)
    assert wire.board.closed() == [ours]
    assert theirs in wire.gateway.closed()
    assert not wire.board.endpoint.sas and not wire.gateway.endpoint.sas
    assert not wire.internal_errors()


CHILD_FAILURES = [
    ({"esp_proposals": (world.ESP_GCM,)}, {}, "PEER_SAID_NO_ESP_PROPOSAL", "NO_COMMON_ESP_PROPOSAL"),
    ({"remote_ts": (world.make(0, 0, 65535, bytes((10, 2, 0, 0)), bytes((10, 2, 0, 9))),)}, {},
     "TS_REFUSED_BY_PEER", "TS_REFUSED"),
    ({}, {"pool": None, "remote_ts": (world.NETWORK,)}, "NO_ADDRESS_ASSIGNED", None),
    ({}, {"pool": (bytes((10, 9, 0, 2)), bytes((10, 9, 0, 1)), bytes(4))}, "PEER_SAID_ADDRESS_FAILURE", "POOL_EXHAUSTED"),
]  # fmt: skip


@pytest.mark.parametrize(("board", "gateway", "ours", "theirs"), CHILD_FAILURES, ids=[row[2] for row in CHILD_FAILURES])
def test_refused_child_deletes_the_ike_sa_again(board, gateway, ours, theirs):
    # --> IKE_AUTH { .. }     <-- { IDr, AUTH, N(error) }
    # --> INFORMATIONAL { D(IKE) }     <-- { }
    wire = World(connection(True, **board), connection(False, **gateway)).connect()
    assert wire.board.closed() == [ours]
    assert wire.gateway.rejected() == ([theirs] if theirs else [])
    assert not wire.board.endpoint.sas
    assert wire.gateway.closed() == [theirs or "DELETED_BY_PEER"]
    assert not wire.gateway.endpoint.sad.inbound
    assert not wire.internal_errors()


def test_responder_deletes_child():
    # <-- INFORMATIONAL { D(ESP) }     --> { D(ESP) }
    wire = tunnel()
    gateway = wire.gateway
    from uike.ike import exchange, info

    exchange.start(gateway.sa, info.delete_child(gateway.sa, gateway.sa.children[0], reason.DELETED_BY_US), wire.now)
    wire.settle()
    assert not gateway.sa.children and not wire.board.sa.children
    assert gateway.said("CHILD_DOWN")[0][8] == reason.DELETED_BY_US
    assert wire.board.said("CHILD_DOWN")[0][8] == reason.DELETED_BY_PEER
    assert wire.board.sa.state == event.STATE_ESTABLISHED


def test_initial_contact_replaces_what_the_board_forgot():
    wire = tunnel()
    wire.board.endpoint.sas.clear()  # the board lost its power
    wire.connect()
    assert wire.gateway.closed() == ["REPLACED"]
    assert len(wire.gateway.endpoint.sas) == 1
    assert wire.board.sa.address == bytes((10, 9, 0, 2)) or wire.board.sa.address == bytes((10, 9, 0, 1))


def test_two_clients_get_two_addresses():
    wire = World(responder=connection(False, remote_id=None))
    wire.connect()
    second = world.Side(world.BOARD, [connection(True, local_id=(2, b"two.example"))], "two")
    first, wire.board = wire.board, second
    wire.connect()
    assert first.sa.address == bytes((10, 9, 0, 1))
    assert second.sa.address == bytes((10, 9, 0, 2))
    assert len(wire.gateway.endpoint.sas) == 2
