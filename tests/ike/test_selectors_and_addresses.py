"""Which traffic a Child SA carries, and which inner addresses a client gets: RFC 7296 sections 2.9, 2.19, 3.15."""

import struct

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import IPv6

from tests import world
from tests.world import World, connection
from uike import event, iana, reason
from uike.connection import Policy
from uike.ike import cp
from uike.ike import pool as pools
from uike.wire import selectors
from uike.wire.refusal import Refusal
from uike.wire.selectors import make

NET6 = make(0, 0, 65535, bytes.fromhex("20010db80001") + bytes(10), bytes.fromhex("20010db80001") + b"\xff" * 10)
POOL6 = (
    bytes.fromhex("20010db80009") + bytes(9) + b"\1",
    bytes.fromhex("20010db80009") + bytes(8) + b"\xff\xff",
    b"\x70",
)
HOST = bytes((10, 1, 0, 7))


def net(second, protocol=0, low=0, high=65535):
    return make(protocol, low, high, bytes((10, second, 0, 0)), bytes((10, second, 255, 255)))


def policy(name, remote=(), local=()):
    made = Policy(name)
    made.esp_proposals, made.remote_ts, made.local_ts = (world.ESP_CBC,), remote, local
    return made


def send(side, wire, packet):
    data = bytes(packet)
    said = side.endpoint.send_packet(bytearray(data), wire.now)
    wire.settle()
    return said


def test_several_selectors_with_ports_narrowed_by_the_responder():
    web, names = net(1, 6, 80, 443), net(2, 17, 53, 53)
    wire = World(
        connection(True, remote_ts=(net(1, 6), net(2), net(3))), connection(False, local_ts=(web, names))
    ).connect()
    assert wire.board.sa.children[0].remote_ts == [web, names]
    assert wire.gateway.sa.children[0].local_ts == [web, names]
    assert send(wire.board, wire, IP(src="10.9.0.1", dst="10.2.0.9") / UDP(sport=9, dport=53)) == 0
    assert len(wire.gateway.collect()) == 1
    assert send(wire.board, wire, IP(src="10.9.0.1", dst="10.2.0.9") / UDP(sport=9, dport=54)) == reason.ESP_NO_SA
    assert not wire.internal_errors()


def test_policy_of_the_first_pair_goes_before_the_first_policy():
    wire = World(
        connection(True, more=(policy("all", (make(0, 0, 65535, bytes((10, 0, 0, 0)), bytes((10, 255, 255, 255))),)),)),
        connection(False, more=(policy("two", local=(net(2),)), policy("three", local=(net(3),)))),
    ).connect()
    # --> CREATE_CHILD_SA { SA, Ni, TSi (10.9.0.1[udp/9], ...), TSr (10.3.0.9[udp/53], 10.0.0.0/8) }
    assert send(wire.board, wire, IP(src="10.9.0.1", dst="10.3.0.9") / UDP(sport=9, dport=53)) == reason.ESP_NO_SA
    assert [child.remote_ts for child in wire.board.sa.children[1:]] == [
        [make(17, 53, 53, bytes((10, 3, 0, 9)), bytes((10, 3, 0, 9))), net(3)]
    ]
    assert wire.gateway.sa.children[1].policy.name == "three"


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        ((65535, 0), (65535, 0), (65535, 0)),
        ((65535, 0), (0, 65535), (65535, 0)),
        ((0, 65535), (65535, 0), (65535, 0)),
        ((65535, 0), (80, 80), None),
        ((65535, 0), (65535, 65535), None),
        ((80, 80), (65535, 0), None),
        ((9, 8), (0, 65535), None),
        ((8 << 8, 8 << 8 | 255), (0, 65535), (8 << 8, 8 << 8 | 255)),
    ],
)
def test_opaque_ports_and_icmp_types(a, b, both):
    expected = [make(1, *both, HOST, HOST)] if both else []
    assert selectors.narrow([make(1, *a, HOST, HOST)], [make(0, *b, HOST, HOST)]) == expected


def test_families_do_not_mix():
    any4, any6 = selectors.anywhere(4), selectors.anywhere(16)
    assert selectors.narrow([any4, any6], [NET6]) == [NET6]
    assert selectors.narrow([any4], [NET6]) == [] and not selectors.within([NET6], [any4])


def single_pair(wire, monkeypatch):
    """Makes the gateway refuse everything but one pair of addresses."""
    from uike.ike import child

    answer = child.answer

    def strict(sa, request, old=None, own=False):
        for kind in (iana.TSi, iana.TSr):
            found = selectors.parse(request.body(kind))
            if len(found) != 1 or found[0][8:12] != found[0][12:16]:
                raise Refusal(reason.TS_REFUSED, iana.SINGLE_PAIR_REQUIRED)
        return answer(sa, request, old, own)

    monkeypatch.setattr(child, "answer", strict)


def test_single_pair_required_by_the_first_answer(monkeypatch):
    wire = World()
    single_pair(wire, monkeypatch)
    # --> IKE_AUTH { ... TSi, TSr (10.1.0.0/16) }     <-- { IDr, AUTH, CP, N(SINGLE_PAIR_REQUIRED) }
    wire.connect()
    assert wire.board.sa.state == event.STATE_ESTABLISHED and not wire.board.sa.children
    assert wire.board.rejected() == ["SINGLE_PAIR_WANTED"]
    for at, target in enumerate(("10.1.0.7", "10.1.0.8")):
        packet = IP(src="10.9.0.1", dst=target) / UDP(sport=9, dport=53)
        # --> CREATE_CHILD_SA { SA, Ni, TSi (10.9.0.1), TSr (10.1.0.7) }
        assert send(wire.board, wire, packet) == reason.ESP_NO_SA
        assert len(wire.board.sa.children) == at + 1
        assert send(wire.board, wire, packet) == 0 and wire.gateway.collect() == [bytes(packet)]
        wire.run(wire.now + 60_000)
    assert wire.board.sa.children[0].remote_ts == [selectors.host(HOST)]


def test_single_pair_required_by_a_later_answer(monkeypatch):
    wire = World(
        connection(True, more=(policy("two", (net(2),)),)), connection(False, more=(policy("2", (), (net(2),)),))
    )
    wire.connect()
    single_pair(wire, monkeypatch)
    packet = IP(src="10.9.0.1", dst="10.2.0.7") / UDP(sport=9, dport=53)
    assert send(wire.board, wire, packet) == reason.ESP_NO_SA and send(wire.board, wire, packet) == 0
    assert wire.board.sa.single_pair and wire.board.sa.children[1].remote_ts == [selectors.host(bytes((10, 2, 0, 7)))]


def test_ipv6_inside_with_an_address_from_the_pool():
    wire = World(
        connection(True, remote_ts=(world.NETWORK, NET6)),
        connection(False, local_ts=(world.NETWORK, NET6), pool6=POOL6, domains=(b"corp.example",)),
    ).connect()
    inner = POOL6[0]
    assert wire.board.sa.address6 == wire.gateway.sa.address6 == inner
    (said,) = wire.board.said("ADDRESS")
    assert struct.pack(">HH", iana.INTERNAL_IP6_ADDRESS, 17) + inner + b"\x70" in said
    assert struct.pack(">HH", iana.INTERNAL_IP6_SUBNET, 17) + NET6[8:24] + b"\x30" in said
    assert struct.pack(">HH", iana.INTERNAL_IP4_SUBNET, 8) + bytes((10, 1, 0, 0, 255, 255, 0, 0)) in said
    assert struct.pack(">HH", iana.INTERNAL_DNS_DOMAIN, 12) + b"corp.example" in said
    packet = IPv6(src="2001:db8:9::1", dst="2001:db8:1::7") / UDP(sport=9, dport=53)
    assert send(wire.board, wire, packet) == 0 and wire.gateway.collect() == [bytes(packet)]
    packet = IPv6(src="2001:db8:9::1", dst="2001:db8:2::7") / UDP(sport=9, dport=53)
    assert send(wire.board, wire, packet) == reason.ESP_NO_SA
    packet = IP(src="10.9.0.1", dst="10.1.0.7") / ICMP()
    assert send(wire.board, wire, packet) == 0 and wire.gateway.collect() == [bytes(packet)]
    assert not wire.internal_errors()


def test_extended_sequence_numbers_are_negotiated():
    esn, both = world.ESP_GCM[:1] + ((5, 1, 0),), world.ESP_GCM[:1] + ((5, 1, 0), (5, 0, 0))
    for ours, theirs, high in ((esn, esn, b"\0\0\0\0"), (both, world.ESP_GCM, None), (esn, both, b"\0\0\0\0")):
        wire = World(connection(True, esp_proposals=(ours,)), connection(False, esp_proposals=(theirs,))).connect()
        assert wire.board.sa.children[0].seal.high == wire.gateway.sa.children[0].open.high == high
        packet = IP(src="10.9.0.1", dst="10.1.0.7") / ICMP()
        assert send(wire.board, wire, packet) == 0 and wire.gateway.collect() == [bytes(packet)]


class Client:
    """As much of an IKE SA as a lease needs."""

    connection = None

    def __init__(self, endpoint, name):
        self.endpoint, self.peer_id, self.state = endpoint, (2, name), event.STATE_ESTABLISHED


class Board:
    def __init__(self):
        self.leases = []

    def lease(self, name, pool):
        client = Client(self, name)
        return client, pools._lease(client, pool)[-1]


def test_leases_come_back_to_their_identity_and_the_oldest_is_reclaimed():
    board, pool = Board(), (bytes((10, 9, 0, 1)), bytes((10, 9, 0, 3)), bytes(4))
    clients = [board.lease(name, pool) for name in (b"a", b"b", b"c")]
    assert [number for _, number in clients] == [1, 2, 3]
    with pytest.raises(Refusal) as caught:
        board.lease(b"d", pool)
    assert (caught.value.reason, caught.value.notify) == (reason.POOL_EXHAUSTED, iana.INTERNAL_ADDRESS_FAILURE)
    for client, _ in clients[:2]:
        client.state = event.STATE_DELETING
    assert board.lease(b"b", pool)[1] == 2 and board.lease(b"d", pool)[1] == 1
    with pytest.raises(Refusal):
        board.lease(b"a", pool)


def test_leases_are_bounded():
    board, pool = Board(), (bytes((10, 9, 0, 1)), bytes((10, 9, 255, 254)), bytes(4))
    for number in range(200):
        client, _ = board.lease(b"%d" % number, pool)
        client.state = event.STATE_DELETING
        assert len(board.leases) <= 48
    assert len(board.leases) == 48


def test_same_client_gets_the_same_address_again():
    wire = World().connect()
    wire.gateway.endpoint.leases.insert(0, [bytes((10, 9, 0, 2)), (2, b"other"), None])
    wire.board.endpoint.close(None, wire.now)
    wire.settle()
    wire.connect()
    assert wire.board.sa.address == bytes((10, 9, 0, 1))
    assert len(wire.gateway.endpoint.leases) == 2


def test_client_that_asks_for_no_address_is_refused_where_it_must():
    plain = {"virtual_ip": False, "local_ts": (selectors.host(bytes((10, 9, 0, 1))),)}
    wire = World(connection(True, **plain), connection(False, require_cp=True)).connect()
    assert wire.gateway.rejected() == ["ADDRESS_NOT_ASKED"] and wire.board.closed() == ["PEER_SAID_ADDRESS_FAILURE"]


def attribute(kind, value=b""):
    return struct.pack(">HH", kind, len(value)) + value


def test_a_configuration_payload_in_an_informational_request():
    empty_ack = [(iana.CP, bytes((iana.CFG_ACK, 0, 0, 0)))]
    assert cp.answer(bytes((iana.CFG_SET, 0, 0, 0)) + attribute(iana.INTERNAL_IP4_DNS, bytes(4))) == empty_ack
    asked = bytes((iana.CFG_REQUEST, 0, 0, 0)) + attribute(iana.APPLICATION_VERSION) + attribute(0x7FFF)
    assert cp.answer(asked) == [(iana.CP, bytes((iana.CFG_REPLY, 0, 0, 0)) + attribute(7, b"uike"))]
    assert cp.answer(bytes((iana.CFG_REQUEST, 0, 0, 0)) + attribute(iana.INTERNAL_IP4_ADDRESS)) == []
    for kind in (iana.CFG_REPLY, iana.CFG_ACK, 0, 200):
        assert cp.answer(bytes((kind, 0, 0, 0))) == []


@pytest.mark.parametrize("kind", [kind for kind, size in cp._SIZES.items() if size])
def test_lengths_of_attributes_are_checked(kind):
    for size in range(24):
        body = bytes((iana.CFG_REQUEST, 0, 0, 0)) + attribute(kind, bytes(size))
        if size in (0, cp._SIZES[kind]):
            assert cp.parse(body, iana.CFG_REQUEST) == [(kind, bytes(size))]
        else:
            with pytest.raises(Refusal) as caught:
                cp.parse(body, iana.CFG_REQUEST)
            assert caught.value.reason == reason.BAD_CP_PAYLOAD
