"""Quick crash detection (RFC 6290): a peer that has restarted proves that it had the SA. Messages are in comments."""

import pytest

from tests import world
from tests.handshake import messages
from tests.ike.test_info import ask, both, other, sealed
from tests.ike.test_rekey import agree, rekey_child, rekey_ike, works
from tests.ike.test_requirements import chain
from tests.world import World, connection
from uike import event, iana, reason
from uike.wire import message

SECRET = {"board": b"b" * 32, "gateway": b"g" * 32}


def tunnel(secrets=SECRET, **changes):
    changes = {"crash_detection": True, "nat_keepalive_ms": 0, **changes}
    wire = World(connection(True, **changes), connection(False, **changes))
    for role in ("board", "gateway"):
        getattr(wire, role).endpoint.secret = secrets[role]
    return wire.connect()


def restart(wire, role, secret=None):
    """One side comes up anew with nothing but its configuration and its secret."""
    old = getattr(wire, role)
    fresh = world.Side(old.address, old.endpoint.connections, ("anew", role))
    fresh.endpoint.secret = SECRET[role] if secret is None else secret
    setattr(wire, role, fresh)
    return fresh


def tokens(side, sent=True):
    """The QCD_TOKEN notifies of the messages that a side has sent: (exchange, body)."""
    found = [(data[18], body) for out, data in messages(side) if out is sent for _, _, body in chain(data)]
    return [(kind, body) for kind, body in found if body[2:4] == iana.QUICK_CRASH_DETECTION.to_bytes(2, "big")]


def test_tokens_are_exchanged_in_ike_auth():
    # --> IKE_AUTH { .., N(QCD_TOKEN) }     <-- { .., N(QCD_TOKEN) }
    wire = tunnel()
    for side in (wire.board, wire.gateway):
        ((exchange, body),) = tokens(side)
        assert exchange == iana.IKE_AUTH and body[:2] == bytes((iana.PROTO_IKE, 0)) and len(body) == 4 + 16
        assert body[4:] == bytes(16)  # in the trace: who has a token can end the SA
        assert len(other(wire, side).sa.token) == 16 and any(other(wire, side).sa.token)
    assert wire.board.sa.token != wire.gateway.sa.token and works(wire)


@both
@pytest.mark.parametrize("suite", [world.CBC, world.GCM], ids=["cbc", "gcm"])
def test_a_peer_that_has_restarted_is_believed_at_once(role, suite):
    wire = tunnel(proposals=(suite,), dpd_delay_ms=30_000)
    side = getattr(wire, role)
    wire.run(29_999)
    gone = restart(wire, "gateway" if side is wire.board else "board")
    # --> INFORMATIONAL { }     <-- N(INVALID_IKE_SPI), N(QCD_TOKEN), in the clear
    wire.run(30_001)
    assert side.closed() == ["PEER_RESTARTED"] and not side.endpoint.sas and not side.endpoint.sad.inbound
    assert gone.dropped() == ["UNKNOWN_IKE_SPI"] and not wire.internal_errors()
    ((_, data, _),) = [row for row in wire.wire if row[0] == gone.address][-1:]
    got = message.Message(bytearray(data[4:]))
    got.read(got.first, message.HEADER, len(got.buffer))
    assert got.error() == (iana.INVALID_IKE_SPI, b"") and len(got.notify(iana.QUICK_CRASH_DETECTION)) == 16
    assert "PEER_RESTARTED" in [world.REASON_NAMES[body[8]] for body in side.said("CHILD_DOWN")]


@pytest.mark.parametrize("what", ["another secret", "no secret", "not agreed", "a bit"])
def test_whoever_cannot_prove_it_is_not_believed(what):
    wire = tunnel(dpd_delay_ms=30_000, crash_detection=what != "not agreed")
    wire.run(29_999)
    restart(wire, "gateway", {"another secret": b"x" * 32, "no secret": b""}.get(what))
    if what == "a bit":
        wire.filter = lambda sender, datagram, port: [datagram[:-1] + bytes((datagram[-1] ^ 1,))]
    wire.run(30_001)
    assert not wire.board.closed() and wire.board.dropped()[-1:] == ["NOT_ENCRYPTED"]
    wire.run(300_000)
    assert wire.board.closed() == ["PEER_DEAD"]


def test_a_token_ends_nothing_unless_we_have_asked():
    wire = tunnel()
    sa = wire.board.sa
    for flags in (iana.FLAG_RESPONSE, 0):
        wire.now += 10_000
        payloads = [
            message.notify(iana.INVALID_IKE_SPI),
            message.notify(iana.QUICK_CRASH_DETECTION, sa.token, iana.PROTO_IKE),
        ]
        data = message.build(sa.spi_i, sa.spi_r, iana.INFORMATIONAL, flags, sa.send_id, payloads)
        wire.board.endpoint.receive(bytearray(4) + data, (world.BOARD, 4500), (world.GATEWAY, 4500), wire.now)
    assert wire.board.dropped() == ["UNEXPECTED_RESPONSE", "WRONG_MESSAGE_ID"] and works(wire)


@both
def test_no_token_is_made_for_an_sa_that_is_up(role):
    """It would end it: neither wrong flags nor a wrong version nor a half-right SPI get one."""
    wire = tunnel()
    side = getattr(wire, role)
    datagram = bytearray(sealed(other(wire, side), 9))
    changes = [
        (),
        ((4 + 19, 0x08),),
        ((4 + 19, 0x20),),
        ((4 + 17, 0x40),),
        ((4 + 18, 34),),
        ((4 + 7, 0xFF),),
        ((4 + 15, 1),),
    ]
    for at, change in enumerate(changes):
        forged = bytearray(datagram)
        for offset, bits in change:
            forged[offset] ^= bits
        wire.now = 10_000 * at
        side.endpoint.receive(forged, (side.address, 4500), ("198.51.100.7", 4500), wire.now)
        for answer, _, _ in side.endpoint.outgoing():
            assert bytes(other(wire, side).sa.token) not in bytes(answer)
    assert works(wire)


@both
def test_after_a_rekeying_there_are_new_tokens(role):
    wire = tunnel()
    side, peer = getattr(wire, role), other(wire, getattr(wire, role))
    before = {side.sa.token, peer.sa.token}
    # --> CREATE_CHILD_SA { SA, Ni, KEi }     <-- { SA, Nr, KEr, N(QCD_TOKEN) }
    # --> INFORMATIONAL { N(QCD_TOKEN) }     <-- { }     and the Delete of the old one
    rekey_ike(side)
    wire.settle()
    wire.run(25_000)
    assert agree(wire) == (1, 1) and works(wire)
    assert [kind for kind, _ in tokens(side)] == [iana.IKE_AUTH, iana.INFORMATIONAL]
    assert [kind for kind, _ in tokens(peer)] == [iana.IKE_AUTH, iana.CREATE_CHILD_SA]
    assert len({side.sa.token, peer.sa.token} | before) == 4
    rekey_child(side)
    wire.settle()
    assert len(tokens(side)) == len(tokens(peer)) == 2  # nothing of that with a Child SA
    restart(wire, "gateway" if side is wire.board else "board")
    ask_and_settle(wire, side)
    assert side.closed() == ["PEER_RESTARTED"]


def ask_and_settle(wire, side):
    wire.now += 10_000
    ask(side, wire, [])


def test_in_the_middle_of_a_rekeying():
    wire = tunnel()
    gone = restart(wire, "gateway")
    rekey_ike(wire.board)
    wire.settle()
    assert wire.board.closed() == ["PEER_RESTARTED"] and not wire.board.endpoint.sas
    assert not gone.endpoint.sas and not wire.internal_errors()


def test_a_token_of_a_wrong_size_is_not_kept():
    for size in (0, 15, 129):
        wire = tunnel()
        wire.board.sa.token = None
        ask(wire.gateway, wire, [message.notify(iana.QUICK_CRASH_DETECTION, bytes(size), iana.PROTO_IKE)])
        assert wire.board.sa.token is None


def test_a_token_is_in_no_trace():
    wire = tunnel()
    rekey_ike(wire.board)
    wire.settle()
    secret = {bytes(sa.token) for side in (wire.board, wire.gateway) for sa in side.endpoint.sas if sa.token}
    said = b"".join(body for side in (wire.board, wire.gateway) for _, _, body in side.log)
    assert len(secret) >= 2 and not [token for token in secret if token in said]


def test_the_reason_has_its_words():
    wire = tunnel()
    restart(wire, "gateway")
    ask_and_settle(wire, wire.board)
    (body,) = wire.board.said("CLOSED")
    assert body[0] == reason.PEER_RESTARTED and body[1:3] == bytes((0, iana.INVALID_IKE_SPI))
    assert [kind for kind, _, _ in wire.board.endpoint.events()][-1] == event.CLOSED
