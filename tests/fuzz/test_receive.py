"""Ten thousand hostile datagrams in each state: nothing raises, nothing grows, and whoever was there before survives.

Seeds are fixed; a failure names the seed and the number of the datagram, which is all that is needed to replay it.
"""

import gc
import random
import tracemalloc

import pytest

from tests import world
from tests.world import BOARD, GATEWAY, World, connection, seeded_random
from uike import event, iana
from uike.wire.message import HEADER, write_header

DATAGRAMS = 10_000
ATTACKER = ("198.51.100.66", 500)


def idle():
    return World(), lambda wire: wire.gateway


def initiator_in_init():
    wire = World(connection(True, retransmit_ms=10_000_000))
    wire.filter = lambda sender, datagram, port: []
    return wire.connect(), lambda wire: wire.board


def initiator_in_auth():
    wire = World(connection(True, retransmit_ms=10_000_000))
    wire.filter = lambda sender, datagram, port: [datagram] if port == 500 else []
    return wire.connect(), lambda wire: wire.board


def responder_in_auth():
    wire, _ = initiator_in_auth()
    wire.gateway.sa.expires_at = None
    return wire, lambda wire: wire.gateway


def established_initiator():
    return World().connect(), lambda wire: wire.board


def established_responder():
    return World().connect(), lambda wire: wire.gateway


def deleting():
    wire = World().connect()
    wire.filter = lambda sender, datagram, port: []
    wire.board.endpoint.close(None, 0)
    wire.settle()
    return wire, lambda wire: wire.board


STATES = [
    idle,
    initiator_in_init,
    initiator_in_auth,
    responder_in_auth,
    established_initiator,
    established_responder,
    deleting,
]


def samples():
    """Real datagrams of a whole session, ESP included; of another session than the one under attack."""
    wire = World(seed=2).connect()
    from uike.net import icmp

    wire.board.endpoint.send_packet(icmp.request(wire.board.sa.address, bytes((10, 1, 0, 1)), 1, 1, 40), 0)
    wire.settle()
    wire.board.endpoint.close(None, 0)
    wire.settle()
    return [datagram for _, datagram, _ in wire.wire]


def mutate(draw, data):
    """A few changes of the kinds that break parsers: bits, lengths, cuts, repetitions, and the SPIs kept or not."""
    data = bytearray(data)
    for _ in range(draw.randrange(1, 5)):
        if not data:
            break
        at = draw.randrange(len(data))
        kind = draw.randrange(7)
        if kind == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[at] = draw.choice((0, 1, 3, 4, 0x20, 0x7F, 0x80, 0xFE, 0xFF))
        elif kind == 2:
            data = data[:at]
        elif kind == 3:
            data += bytes(draw.randrange(256) for _ in range(draw.randrange(40)))
        elif kind == 4:
            data[at:at] = data[at : at + draw.randrange(40)]
        elif kind == 5:
            del data[at : at + draw.randrange(20)]
        elif len(data) >= HEADER:
            data[24:28] = len(data).to_bytes(4, "big")  # make the length right again
    return bytes(data)


def hostile(draw, corpus, sa):
    """One datagram, and the port it goes to."""
    port = draw.choice((500, 4500))
    kind = draw.randrange(10)
    if kind == 0:
        return bytes(draw.randrange(256) for _ in range(draw.randrange(80))), port
    data = bytearray(mutate(draw, draw.choice(corpus)))
    at = 4 if data[:4] == bytes(4) else 0
    if sa and draw.randrange(3) and len(data) >= at + HEADER:  # aim at the SA that is there
        data[at : at + 16] = sa.spi_i + sa.spi_r
        if draw.randrange(2):
            data[at + 24 : at + 28] = (len(data) - at).to_bytes(4, "big")
        if draw.randrange(2):
            data[at + 19] = draw.choice((0, 8, 0x20, 0x28))
    return bytes(data), port


def size_of(endpoint):
    """How much the engine holds: everything that could grow."""
    return (len(endpoint.sas), len(endpoint.sad.inbound), len(endpoint.sad.outbound), len(endpoint.leases))


@pytest.mark.parametrize("state", STATES, ids=[state.__name__ for state in STATES])
def test_hostile_datagrams(state):
    wire, pick = state()
    side = pick(wire)
    endpoint = side.endpoint
    sa = side.sa if endpoint.sas else None
    before = sa.state if sa else None
    corpus = samples()
    draw = random.Random(state.__name__)
    own = side.address
    peer = GATEWAY if side is wire.board else BOARD
    held = None
    for number in range(DATAGRAMS):
        data, port = hostile(draw, corpus, sa)
        source = (peer, port) if draw.randrange(4) else ATTACKER
        endpoint.receive(data, (own, port), source, wire.now)
        endpoint.outgoing()
        side.collect()
        if number % 1000 == 999:
            wire.now += 31_000 if sa is None else 10  # half-open SAs of the storm run out
            if sa is None:
                endpoint.tick(wire.now)
            side.log = [row for row in side.log if row[0] == "DROP" and row[2][0] == 99]
            side.happened.clear()
            if number == 1999:
                gc.collect()
                tracemalloc.start()
                held = tracemalloc.get_traced_memory()[0]
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - held
    tracemalloc.stop()
    assert not side.log, f"an error of ours: {side.log[:3]}"
    assert grown < 32 * 1024, f"{grown} bytes more after {DATAGRAMS - 2000} datagrams"
    assert len(endpoint.sas) <= 7
    if sa:
        assert sa in endpoint.sas and sa.state == before, "a stranger ended the SA"
    endpoint.tick(wire.now + 60_000)
    if sa is None:
        assert size_of(endpoint) == (0, 0, 0, 0)


def seal_raw(sa, exchange, response, message_id, first, inside):
    """An authentic message with any plaintext: what a peer with the keys could send."""
    cipher = sa.seal
    end = HEADER + 4 + cipher.iv_size + len(inside)
    buffer = bytearray(end + cipher.icv_size)
    flags = (8 if sa.initiator else 0) | (0x20 if response else 0)
    write_header(buffer, sa.spi_i, sa.spi_r, iana.SK, exchange, flags, message_id, len(buffer))
    buffer[HEADER] = first
    buffer[HEADER + 2 : HEADER + 4] = (len(buffer) - HEADER).to_bytes(2, "big")
    buffer[HEADER + 4 : end] = seeded_random((message_id, bytes(inside)))(cipher.iv_size) + inside
    cipher.seal(buffer, HEADER + 4, end)
    return bytes(4) + buffer


def recorded_plaintext():
    """(exchange, response, first payload, plain chain) of every protected message of a session."""
    wire = World().connect()
    wire.board.endpoint.close(None, 0)
    wire.settle()
    found = []
    for side in (wire.board, wire.gateway):
        for body in side.said("MESSAGE"):
            if body[0] and body[13]:
                header = body[16:]
                found.append((header[18], bool(header[19] & 0x20), header[16], header[28:]))
    return found


@pytest.mark.parametrize("sender", ["initiator", "responder"])
def test_authentic_nonsense_before_authentication(sender):
    """IKE_AUTH from a peer that has the keys of IKE_SA_INIT, as everyone can: at worst it loses its own SA."""
    draw = random.Random(sender)
    plain = [row for row in recorded_plaintext() if row[0] == iana.IKE_AUTH and row[1] == (sender == "responder")]
    for number in range(250):
        wire, _ = responder_in_auth()
        source, target = (wire.board, wire.gateway) if sender == "initiator" else (wire.gateway, wire.board)
        exchange, response, first, inside = draw.choice(plain)
        inside = pad(mutate(draw, inside))
        data = seal_raw(source.sa, exchange, response, 1, draw.choice((first, first, draw.randrange(256))), inside)
        target.endpoint.receive(data, (target.address, 4500), (source.address, 4500), 0)
        assert not wire.internal_errors(), (sender, number, target.log[-3:])
        for sa in target.endpoint.sas:
            assert sa.state != event.STATE_ESTABLISHED or sa.peer_id, "established without authentication"
        assert not target.endpoint.sad.inbound, "a Child SA without authentication"


def pad(inside):
    size = -(len(inside) + 1) % 16
    return inside + bytes(size) + bytes((size,))


@pytest.mark.parametrize("request_id", [0, 1, 2, 2**31])
def test_authentic_nonsense_in_an_established_sa(request_id):
    draw = random.Random(request_id)
    plain = recorded_plaintext()
    wire = None
    for number in range(400):
        wire = World().connect() if number % 20 == 0 else wire
        if not wire.board.endpoint.sas or not wire.gateway.endpoint.sas:
            wire = World().connect()
        source, target = draw.choice(((wire.board, wire.gateway), (wire.gateway, wire.board)))
        exchange, response, first, inside = draw.choice(plain)
        exchange = draw.choice((exchange, 34, 35, 36, 37, 37, 37, draw.randrange(256)))
        inside = pad(mutate(draw, inside))
        expected = target.sa.receive_id if not response else target.sa.send_id
        message_id = draw.choice((expected, expected, request_id))
        data = seal_raw(source.sa, exchange, response, message_id, first, inside)
        target.endpoint.receive(data, (target.address, 4500), (source.address, 4500), 0)
        target.endpoint.outgoing()
        assert not wire.internal_errors(), (request_id, number, target.log[-3:])


def test_seeds_give_the_same_datagrams():
    corpus = samples()
    one, two = random.Random(1), random.Random(1)
    assert [hostile(one, corpus, None) for _ in range(50)] == [hostile(two, corpus, None) for _ in range(50)]


def test_oversized_datagrams_are_dropped_with_a_reason():
    wire = World().connect()
    for size, why in ((4096, "LENGTH_MISMATCH"), (4097, "LONG_DATAGRAM"), (65507, "LONG_DATAGRAM")):
        wire.gateway.endpoint.receive(bytes(size), (GATEWAY, 4500), (BOARD, 4500), 0)
        assert wire.gateway.dropped()[-1] in (why, "ESP_UNKNOWN_SPI", "ZERO_INITIATOR_SPI")
    assert wire.gateway.dropped()[-1] == "LONG_DATAGRAM"
    assert world.REASON_NAMES[1] == "SHORT_DATAGRAM"
