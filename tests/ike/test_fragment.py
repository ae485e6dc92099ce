"""IKE fragmentation (RFC 7383): both roles, every order, loss and repetition, the limits, the narrow path."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import world
from tests.world import World, connection
from uike import event, iana
from uike.crypto.soft import Provider as Soft
from uike.ike import exchange, fragment, reassembly, sk
from uike.wire.message import HEADER, Message, notify

SUITES = {"cbc": world.CBC, "gcm": world.GCM, "chacha": world.CHACHA}
MARKER = 4


def pair(size=200, ike=world.CBC, provider=None, board=None, gateway=None, **changes):
    """Two engines whose messages are cut into datagrams of that size."""
    changes = {"proposals": (ike,), "fragment_size": size, **changes}
    sides = connection(True, **{**changes, **(board or {})}), connection(False, **{**changes, **(gateway or {})})
    return World(*sides, provider=provider)


def is_fragment(datagram):
    return datagram[:MARKER] == bytes(MARKER) and datagram[MARKER + 16] == iana.SKF


def numbers(datagram):
    """(number, total) of a fragment on the wire."""
    at = MARKER + HEADER + 4
    return int.from_bytes(datagram[at : at + 2], "big"), int.from_bytes(datagram[at + 2 : at + 4], "big")


def up(wire):
    return [side.sa.state for side in (wire.board, wire.gateway) if side.endpoint.sas] == [event.STATE_ESTABLISHED] * 2


def large(sa, size=3_000):
    """An exchange with a request of that size."""
    response = yield (iana.INFORMATIONAL, [(iana.V, bytes(range(250)) * (size // 250))])
    sa.endpoint.answer = response


class Sender:
    """Makes fragments as the board's peer: what a peer with the keys could send to `target`."""

    def __init__(self, wire, target=None):
        self.wire = wire
        self.target = target or wire.gateway
        self.source = wire.board if self.target is wire.gateway else wire.gateway
        self.sa = self.source.sa

    def fragment(self, number, total, content=b"", first=0, message_id=None, exchange=iana.INFORMATIONAL, response=0):
        cipher = self.sa.seal
        message_id = self.sa.send_id if message_id is None else message_id
        flags = iana.FLAG_INITIATOR if self.sa.initiator else 0
        head = (first, exchange, flags | (iana.FLAG_RESPONSE if response else 0), message_id)
        buffer, start = fragment._frame(self.sa, head, number, total, len(content))
        buffer[HEADER] = first
        buffer[start : start + len(content)] = content
        cipher.seal(buffer, fragment.AAD, len(buffer) - cipher.icv_size)
        return buffer

    def throw(self, *datagrams):
        for data in datagrams:
            here, there = self.target.address, self.source.address
            self.target.endpoint.receive(bytes(4) + data, (here, 4500), (there, 4500), self.wire.now)

    def held(self):
        return {key: sorted(parts.sizes) for key, parts in self.target.sa.fragments.items()}


# -- the exchange over fragments -------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", [None, Soft()], ids=["host", "soft"])
@pytest.mark.parametrize("ike", SUITES.values(), ids=SUITES)
def test_a_tunnel_over_fragments(ike, provider):
    # --> IKE_SA_INIT { SA, KE, Ni, N, N, N(IKEV2_FRAGMENTATION_SUPPORTED) }     <-- the same
    # --> IKE_AUTH SKF 1/n ... SKF n/n     <-- SKF 1/m ... SKF m/m
    wire = pair(ike=ike, provider=provider).connect()
    assert up(wire) and not wire.internal_errors()
    cut = [datagram for _, datagram, _ in wire.wire if is_fragment(datagram)]
    assert len(cut) >= 4 and {datagram[MARKER + 18] for datagram in cut} == {iana.IKE_AUTH}
    assert all(len(datagram) + 28 <= 200 for datagram in cut)
    for side in (wire.board, wire.gateway):
        ours, theirs = ([body for body in side.said("FRAGMENT") if body[0] == out] for out in (1, 0))
        for rows in (ours, theirs):
            assert [int.from_bytes(body[7:9], "big") for body in rows] == list(range(1, len(rows) + 1))
            assert {int.from_bytes(body[9:11], "big") for body in rows} == {len(rows)}
        whole = [body for body in side.said("MESSAGE") if body[16 + 18] == iana.IKE_AUTH]
        assert len(whole) == 2 and all(int.from_bytes(body[14:16], "big") == len(body) - 16 for body in whole)


def test_a_message_that_fits_stays_whole():
    wire = pair(1280).connect()
    assert up(wire) and wire.board.sa.fragment_size == wire.gateway.sa.fragment_size == 1280
    assert not [datagram for _, datagram, _ in wire.wire if is_fragment(datagram)]


@pytest.mark.parametrize("off", ["board", "gateway"])
def test_without_both_words_nothing_is_cut(off):
    wire = pair(**{off: {"fragmentation": False}}).connect()
    assert up(wire) and wire.board.sa.fragment_size == wire.gateway.sa.fragment_size == 0
    assert not [datagram for _, datagram, _ in wire.wire if is_fragment(datagram)]
    sender = Sender(wire)
    sender.throw(sender.fragment(1, 2, b"x"))
    assert wire.gateway.dropped()[-1] == "FRAGMENT" and not sender.held()


@pytest.mark.parametrize(
    ("board", "gateway", "said"), [(1, 1, (True, True)), (0, 1, (False, False)), (1, 0, (True, False))]
)
def test_the_responder_says_so_only_to_who_does(board, gateway, said):
    # --> IKE_SA_INIT { .., [N(IKEV2_FRAGMENTATION_SUPPORTED)] }     <-- { .., the same if it was there }
    wire = pair(board={"fragmentation": bool(board)}, gateway={"fragmentation": bool(gateway)}).connect()
    found = []
    for _, datagram, _ in wire.wire[:2]:
        first = Message(bytearray(datagram))
        first.read(first.first, HEADER, len(datagram))
        found.append(first.notify(iana.IKEV2_FRAGMENTATION_SUPPORTED) is not None)
    assert tuple(found) == said and up(wire)


def count_of_datagrams():
    wire = pair().connect()
    return len(wire.wire)


@pytest.mark.parametrize("lost", range(count_of_datagrams()))
@pytest.mark.parametrize("what", ["lost", "twice"])
def test_any_datagram_lost_or_doubled(lost, what):
    wire = pair()
    count = itertools.count()
    wire.filter = lambda sender, datagram, port: [datagram] * ((what == "twice") * 2 if next(count) == lost else 1)
    wire.connect()
    wire.run(20_000)
    assert up(wire) and not wire.internal_errors()
    assert len(wire.gateway.endpoint.sas) == 1 and not wire.board.sa.fragments and not wire.gateway.sa.fragments


def test_only_the_first_fragment_of_a_repeated_request_is_answered():
    wire = pair().connect()
    request = [datagram for sender, datagram, _ in wire.wire if is_fragment(datagram) and sender == world.BOARD]
    response = [datagram for sender, datagram, _ in wire.wire if is_fragment(datagram) and sender == world.GATEWAY]
    for number, datagram in enumerate(request, 1):
        wire.gateway.endpoint.receive(datagram, (world.GATEWAY, 4500), (world.BOARD, 4500), 0)
        again = [bytes(data) for data, _, _ in wire.gateway.endpoint.outgoing()]
        assert again == (response if number == 1 else [])
    assert wire.gateway.dropped()[-len(request) :] == ["RETRANSMITTED_REQUEST"] + ["FRAGMENT_REPEATED"] * (
        len(request) - 1
    )
    forged = bytearray(request[0])
    forged[-1] ^= 1
    wire.gateway.endpoint.receive(forged, (world.GATEWAY, 4500), (world.BOARD, 4500), 0)
    assert wire.gateway.dropped()[-1] == "BAD_ICV" and not wire.gateway.endpoint.outgoing()


@pytest.mark.parametrize("role", ["board", "gateway"])
def test_a_large_request_of_either_side(role):
    wire = pair(576).connect()
    side = getattr(wire, role)
    exchange.start(side.sa, large(side.sa), 0)
    wire.settle()
    assert side.endpoint.answer.payloads == [] and not wire.internal_errors()
    other = wire.gateway if side is wire.board else wire.board
    seen = [body for body in other.said("MESSAGE") if not body[0]][-1]
    assert seen[16 + HEADER + 4 :] == bytes(range(250)) * 12


# -- the narrow path -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ike", SUITES.values(), ids=SUITES)
@pytest.mark.parametrize(("size", "message"), [(1280, 1_000), (1500, 3_000), (700, 500)])
def test_a_narrow_path_is_found(ike, size, message):
    wire = pair(size, ike).connect()
    wire.filter = lambda sender, datagram, port: [datagram] if len(datagram) + 28 <= 576 else []
    sa = wire.board.sa
    exchange.start(sa, large(sa, message), 0)
    wire.settle()
    before, start = len(sa.request), len(wire.wire)
    wire.run(9_000)
    assert wire.board.endpoint.answer.payloads == [] and up(wire) and not wire.internal_errors()
    totals = [numbers(datagram)[1] for _, datagram, _ in wire.wire[start:] if is_fragment(datagram)]
    assert totals[-1] > before and sa.fragment_size == 576
    assert {int.from_bytes(body[3:7], "big") for body in wire.board.said("FRAGMENT")} == {2}
    ivs = [datagram[MARKER + 36 : MARKER + 44] for _, datagram, _ in wire.wire if is_fragment(datagram)]
    assert len(set(ivs)) == len(set(datagram for _, datagram, _ in wire.wire if is_fragment(datagram)))
    seen = [body for body in wire.gateway.said("MESSAGE") if not body[0]][-1]
    assert seen[16 + HEADER + 4 :] == bytes(range(250)) * (message // 250)


def test_a_small_request_leaves_the_size_alone():
    wire = pair(1280).connect()
    wire.filter = lambda sender, datagram, port: []
    wire.run(60_000)
    assert wire.board.said("RETRANSMIT") and not wire.board.said("FRAGMENT")


# -- receiving -------------------------------------------------------------------------------------------------------


def inside(data=b"abcdefghijklmnopqrstuvwxyz" * 4):
    """A chain of one vendor ID payload."""
    return bytes((0, 0)) + (4 + len(data)).to_bytes(2, "big") + data


def parts_of(sender, total=5):
    chain = inside()
    size = -(-len(chain) // total)
    return [
        sender.fragment(n + 1, total, chain[n * size : (n + 1) * size], iana.V if n == 0 else 0) for n in range(total)
    ]


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(5)), st.lists(st.integers(0, 4), max_size=4))
def test_every_order_gives_the_message(order, repeated):
    wire = pair(576).connect()
    sender = Sender(wire)
    parts = parts_of(sender)
    for index in [*repeated, *order] if len(set(repeated)) < 5 else order:
        sender.throw(parts[index])
    assert wire.gateway.sa.receive_id == 3 and not wire.gateway.sa.fragments
    assert wire.gateway.said("MESSAGE")[-2][16 + HEADER :] == inside()
    assert not wire.internal_errors()


@pytest.mark.parametrize("unequal", [(1, 100), (100, 1), (0, 108), (60, 48)])
def test_lengths_of_fragments_are_the_senders_business(unequal):
    wire = pair(576).connect()
    sender = Sender(wire)
    chain = inside()
    rest = len(chain) - sum(unequal)
    cuts = [chain[: unequal[0]], chain[unequal[0] : unequal[0] + unequal[1]], chain[-rest:] if rest else b""]
    for number in (3, 1, 2):
        sender.throw(sender.fragment(number, 3, cuts[number - 1], iana.V if number == 1 else 99))
    assert wire.gateway.said("MESSAGE")[-2][16 + HEADER :] == chain


WRONG = {
    "number 0": ((0, 2), "FRAGMENT_NUMBER"),
    "total 0": ((0, 0), "FRAGMENT_NUMBER"),
    "number 1 of 0": ((1, 0), "FRAGMENT_NUMBER"),
    "number beyond the total": ((3, 2), "FRAGMENT_NUMBER"),
    "as many as fit the field": ((1, 65535), "TOO_MANY_FRAGMENTS"),
    "one too many": ((1, reassembly.FRAGMENTS_MAX + 1), "TOO_MANY_FRAGMENTS"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_number_is_dropped(case):
    wire = pair(576).connect()
    sender = Sender(wire)
    row, why = WRONG[case]
    sender.throw(sender.fragment(*row, b"x"))
    assert wire.gateway.dropped()[-1] == why and not sender.held() and up(wire)


def test_a_repetition_a_smaller_total_a_larger_total():
    wire = pair(576).connect()
    sender = Sender(wire)
    sender.throw(sender.fragment(2, 3, b"x"), sender.fragment(2, 3, b"x"))
    assert wire.gateway.dropped()[-1] == "FRAGMENT_REPEATED" and sender.held() == {False: [2]}
    sender.throw(sender.fragment(1, 2, b"x"))
    assert wire.gateway.dropped()[-1] == "FRAGMENT_STALE" and sender.held() == {False: [2]}
    sender.throw(sender.fragment(1, 3, b"x", exchange=iana.IKE_AUTH))
    assert wire.gateway.dropped()[-1] == "FRAGMENT_STALE" and sender.held() == {False: [2]}
    sender.throw(sender.fragment(4, 5, b"x"))
    assert sender.held() == {False: [4]}
    sender.throw(*parts_of(sender, 6))
    assert wire.gateway.sa.receive_id == 3 and not sender.held() and up(wire)
    assert wire.gateway.said("MESSAGE")[-2][16 + HEADER :] == inside()


def test_a_whole_message_supersedes_fragments():
    wire = pair(576).connect()
    sender = Sender(wire)
    sender.throw(sender.fragment(1, 2, b"x", iana.V))
    assert sender.held() == {False: [1]}
    sender.throw(sk.seal(sender.sa, iana.INFORMATIONAL, False, 2, [])[0])
    assert not sender.held() and wire.gateway.sa.receive_id == 3 and up(wire)


def test_request_and_response_are_gathered_side_by_side():
    wire = pair(576).connect()
    exchange.start(wire.gateway.sa, large(wire.gateway.sa, 250), 0)
    sender = Sender(wire)
    response = {"message_id": 0, "response": 1}
    sender.throw(sender.fragment(1, 2, b"", **response), sender.fragment(1, 2, b""))
    assert sender.held() == {True: [1], False: [1]}
    sender.throw(sender.fragment(2, 2, b"", **response))
    assert wire.gateway.endpoint.answer.payloads == [] and sender.held() == {False: [1]}


@pytest.mark.parametrize("at", [16, 18, 23, HEADER, HEADER + 5, HEADER + 7, 40, -1])
def test_a_tampered_fragment_is_not_kept(at):
    wire = pair(576).connect()
    sender = Sender(wire)
    forged = sender.fragment(1, 2, bytes(40), iana.V)
    forged[at] ^= 1
    sender.throw(forged)
    assert wire.gateway.dropped()[-1] in ("BAD_ICV", "NOT_ENCRYPTED", "WRONG_MESSAGE_ID")
    assert not sender.held() and up(wire)


def test_an_old_or_future_message_id_is_not_kept():
    wire = pair(576).connect()
    sender = Sender(wire)
    for message_id in (0, 3, 2**32 - 1):
        sender.throw(sender.fragment(1, 2, b"x", message_id=message_id))
        assert wire.gateway.dropped()[-1] == "WRONG_MESSAGE_ID" and not sender.held()


def test_impossible_padding_in_a_fragment_costs_nothing():
    wire = pair(576).connect()
    sender = Sender(wire)
    sa = sender.sa
    buffer, _ = fragment._frame(sa, (iana.V, iana.INFORMATIONAL, iana.FLAG_INITIATOR, 2), 1, 2, 15)
    buffer[len(buffer) - sa.seal.icv_size - 1] = 200
    sa.seal.seal(buffer, fragment.AAD, len(buffer) - sa.seal.icv_size)
    sender.throw(buffer)
    assert wire.gateway.dropped()[-1] == "BAD_PADDING" and not sender.held() and up(wire)


def test_nonsense_in_a_whole_message_of_fragments_is_answered():
    wire = pair(576).connect()
    sender = Sender(wire)
    sender.throw(sender.fragment(1, 2, b"\0\0\0", iana.V), sender.fragment(2, 2, b"\x03"))
    assert wire.gateway.sa.receive_id == 3  # --> N(INVALID_SYNTAX)
    assert wire.gateway.said("MESSAGE")[-1][16 + HEADER + 4 :] == notify(iana.INVALID_SYNTAX)[1]


# -- limits ----------------------------------------------------------------------------------------------------------


def half_open(number=0, wire=None):
    """A World whose gateway has a half-open SA; with a `wire`, one more of them."""
    fresh = pair(576) if wire is None else World(pair(576).board.endpoint.connections[0], seed=number)
    if wire is not None:
        fresh.gateway = wire.gateway
    fresh.filter = lambda sender, datagram, port: [datagram] if port == 500 else []
    return fresh.connect()


@pytest.mark.parametrize(("limit", "make"), [(reassembly.MESSAGE_MAX, "up"), (reassembly.SETUP_MESSAGE_MAX, "half")])
def test_a_message_has_a_longest_length(limit, make):
    wire = half_open() if make == "half" else pair(576).connect()
    sender = Sender(wire)
    size = (limit - HEADER) // 8
    total = 9
    for number in range(1, total):
        sender.throw(sender.fragment(number, total, bytes(size)))
    assert sender.held() == {False: list(range(1, total))}
    sender.throw(sender.fragment(total, total, bytes(size)))
    assert wire.gateway.dropped()[-1] == "FRAGMENTS_TOO_LONG" and not sender.held()


def test_half_open_sas_share_a_limit():
    first = half_open()
    wires = [first] + [half_open(number, first) for number in range(11, 14)]
    senders = [Sender(wire) for wire in wires]
    assert len(first.gateway.endpoint.sas) == 4
    for sender in senders:
        sender.throw(sender.fragment(1, 3, bytes(1_000), iana.IDi, exchange=iana.IKE_AUTH))
    held = [bool(sa.fragments) for sa in first.gateway.endpoint.sas]
    assert held == [True, True, False, False]
    assert first.gateway.dropped()[-2:] == ["FRAGMENTS_HELD"] * 2
    rooms = sum(parts.room for sa in first.gateway.endpoint.sas for parts in sa.fragments.values())
    assert rooms <= reassembly.SETUP_HELD_MAX
    # they are given up long before the SAs themselves
    first.gateway.endpoint.tick(reassembly.SETUP_HELD_MS)
    assert first.gateway.dropped()[-2:] == ["FRAGMENTS_TIMEOUT"] * 2
    assert not any(sa.fragments for sa in first.gateway.endpoint.sas)
    assert len(first.gateway.endpoint.sas) == 4


def test_all_sas_share_a_limit():
    wire = pair(576).connect()
    sender = Sender(wire)
    exchange.start(wire.gateway.sa, large(wire.gateway.sa, 250), 0)
    sender.throw(sender.fragment(1, 7, bytes(1_100)))
    sender.throw(sender.fragment(1, 7, bytes(1_100), message_id=0, response=1))
    assert wire.gateway.dropped()[-1] == "FRAGMENTS_HELD" and sender.held() == {False: [1]}


def test_fragments_are_held_for_a_time():
    wire = pair(576).connect()
    sender = Sender(wire)
    sender.throw(sender.fragment(1, 2, b"x"))
    endpoint = wire.gateway.endpoint
    endpoint.tick(reassembly.HELD_MS - 1)
    assert sender.held() == {False: [1]} and endpoint.next_deadline() <= reassembly.HELD_MS
    endpoint.tick(reassembly.HELD_MS)
    assert not sender.held() and wire.gateway.dropped()[-1] == "FRAGMENTS_TIMEOUT" and up(wire)


def test_room_is_reserved_once():
    """The message grows where it lies: no second buffer of its size."""
    wire = pair(576).connect()
    sender = Sender(wire)
    rooms = set()
    for part in parts_of(sender)[:4]:
        sender.throw(part)
        rooms.add(wire.gateway.sa.fragments[False].room)
    assert len(rooms) == 1


def test_no_memory_costs_the_fragment_and_not_the_sa(monkeypatch):
    wire = pair(576).connect()

    def full(size):
        raise MemoryError

    monkeypatch.setattr(reassembly, "bytearray", lambda data: full(0) if type(data) is int else bytearray(data), False)
    sender = Sender(wire)
    sender.throw(sender.fragment(1, 2, b"x"))
    assert wire.gateway.dropped()[-1] == "NO_MEMORY" and up(wire) and not sender.held()


def test_a_message_header_is_all_that_reassembly_reads_before_the_icv():
    wire = pair(576).connect()
    sender = Sender(wire)
    whole = sender.fragment(1, 2, b"x")
    for size in range(HEADER, len(whole)):
        short = bytearray(whole[:size])
        short[24:28] = size.to_bytes(4, "big")
        Message(short)
        sender.throw(short)
    assert not sender.held() and up(wire) and not wire.internal_errors()
