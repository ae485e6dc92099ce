"""Transport mode between two engines, its packets against scapy, and what a NAT does to it. Messages are in comments."""

import os

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.ipsec import ESP, SecurityAssociation

from tests import world
from tests.handshake import Eavesdropper, messages
from tests.ike.test_nat import INSIDE
from tests.ike.test_rekey import rekey_child, rekey_ike
from tests.ike.test_requirements import chain
from tests.world import BOARD, GATEWAY, World, connection
from uike import iana, reason
from uike.wire import message, selectors
from uike.wire.address import pack

BARE = {"virtual_ip": False, "pool": None, "dns": (), "local_ts": (), "remote_ts": ()}
NAT = {"dpd_delay_ms": 0, "nat_keepalive_ms": 0, "mobike": False}
KINDS = [UDP(sport=500, dport=7) / b"odd", TCP(sport=9, dport=80, options=[("MSS", 1400)]) / b"even", ICMP(id=3) / b"x"]


def made(ours=True, theirs=True, **changes):
    sides = (
        connection(role, **{**BARE, "transport": mode, **changes}) for role, mode in ((True, ours), (False, theirs))
    )
    return World(*sides, provider=Eavesdropper())


def words(side, kind):
    """The notifies about modes and padding in each message of that exchange which a side has sent."""
    wanted = (iana.USE_TRANSPORT_MODE, iana.ESP_TFC_PADDING_NOT_SUPPORTED)
    sent = [chain(data) for out, data in messages(side) if out and data[18] == kind]
    return [[each for each in wanted if (iana.N, 0, message.notify(each)[1]) in payloads] for payloads in sent]


def packet(inside, source=BOARD, destination=GATEWAY):
    return bytes(IP(src=source, dst=destination, ttl=9) / inside)


def carried(wire, here, there, data):
    """The packet that comes out at the other end, and the ESP packet that it was in."""
    assert here.endpoint.send_packet(data, wire.now) == 0
    wire.settle()
    (got,) = there.collect()
    return got, wire.wire[-1][1]


def sound(got, inside, source=BOARD, destination=GATEWAY):
    """Whether it is that payload between those ends, with checksums that are right or, of UDP, left out."""
    read = IP(got)
    assert (read.src, read.dst, read.ttl) == (source, destination, 64)
    sent = type(inside)(bytes(IP(src=source, dst=destination) / inside)[20:])
    if type(inside) is UDP:
        sent.chksum = 0
    assert bytes(read.payload) == bytes(sent)
    checksum = read.chksum
    del read.chksum
    assert IP(bytes(read)).chksum == checksum
    return True


@pytest.mark.parametrize("esp", [world.ESP_CBC, world.ESP_GCM, world.ESP_CHACHA], ids=["cbc", "gcm", "chacha"])
def test_both_ask_for_it(esp):
    # --> IKE_AUTH { .., SA, TSi, TSr, N(USE_TRANSPORT_MODE), N(ESP_TFC_PADDING_NOT_SUPPORTED) }
    #     <-- { .., SA, TSi, TSr, N(USE_TRANSPORT_MODE), N(ESP_TFC_PADDING_NOT_SUPPORTED) }
    wire = made(esp_proposals=(esp,)).connect()
    for side in (wire.board, wire.gateway):
        assert words(side, iana.IKE_AUTH) == [[iana.USE_TRANSPORT_MODE, iana.ESP_TFC_PADDING_NOT_SUPPORTED]]
        child = side.sa.children[0]
        assert child.transport and [len(each) for each in (child.local_ts, child.remote_ts)] == [1, 1]
    for inside in KINDS:
        got, sealed = carried(wire, wire.board, wire.gateway, packet(inside))
        assert sound(got, inside)
        assert sound(carried(wire, wire.gateway, wire.board, packet(inside, GATEWAY, BOARD))[0], inside, GATEWAY, BOARD)
        child = wire.board.sa.children[0]
        most = 8 + child.seal.iv_size + len(bytes(inside)) + 2 + max(child.seal.block_size, 4) + child.seal.icv_size
        assert len(sealed) < most  # there is no room for an IP header
    assert not wire.internal_errors()


@pytest.mark.parametrize(("ours", "theirs"), [(True, False), (False, True), (False, False)])
def test_unless_both_do_it_is_a_tunnel(ours, theirs):
    wire = made(ours, theirs).connect()
    assert bool(words(wire.board, iana.IKE_AUTH)[0]) is ours and words(wire.gateway, iana.IKE_AUTH) == [[]]
    data = packet(UDP(sport=1, dport=2) / b"as it is")
    assert carried(wire, wire.board, wire.gateway, data)[0] == data


def test_scapy_opens_what_we_seal_and_we_open_what_it_seals():
    wire = made().connect()
    keys = wire.board.endpoint.crypto.ciphers[-2:]  # both sides make the same; each ends with what it hears
    child = wire.board.sa.children[0]
    for key, (mine, theirs) in zip(keys, ((child.spi_out, True), (child.spi_in, False)), strict=True):
        scapy = SecurityAssociation(
            ESP, spi=int.from_bytes(mine, "big"), crypt_algo="AES-CBC", crypt_key=key[0],
            auth_algo="SHA2-256-128", auth_key=key[1],
        )  # fmt: skip
        for inside in KINDS:
            if theirs:
                data = packet(inside)
                wire.board.endpoint.send_packet(data, wire.now)
                ((sealed, _, _),) = wire.board.endpoint.outgoing()
                opened = scapy.decrypt(IP(src=BOARD, dst=GATEWAY, proto=50) / ESP(bytes(sealed)))
                assert bytes(opened.payload) == data[20:]
            else:
                sealed = scapy.encrypt(IP(packet(inside, GATEWAY, BOARD)))
                data = bytearray(bytes(sealed[ESP]))
                wire.board.endpoint.receive(data, (BOARD, 4500), (GATEWAY, 4500), wire.now)
                (got,) = wire.board.collect()
                assert sound(got, inside, GATEWAY, BOARD)


@pytest.mark.parametrize("again", [rekey_child, rekey_ike])
@pytest.mark.parametrize("role", ["board", "gateway"])
def test_a_rekeying_keeps_the_mode(role, again):
    wire = made().connect()
    again(getattr(wire, role))
    wire.settle()
    wire.run(25_000)
    assert all(side.sa.children[0].transport for side in (wire.board, wire.gateway))
    asked = words(getattr(wire, role), iana.CREATE_CHILD_SA)
    assert [bool(each) for each in asked] == [again is rekey_child]
    assert sound(carried(wire, wire.board, wire.gateway, packet(KINDS[0]))[0], KINDS[0])


def test_a_fragment_does_not_go_in():
    wire = made().connect()
    for flags, offset in ((1, 0), (0, 5)):
        data = bytes(IP(src=BOARD, dst=GATEWAY, flags=flags, frag=offset) / UDP() / b"12345678")
        assert wire.board.endpoint.send_packet(data, 0) == reason.ESP_INNER_PACKET
    assert wire.board.endpoint.send_packet(bytes(IP(src=BOARD, dst=GATEWAY, flags=2) / UDP()), 0) == 0


def test_what_is_for_others_does_not_go_in():
    wire = made().connect()
    for ends in ((BOARD, "192.0.2.7"), ("10.0.0.1", GATEWAY)):
        assert wire.board.endpoint.send_packet(packet(KINDS[0], *ends), 0) == reason.ESP_NO_SA


def test_a_dummy_and_nothing_at_all():
    wire = made().connect()
    wire.board.sa.children[0].next_header = 0
    for kind, size in ((59, 20), (iana.IPPROTO_TCP, 0), (iana.IPPROTO_UDP, 5), (253, 33)):
        inside = os.urandom(size)
        got = sent_as(wire, kind, inside)
        assert got == ([] if kind == 59 else [inside])


def sent_as(wire, kind, inside):
    """What comes out of a Child SA for a payload of that protocol, without its IP header."""
    from uike.ipsec import packet as esp

    child = wire.board.sa.children[0]
    child.next_header = kind
    data = esp.encapsulate(child, bytearray(inside), len(inside), os.urandom)
    wire.gateway.endpoint.receive(bytearray(data), (GATEWAY, 4500), (BOARD, 4500), wire.now)
    got = wire.gateway.collect()
    assert all(IP(each).proto == kind for each in got)
    return [each[20:] for each in got]


def behind_nat(**changes):
    """A board at 10.0.0.7, which the gateway sees at 192.0.2.2."""
    wire = made(**{**NAT, **changes})
    wire.board.endpoint.connect(wire.board.endpoint.connections[0], INSIDE, GATEWAY, 0)
    wire.settle()
    return wire


def test_behind_a_nat():
    # --> IKE_AUTH { .., TSi(10.0.0.7), TSr }     <-- { .., TSi(10.0.0.7), TSr }     section 2.23.1
    wire = behind_nat()
    ours, theirs = wire.board.sa.children[0], wire.gateway.sa.children[0]
    assert ours.local_ts == [selectors.host(pack(INSIDE))] and theirs.remote_ts == [selectors.host(pack(BOARD))]
    assert ours.transport and theirs.transport
    for inside in KINDS:  # whose checksums are those of the addresses that the sender knows
        got = carried(wire, wire.board, wire.gateway, packet(inside, INSIDE))[0]
        assert sound(got, inside)
        got = carried(wire, wire.gateway, wire.board, packet(inside, GATEWAY, BOARD))[0]
        assert sound(got, inside, GATEWAY, INSIDE)
    rekey_child(wire.gateway)
    wire.settle()
    assert sound(carried(wire, wire.board, wire.gateway, packet(KINDS[1], INSIDE))[0], KINDS[1])


def test_a_tunnel_behind_a_nat_is_refused_as_before():
    """The address that the peer calls its own is nobody's whom we know."""
    wire = behind_nat(ours=False)
    assert wire.board.closed() == ["TS_REFUSED_BY_PEER"] and wire.gateway.rejected() == ["TS_REFUSED"]


def test_selectors_with_a_protocol_hold(monkeypatch):
    """The peer narrows it to UDP port 1701 of its own: nothing else comes in."""
    wire = made()
    scope = selectors.make(17, 1701, 1701, pack(BOARD), pack(BOARD))
    wire.board.endpoint.connections[0].local_ts = (scope,)
    wire.connect()
    assert wire.gateway.sa.children[0].remote_ts == [scope] and wire.gateway.sa.children[0].transport
    assert sent_as(wire, 17, b"\x06\xa5\0\7\0\x0a\0\0ok") == [b"\x06\xa5\0\7\0\x0a\0\0ok"]
    assert sent_as(wire, 17, b"\x06\xa6\0\7\0\x0a\0\0no") == sent_as(wire, 6, bytes(20)) == []
    assert wire.gateway.dropped() == ["ESP_SELECTORS"] * 2
