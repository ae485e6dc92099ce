"""Authentication anew (RFC 4478): before its time is up the board has another IKE SA. The messages are in the comments."""

import pytest

from tests.ike.test_rekey import agree, rekey_ike, tunnel, works
from uike import event, iana
from uike.ike import exchange, reauth
from uike.wire.message import notify

QUIET = {"dpd_delay_ms": 0, "nat_keepalive_ms": 0}


@pytest.mark.parametrize(
    "changes",
    [{"board": {"reauth_ms": 60_000}}, {"gateway": {"auth_lifetime_ms": 60_000}}],
    ids=["reauth_time", "auth_lifetime"],
)
@pytest.mark.parametrize("rekeyed", [None, "board", "gateway"])
def test_the_board_authenticates_anew(changes, rekeyed):
    # --> IKE_AUTH { .. }     <-- { .., [N(AUTH_LIFETIME)] }
    wire = tunnel(**QUIET, **changes)
    if rekeyed:  # a fresh IKE SA is no fresh authentication: its time goes on
        rekey_ike(getattr(wire, rekeyed))
        wire.settle()
    wire.run(47_000)
    assert agree(wire) == (1, 1)
    address, before = wire.board.sa.address, wire.board.sa
    # --> IKE_SA_INIT, IKE_AUTH without N(INITIAL_CONTACT)     <-- ..     --> INFORMATIONAL { D(IKE) } on the old one
    wire.run(55_000)
    assert wire.board.said("REAUTHENTICATED") and before not in wire.board.endpoint.sas
    assert not wire.board.closed() and wire.gateway.closed() == ["DELETED_BY_PEER"]
    wire.run(80_000)
    assert agree(wire) == (1, 1) and works(wire)
    assert wire.board.sa.address == address and len(wire.gateway.endpoint.leases) == 1
    # and again, and again
    wire.run(300_000)
    assert len(wire.board.said("REAUTHENTICATED")) in (5, 6) and works(wire)
    assert not wire.board.closed() and "NOT_REAUTHENTICATED" not in wire.gateway.closed()


def test_packets_go_through_all_the_while():
    wire = tunnel(**QUIET, board={"reauth_ms": 20_000})
    for second in range(1, 90):
        wire.run(second * 1_000)
        assert works(wire)
    assert len(wire.board.said("REAUTHENTICATED")) >= 4
    assert not [name for side in (wire.board, wire.gateway) for name in side.dropped()]


def test_the_earlier_of_two_times_counts():
    wire = tunnel(**QUIET, board={"reauth_ms": 600_000}, gateway={"auth_lifetime_ms": 60_000})
    assert 48_000 <= wire.board.sa.auth_until <= 54_000
    # <-- INFORMATIONAL { N(AUTH_LIFETIME) }     --> { }     a responder may say so at any time (section 3)
    assert wire.gateway.sa.auth_until == 60_000

    def task(seconds):
        yield (iana.INFORMATIONAL, [notify(iana.AUTH_LIFETIME, seconds)])

    for seconds, low, high in (
        (b"\0\0\0\x1e", 24_000, 27_000),
        (b"\0\0\1\0", 24_000, 27_000),  # a later one does not put it off
        (b"\0\0\0", 24_000, 27_000),
        (bytes(4), 4_000, 4_500),  # nor does zero make it spin
    ):
        exchange.start(wire.gateway.sa, task(seconds), wire.now)
        wire.settle()
        assert low <= wire.board.sa.auth_until <= high
    # the other way round it says nothing
    exchange.start(wire.board.sa, task(b"\0\0\0\5"), wire.now)
    wire.settle()
    assert wire.gateway.sa.auth_until == 60_000


def test_the_longest_life_of_all():
    wire = tunnel(**QUIET, gateway={"auth_lifetime_ms": 0xFFFFFFFF * 1000})
    assert wire.board.sa.auth_until <= 1 << 29


def test_who_does_not_authenticate_in_time_is_deleted():
    wire = tunnel(**QUIET, gateway={"auth_lifetime_ms": 60_000})
    wire.board.sa.auth_until = None  # a peer without RFC 4478
    wire.run(59_999)
    assert works(wire)
    # <-- INFORMATIONAL { D(IKE) }     --> { }
    wire.run(60_001)
    assert wire.gateway.closed() == ["NOT_REAUTHENTICATED"] and wire.board.closed() == ["DELETED_BY_PEER"]


def test_a_new_sa_that_fails_leaves_the_old_one_and_is_tried_again():
    wire = tunnel(**QUIET, board={"reauth_ms": 60_000})
    key = wire.gateway.endpoint.connections[0].psk
    wire.gateway.endpoint.connections[0].psk = bytearray(b"for a moment another key")
    wire.run(56_000)
    assert "PSK_DIFFERS" in wire.gateway.closed() and wire.board.closed() == ["PEER_SAID_AUTH_FAILED"]
    assert works(wire)
    wire.gateway.endpoint.connections[0].psk = key
    wire.run(90_000)
    assert len(wire.board.said("REAUTHENTICATED")) == 1 and agree(wire) == (1, 1) and works(wire)


def test_the_old_one_is_replaced_in_the_meantime():
    wire = tunnel(**QUIET, board={"reauth_ms": 60_000})
    wire.filter = lambda sender, datagram, port: [] if port == 500 else [datagram]  # IKE_SA_INIT gets lost
    wire.run(54_000)
    assert len(wire.board.endpoint.sas) == 2
    rekey_ike(wire.gateway)
    wire.settle()
    wire.filter = lambda sender, datagram, port: [datagram]
    wire.run(90_000)
    assert agree(wire) == (1, 1) and works(wire) and not wire.board.closed()


def test_close_takes_both():
    wire = tunnel(**QUIET, board={"reauth_ms": 60_000})
    wire.filter = lambda sender, datagram, port: [] if port == 500 else [datagram]
    wire.run(54_000)
    wire.board.endpoint.close("hq", wire.now)
    wire.settle()
    wire.run(wire.now + 60_000)
    assert not wire.board.endpoint.sas and not wire.gateway.endpoint.sas
    assert wire.gateway.closed() == ["DELETED_BY_PEER"]


def test_no_room_for_a_second_one_means_later():
    wire = tunnel(**QUIET, board={"reauth_ms": 60_000})
    wire.board.endpoint.has_room = lambda: False
    wire.run(55_000)
    assert len(wire.board.endpoint.sas) == 1
    del wire.board.endpoint.has_room
    wire.run(80_000)
    assert len(wire.board.said("REAUTHENTICATED")) == 1
    assert wire.board.sa.state == event.STATE_ESTABLISHED and works(wire)


def test_the_old_one_is_being_rekeyed_when_the_new_one_comes_up():
    wire = tunnel(**QUIET, board={"reauth_ms": 60_000})
    held = []
    wire.filter = lambda sender, datagram, port: held.append((sender, datagram)) or [] if port == 4500 else [datagram]
    rekey_ike(wire.board)
    wire.board.sa.auth_until = None
    reauth.renew(wire.board.sa)
    wire.settle()
    wire.filter = lambda sender, datagram, port: [datagram]
    # the new one gets its answer first     --> IKE_AUTH     <-- ..     then the old one     --> CREATE_CHILD_SA     <-- ..
    wire.run(wire.now + 90_000)
    assert agree(wire) == (1, 1) and works(wire) and len(wire.board.said("REAUTHENTICATED")) >= 1


@pytest.mark.parametrize("role", ["board", "gateway"])
def test_close_in_the_middle_of_a_rekeying(role):
    # --> CREATE_CHILD_SA { SA, Ni, KEi }     closed     <-- { SA, Nr, KEr }     --> { D(IKE) } on both     <-- { }
    wire = tunnel(**QUIET)
    side = getattr(wire, role)
    rekey_ike(side)
    side.endpoint.close(None, wire.now)
    wire.settle()
    wire.run(wire.now + 60_000)
    assert not wire.board.endpoint.sas and not wire.gateway.endpoint.sas and not wire.internal_errors()
    assert side.closed() == ["DELETED_BY_US"]
