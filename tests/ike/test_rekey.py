"""CREATE_CHILD_SA: further Child SAs, replaced Child and IKE SAs, lifetimes. The message sequence is in the comments."""

import pytest

from tests import world
from tests.world import World, connection
from uike import event, iana
from uike.connection import Policy
from uike.net import icmp
from uike.wire.selectors import make

PFS = ((1, 12, 128), (3, 12, 0), (4, 31, 0), (5, 0, 0))
OTHER = make(0, 0, 65535, bytes((10, 2, 0, 0)), bytes((10, 2, 255, 255)))


def tunnel(board=(), gateway=(), **changes):
    return World(
        connection(True, **{**changes, **dict(board)}), connection(False, **{**changes, **dict(gateway)})
    ).connect()


def start(side, module, name, *arguments):
    """One of our exchanges, begun by hand."""
    from uike.ike import exchange

    task = getattr(__import__(f"uike.ike.{module}", fromlist=[name]), name)(*arguments)
    exchange.start(arguments[0], task, side.endpoint.now)


def rekey_child(side):
    start(side, "rekey_child", "replace", side.sa, side.sa.children[0])


def rekey_ike(side):
    start(side, "rekey_ike", "replace", side.sa)


def works(wire):
    """Whether packets go both ways through the tunnel, in the clear to nobody."""
    inner = {side: next(sa.address for sa in side.endpoint.sas if sa.address) for side in (wire.board,)}[wire.board]
    outer = bytes((10, 1, 0, 1))
    for here, there, source, destination in (
        (wire.board, wire.gateway, inner, outer),
        (wire.gateway, wire.board, outer, inner),
    ):
        here.collect(), there.collect()
        assert here.endpoint.send_packet(icmp.request(source, destination, 7, 1, 56), wire.now) == 0
        wire.settle()
        assert len(there.collect()) == 1
    return True


def agree(wire):
    """Both sides have the same SAs; none is left over."""
    sides = (wire.board.endpoint, wire.gateway.endpoint)
    ours, theirs = [sorted((sa.spi_i, sa.spi_r) for sa in side.sas) for side in sides]
    assert ours == theirs
    pairs = [sorted(tuple(sorted((c.spi_in, c.spi_out))) for sa in side.sas for c in sa.children) for side in sides]
    assert pairs[0] == pairs[1]
    for side in sides:
        assert len(side.sad.inbound) == len(side.sad.outbound) == sum(len(sa.children) for sa in side.sas)
        assert all(child.owner in side.sas for child in side.sad.outbound)
        assert all(sa.quiet is False and sa.fresh is None and sa.rival is None for sa in side.sas)
    assert not wire.internal_errors()
    return len(ours), len(pairs[0])


@pytest.mark.parametrize("role", ["board", "gateway"])
@pytest.mark.parametrize("esp", [world.ESP_CBC, PFS], ids=["plain", "pfs"])
def test_a_child_sa_is_replaced(role, esp):
    wire = tunnel(esp_proposals=(esp,))
    side = getattr(wire, role)
    old = side.sa.children[0]
    # --> CREATE_CHILD_SA { N(REKEY_SA), SA, Ni, [KEi,] TSi, TSr }     <-- { SA, Nr, [KEr,] TSi, TSr }
    # --> INFORMATIONAL { D(ESP) }     <-- { D(ESP) }
    rekey_child(side)
    wire.settle()
    assert old.state == event.STATE_CHILD_RETIRED
    assert works(wire)
    wire.now += 6_000
    for each in (wire.board, wire.gateway):
        each.endpoint.tick(wire.now)
        ((_, sa, body),) = [row for row in each.log if row[0] == "CHILD_REKEYED"]
        assert body[8:] == bytes((each is side, 0))
    assert agree(wire) == (1, 1) and side.sa.children[0] is not old
    assert side.sa.children[0].local_ts == old.local_ts and side.sa.children[0].remote_ts == old.remote_ts
    assert works(wire)


def test_a_packet_under_way_on_the_old_child_sa_is_not_lost():
    wire = tunnel()
    old = wire.gateway.sa.children[0]
    packet = icmp.request(bytes((10, 1, 0, 1)), wire.board.sa.address, 7, 1, 56)
    wire.gateway.endpoint.send_packet(packet, wire.now)
    late = wire.gateway.endpoint.outgoing()
    rekey_child(wire.board)
    wire.settle()
    assert wire.board.sa.children[0].state == event.STATE_CHILD_RETIRED
    for datagram, _, port in late:
        wire.board.endpoint.receive(datagram, (world.BOARD, port), (world.GATEWAY, 4500), wire.now)
    assert wire.board.collect() == [bytes(packet)]
    # but a replay of it is
    for datagram, _, port in late:
        wire.board.endpoint.receive(bytearray(datagram), (world.BOARD, port), (world.GATEWAY, 4500), wire.now)
    assert wire.board.collect() == [] and old.spi_out


def test_the_responder_sends_on_the_old_one_until_it_has_heard_on_the_new_one():
    wire = tunnel()
    held = []
    wire.filter = lambda sender, datagram, port: held.append(datagram) or [] if sender is wire.gateway else [datagram]
    old = wire.gateway.sa.children[0]
    rekey_child(wire.board)
    wire.settle()  # the response is under way
    packet = icmp.request(bytes((10, 1, 0, 1)), wire.board.sa.address, 7, 1, 56)
    wire.gateway.endpoint.send_packet(packet, wire.now)
    assert old.packets_out == 1
    (datagram, _, _) = wire.gateway.endpoint.outgoing()[0]
    assert bytes(datagram[:4]) == old.spi_out


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("esp", [world.ESP_CBC, PFS], ids=["plain", "pfs"])
def test_both_replace_the_same_child_sa_at_once(seed, esp):
    # section 2.8.1
    #       --> CREATE_CHILD_SA { N(REKEY_SA), SA, Ni1, TSi, TSr }     (crosses with)
    #       <-- CREATE_CHILD_SA { N(REKEY_SA), SA, Ni2, TSi, TSr }
    #       --> { SA, Nr2, TSi, TSr }     <-- { SA, Nr1, TSi, TSr }
    #       the SA with the lowest nonce is deleted by the one who asked for it, the old one by the other
    wire = World(connection(True, esp_proposals=(esp,)), connection(False, esp_proposals=(esp,)), seed).connect()
    rekey_child(wire.board)
    rekey_child(wire.gateway)
    wire.settle()
    collisions = sorted(body[9] for side in (wire.board, wire.gateway) for body in side.said("CHILD_REKEYED"))
    assert collisions == [1, 2]
    assert works(wire)
    wire.now += 6_000
    for side in (wire.board, wire.gateway):
        side.endpoint.tick(wire.now)
    assert agree(wire) == (1, 1)
    assert works(wire)
    for side in (wire.board, wire.gateway):
        assert [body[0] for body in side.said("CLOSED")] == []


@pytest.mark.parametrize("role", ["board", "gateway"])
def test_the_ike_sa_is_replaced(role):
    wire = tunnel()
    side = getattr(wire, role)
    before = side.sa
    # --> CREATE_CHILD_SA { SA, Ni, KEi }     <-- { SA, Nr, KEr }
    # --> INFORMATIONAL { D(IKE) }     <-- { }
    rekey_ike(side)
    wire.settle()
    wire.run(wire.now + 25_000)
    assert agree(wire) == (1, 1) and before not in side.endpoint.sas
    assert side.sa.initiator and side.sa.spi_i != before.spi_i
    assert not side.closed() and works(wire)
    # and the new one serves: from either side, for either kind of SA
    for again in (rekey_child, rekey_ike, rekey_child):
        for each in (wire.board, wire.gateway):
            again(each)
            wire.settle()
            wire.run(wire.now + 25_000)
            assert agree(wire) == (1, 1) and works(wire)
    wire.board.endpoint.close(None, wire.now)
    wire.settle()
    assert wire.gateway.closed() == ["DELETED_BY_PEER"]


@pytest.mark.parametrize("seed", range(6))
def test_both_replace_the_ike_sa_at_once(seed):
    # section 2.8.2
    wire = World(seed=seed).connect()
    rekey_ike(wire.board)
    rekey_ike(wire.gateway)
    wire.settle()
    wire.run(wire.now + 25_000)
    assert agree(wire) == (1, 1) and works(wire)
    won = sorted(body[3] for side in (wire.board, wire.gateway) for body in side.said("IKE_REKEYED"))
    assert won == [1, 2]
    assert not wire.board.closed() and not wire.gateway.closed()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("loser", ["board", "gateway"])
@pytest.mark.parametrize("what", [rekey_child, rekey_ike], ids=["child", "ike"])
def test_one_response_of_two_is_late(what, loser, seed):
    """By then the other peer has chosen and has deleted: the old SA, or the one that it made for nothing."""
    wire = World(seed=seed).connect()
    lost = []

    def once(sender, datagram, port):
        if datagram[22] == iana.CREATE_CHILD_SA and datagram[23] & iana.FLAG_RESPONSE and not lost:
            if sender is not getattr(wire, loser):
                lost.append(datagram)
                return []
        return [datagram]

    wire.filter = once
    what(wire.board)
    what(wire.gateway)
    wire.settle()
    wire.run(wire.now + 25_000)
    assert lost and agree(wire) == (1, 1) and works(wire)
    assert not wire.board.closed() and not wire.gateway.closed()
    kind = "CHILD_REKEYED" if what is rekey_child else "IKE_REKEYED"
    assert wire.board.said(kind) and wire.gateway.said(kind)


@pytest.mark.parametrize("what", ["new_child", "rekey_ike"])
def test_nothing_is_made_under_an_ike_sa_that_may_yet_be_of_no_use(what):
    # --> CREATE_CHILD_SA { SA, Ni, KEi } (lost)     <-- CREATE_CHILD_SA { SA, Ni, KEi }     --> { SA, Nr, KEr }
    # <-- CREATE_CHILD_SA { .. } on the new one     --> { N(TEMPORARY_FAILURE) }
    wire = tunnel()
    lost = {id(wire.board): (iana.CREATE_CHILD_SA, False), id(wire.gateway): (iana.INFORMATIONAL, False)}

    def some(sender, datagram, port):
        kind = datagram[22], bool(datagram[23] & iana.FLAG_RESPONSE)
        return [] if kind == lost[id(sender)] and datagram[:4] == bytes(4) else [datagram]

    wire.filter = some
    rekey_ike(wire.board)
    rekey_ike(wire.gateway)
    wire.settle()
    fresh = wire.gateway.endpoint.sas[-1]
    assert wire.board.endpoint.sas[-1].quiet and fresh.children and not fresh.quiet
    start(
        wire.gateway,
        *{"new_child": ("create", what, fresh, fresh.connection), "rekey_ike": (what, "replace", fresh)}[what],
    )
    wire.settle()
    assert wire.gateway.rejected() == ["PEER_SAID_LATER"]
    assert len(wire.board.endpoint.sas) == 2 and len(wire.board.endpoint.sad.inbound) == 1
    wire.filter = lambda sender, datagram, port: [datagram]
    wire.run(wire.now + 60_000)
    assert agree(wire) == (1, 1) and works(wire)
    assert wire.board.sa.peer_id == (2, b"gw.example") and wire.gateway.sa.peer_id == (2, b"dev.example")


# -- collisions of different things (sections 2.25.1, 2.25.2) ---------------------------------------------------------

STEPS = {
    "rekey child": rekey_child,
    "rekey ike": rekey_ike,
    "delete child": lambda side: start(side, "info", "delete_child", side.sa, side.sa.children[0], 91),
    "delete ike": lambda side: side.endpoint.close(None, side.endpoint.now),
}
COLLISIONS = [  # (what the board does, what the gateway does at the same time, IKE SAs left, Child SAs left)
    ("rekey child", "delete child", 1, (0, 1)),  # the delete wins; the rekeying side makes a new one
    ("delete child", "delete child", 1, (0,)),
    ("rekey child", "rekey ike", 1, (1,)),  # TEMPORARY_FAILURE for both, or the IKE SA goes first
    ("rekey ike", "delete child", 1, (0,)),
    ("rekey ike", "delete ike", 0, (0,)),
    ("rekey child", "delete ike", 0, (0,)),
    ("delete child", "delete ike", 0, (0,)),
    ("delete ike", "delete ike", 0, (0,)),
]


@pytest.mark.parametrize("swap", [False, True], ids=["", "swapped"])
@pytest.mark.parametrize(("ours", "theirs", "ikes", "children"), COLLISIONS)
def test_different_things_at_once(ours, theirs, ikes, children, swap):
    wire = tunnel(esp_rekey_ms=0)
    sides = (wire.gateway, wire.board) if swap else (wire.board, wire.gateway)
    STEPS[ours](sides[0])
    STEPS[theirs](sides[1])
    wire.settle()
    wire.run(wire.now + 60_000)
    found = agree(wire)
    assert found[0] == ikes and found[1] in children
    if children == (1,):
        assert works(wire)


# -- lifetimes -------------------------------------------------------------------------------------------------------


def test_time_replaces_child_and_ike_sas_again_and_again():
    wire = tunnel(board={"rekey_ms": 300_000, "esp_rekey_ms": 60_000}, dpd_delay_ms=0, nat_keepalive_ms=0)
    for minute in range(1, 31):
        wire.run(minute * 60_000)
        assert works(wire)
    wire.run(wire.now + 25_000)
    assert agree(wire)[0] == 1
    assert len(wire.board.said("IKE_REKEYED")) in range(5, 8)
    assert len(wire.board.said("CHILD_REKEYED")) in range(25, 36)
    assert not wire.board.closed() and not wire.gateway.closed()


@pytest.mark.parametrize("rekey_ms", [3_600_000, 0], ids=["hour", "no time"])
@pytest.mark.parametrize("limit", [{"esp_rekey_packets": 10}, {"esp_rekey_bytes": 840}], ids=["packets", "bytes"])
def test_traffic_replaces_a_child_sa(limit, rekey_ms):
    wire = tunnel(board={"esp_rekey_ms": rekey_ms, **limit})
    for _ in range(10):
        works(wire)
    wire.run(wire.now + 1)
    wire.run(wire.now + 6_000)
    assert len(wire.board.said("CHILD_REKEYED")) == 1
    assert agree(wire) == (1, 1) and works(wire)


def test_past_its_hard_limit_a_child_sa_carries_nothing():
    wire = tunnel(board={"esp_rekey_packets": 8})
    packet = icmp.request(wire.board.sa.address, bytes((10, 1, 0, 1)), 7, 1, 56)
    sent = [wire.board.endpoint.send_packet(packet, wire.now) for _ in range(14)]
    assert sent == [0] * 10 + [101] * 4


def test_a_refused_rekeying_is_tried_again_and_the_end_comes():
    wire = tunnel(board={"esp_rekey_ms": 60_000}, dpd_delay_ms=0, nat_keepalive_ms=0)
    wire.gateway.sa.connection.esp_proposals = (world.ESP_GCM,)
    wire.run(59_990)
    assert "PEER_SAID_NO_ESP_PROPOSAL" in wire.board.rejected()
    assert works(wire)
    wire.run(66_100)
    assert agree(wire) == (1, 0)
    assert wire.board.said("CHILD_DOWN")[0][8] == 101


def test_an_ike_sa_that_cannot_be_replaced_ends():
    wire = tunnel(board={"rekey_ms": 60_000}, dpd_delay_ms=0, nat_keepalive_ms=0)
    wire.gateway.sa.connection.proposals = (world.GCM,)
    wire.run(67_000)
    assert wire.board.closed() == ["EXPIRED"] and wire.gateway.closed() == ["DELETED_BY_PEER"]


# -- further Child SAs -----------------------------------------------------------------------------------------------


def more(remote=(), local=()):
    policy = Policy("more")
    policy.esp_proposals = (world.ESP_CBC,)
    policy.local_ts, policy.remote_ts = tuple(local), tuple(remote)
    return (policy,)


def test_a_packet_for_other_selectors_makes_a_child_sa_of_its_own():
    wire = tunnel({"more": more(remote=[OTHER])}, {"more": more(local=[OTHER])})
    packet = icmp.request(wire.board.sa.address, bytes((10, 2, 0, 9)), 7, 1, 56)
    # --> CREATE_CHILD_SA { SA, Ni, TSi, TSr }     <-- { SA, Nr, TSi, TSr }     the first pair is the packet's
    assert wire.board.endpoint.send_packet(packet, wire.now) != 0
    wire.settle()
    assert agree(wire) == (1, 2)
    assert wire.board.endpoint.send_packet(packet, wire.now) == 0
    wire.settle()
    assert len(wire.gateway.collect()) >= 1 and works(wire)


def test_a_packet_for_nobody_asks_for_nothing():
    wire = tunnel()
    packet = icmp.request(wire.board.sa.address, bytes((192, 0, 2, 99)), 7, 1, 56)
    assert wire.board.endpoint.send_packet(packet, wire.now) != 0
    assert wire.board.endpoint.outgoing() == []


def test_a_refused_child_sa_leaves_the_rest_alone_and_is_not_asked_for_at_once_again():
    wire = tunnel({"more": more(remote=[OTHER])})
    packet = icmp.request(wire.board.sa.address, bytes((10, 2, 0, 9)), 7, 1, 56)
    for _ in range(5):
        wire.board.endpoint.send_packet(packet, wire.now)
        wire.settle()
    assert wire.board.rejected() == ["TS_REFUSED_BY_PEER"]
    assert agree(wire) == (1, 1) and works(wire)
    wire.now += 11_000
    wire.board.endpoint.send_packet(packet, wire.now)
    wire.settle()
    assert wire.board.rejected() == ["TS_REFUSED_BY_PEER"] * 2


def test_another_group_is_asked_for():
    both = ((1, 12, 128), (3, 12, 0), (4, 31, 0), (4, 19, 0), (5, 0, 0))
    p256 = ((1, 12, 128), (3, 12, 0), (4, 19, 0), (5, 0, 0))
    wire = tunnel({"esp_proposals": (both,)}, {"esp_proposals": (p256,)})
    # --> CREATE_CHILD_SA { .., KE(31), .. }     <-- { N(INVALID_KE_PAYLOAD, 19) }
    # --> CREATE_CHILD_SA { .., KE(19), .. }     <-- { .., KE(19), .. }
    rekey_child(wire.board)
    wire.settle()
    wire.now += 6_000
    for side in (wire.board, wire.gateway):
        side.endpoint.tick(wire.now)
    assert agree(wire) == (1, 1) and len(wire.board.said("CHILD_REKEYED")) == 1


def test_too_many_child_sas_are_refused():

    wire = tunnel()
    for _ in range(14):
        start(wire.board, "create", "new_child", wire.board.sa, wire.board.sa.connection)
        wire.settle()
    assert wire.board.rejected() == ["PEER_SAID_NO_MORE_CHILDREN"] * 3
    assert agree(wire) == (1, 12)


def test_a_child_sa_that_the_peer_does_not_know_is_made_anew():
    wire = tunnel()
    gateway = wire.gateway
    gateway.endpoint.child_down(gateway.sa, gateway.sa.children[0], 91)
    # --> CREATE_CHILD_SA { N(REKEY_SA), .. }     <-- { N(CHILD_SA_NOT_FOUND) }
    # --> CREATE_CHILD_SA { SA, Ni, TSi, TSr }     <-- { SA, Nr, TSi, TSr }
    rekey_child(wire.board)
    wire.settle()
    assert agree(wire) == (1, 1) and works(wire)
    assert wire.gateway.rejected() == ["CHILD_NOT_FOUND"]


def test_it_is_refused_before_authentication():
    wire = World()
    wire.filter = lambda sender, datagram, port: [datagram] if port == 500 else []
    wire.connect()
    assert wire.gateway.sa.state == event.STATE_AUTH
    from uike.ike import sk

    sa = wire.board.sa
    datagram = bytes(4) + bytes(sk.seal(sa, iana.CREATE_CHILD_SA, False, 1, [(iana.NONCE, bytes(32))])[0])
    wire.gateway.endpoint.receive(datagram, (world.GATEWAY, 4500), (world.BOARD, 4500), 0)
    assert "WRONG_EXCHANGE" in wire.gateway.rejected() + wire.gateway.dropped() + wire.gateway.closed() or [
        sa.state for sa in wire.gateway.endpoint.sas
    ] != [event.STATE_ESTABLISHED]
    assert not wire.gateway.endpoint.sad.inbound
