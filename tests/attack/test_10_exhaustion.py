"""Nobody makes a board hold, compute or send without end: strangers, proved addresses, and peers with the keys."""

import gc
import tracemalloc

import pytest

from tests.attack.attacker import Insider, errors, first_request, throw, up, works
from tests.fuzz.test_receive import size_of
from tests.ike.test_fragment import Sender, half_open
from tests.ike.test_front_door import read, with_cookie
from tests.ike.test_rekey import rekey_child
from tests.world import BOARD, CBC, ESP_CBC, World, connection
from uike import event, iana, reason
from uike.hal.cpython.crypto import Provider
from uike.ike import reassembly
from uike.wire import proposals
from uike.wire.message import notify

HALF_OPEN_MS = 30_000
EMPTY = (0, 0, 0, 0)


class Worker(Provider):
    """Counts what is dear: key exchanges, each about a second on a board."""

    exchanges = 0

    def key_exchange(self, group, random):
        self.exchanges += 1
        return super().key_exchange(group, random)


def knock(wire, number, address, cookie=None):
    """A first request from there; returns (request, answers)."""
    request = first_request(CBC, spi=number.to_bytes(8, "big"), nonce=number.to_bytes(32, "big"))
    if cookie:
        request = bytes(with_cookie(request, cookie))
    throw(wire, wire.gateway, request, (address, 500), 500)
    return request, [bytes(datagram) for datagram, _, _ in wire.gateway.endpoint.outgoing()]


def address(number):
    return f"198.51.{number >> 8}.{number & 255}"


def patient(**changes):
    """A World whose board goes on asking for two minutes."""
    return World(connection(True, retransmit_tries=8, **changes), connection(False, **changes))


def test_strangers_without_a_cookie():
    """Two thousand forged addresses: three of them are given an SA, the others a cookie, and the board comes in."""
    wire = patient()
    worker = wire.gateway.endpoint.crypto = Worker()
    for number in range(1, 2_001):
        request, answers = knock(wire, number, address(number))
        assert len(answers) == 1 and len(answers[0]) <= len(request) or number <= 3
        assert len(wire.gateway.endpoint.sas) == min(number, 3)
    assert worker.exchanges == 3
    assert wire.gateway.endpoint.drops == {reason.COOKIE_WANTED: 1_997}
    wire.connect()
    assert works(wire) and worker.exchanges == 4
    wire.run(HALF_OPEN_MS + 1_000)
    assert wire.gateway.closed() == ["HALF_OPEN_TIMEOUT"] * 3 and len(wire.gateway.endpoint.sas) == 1


def test_strangers_at_their_own_addresses():
    """Two hundred that return their cookies: six at a time, and nobody is kept out for longer than that lasts."""
    wire = patient()
    worker = wire.gateway.endpoint.crypto = Worker()
    for number in range(1, 201):
        _, (answer,) = knock(wire, number, address(number))
        cookie = read(answer).notify(iana.COOKIE)
        if cookie:
            knock(wire, number, address(number), cookie)
    assert worker.exchanges == 6 and wire.gateway.endpoint.drops[reason.TOO_MANY_HALF_OPEN] == 194
    assert len(wire.gateway.endpoint.sas) == 6
    wire.connect()
    assert not wire.board.endpoint.sad.outbound
    wire.run(2 * HALF_OPEN_MS + 5_000)
    assert len(wire.board.endpoint.sad.outbound) == 1 and len(wire.gateway.endpoint.sas) == 1 and works(wire)


def test_one_address_takes_what_is_its_own_and_no_more():
    wire = patient()
    for number in range(1, 101):
        _, answers = knock(wire, number, address(1))
        cookie = answers and read(answers[0]).notify(iana.COOKIE)
        if cookie:
            knock(wire, number, address(1), cookie)
    assert len(wire.gateway.endpoint.sas) == 4
    assert wire.gateway.endpoint.drops == {reason.COOKIE_WANTED: 98, reason.HALF_OPEN_OF_ADDRESS: 96}
    wire.connect()
    assert works(wire)


def test_the_same_request_again_and_again():
    wire = World()
    worker = wire.gateway.endpoint.crypto = Worker()
    answers = {tuple(knock(wire, 1, address(1))[1]) for _ in range(1_000)}
    assert len(answers) == 1 and worker.exchanges == 1 and len(wire.gateway.endpoint.sas) == 1
    assert wire.gateway.endpoint.drops == {reason.RETRANSMITTED_REQUEST: 999}


def test_failed_proofs_leave_nothing_behind():
    """Everyone comes as far as IKE_AUTH; who fails there is forgotten, with its keys and its share of the memory."""
    wire = World(connection(True, psk=bytearray(b"another key")), connection(False, cookie_threshold=99))
    held = []
    tracemalloc.start()
    for _ in range(60):
        wire.connect()
        assert wire.gateway.closed() == ["PSK_DIFFERS"]
        wire.run(wire.now + HALF_OPEN_MS)
        assert size_of(wire.gateway.endpoint) == EMPTY
        for side in (wire.board, wire.gateway):
            side.collect(), side.log.clear(), side.happened.clear()
        wire.wire.clear()
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[59] - held[20] < 4_096


def test_fragments_of_strangers():
    """Everyone has keys as soon as IKE_SA_INIT is over: what strangers hold has a limit, and a shorter time than they."""
    first = half_open()
    gateway = first.gateway
    promised = []
    for wire, total in ((first, 7), (half_open(11, first), 2), (half_open(12, first), 7)):
        sender = Sender(wire)
        sender.throw(sender.fragment(1, total, bytes(1_000), iana.IDi, exchange=iana.IKE_AUTH))
        promised.append(sum(parts.room for sa in gateway.endpoint.sas for parts in sa.fragments.values()))
    assert promised == [6_144, 6_144 + 2_028, 6_144 + 2_028] and promised[-1] <= reassembly.SETUP_HELD_MAX
    assert gateway.dropped().count("FRAGMENTS_HELD") == 1
    # whose IKE_AUTH comes in fragments is kept out for as long as that lasts, whose does not comes in
    for size, now, comes in ((200, 0, False), (1_280, 0, True), (200, reassembly.SETUP_HELD_MS, True)):
        honest = World(connection(True, fragment_size=size), seed=(size, now))
        honest.gateway, honest.board.address, honest.now = gateway, address(now + size), now
        gateway.endpoint.tick(now)
        honest.connect()
        assert len(honest.board.endpoint.sad.outbound) == comes and (not comes or works(honest))
    assert not [sa for sa in gateway.endpoint.sas if sa.fragments]


# -- peers with the keys ---------------------------------------------------------------------------------------------


def test_ike_sas_of_one_peer():
    """It proves itself anew without saying that it has forgotten the rest: sixteen IKE SAs, and not one more."""
    wire = World()
    board = wire.board.endpoint
    board.has_other = lambda sa: True  # no INITIAL_CONTACT
    for _ in range(20):
        wire.connect()
    assert len(wire.gateway.endpoint.sas) == 16 and len(wire.gateway.endpoint.sad.inbound) == 16
    assert set(wire.gateway.dropped()) == {"TOO_MANY_SAS"} and not wire.internal_errors()
    assert len(wire.gateway.endpoint.leases) <= 48 and works(wire)


def test_child_sas_of_one_ike_sa():
    wire = up()
    evil = Insider(wire, wire.board)
    for number in range(40):
        answer = evil.ask(iana.CREATE_CHILD_SA, child(evil, number))
        evil.sa.send_id += 1
        assert errors(answer) == ([] if number < 11 else [iana.NO_ADDITIONAL_SAS])
        assert len(wire.gateway.endpoint.sad.inbound) == len(wire.gateway.sa.children) == min(number + 2, 12)
    assert not wire.internal_errors()


def child(evil, number):
    own = evil.sa.children[0]
    ts = [(iana.TSi, b"\1\0\0\0" + own.local_ts[0]), (iana.TSr, b"\1\0\0\0" + own.remote_ts[0])]
    offer = proposals.build([ESP_CBC], iana.PROTO_ESP, (0x01000000 + number).to_bytes(4, "big"))
    return [(iana.SA, offer), (iana.NONCE, bytes(32)), *ts]


def test_one_child_sa_replaced_over_and_over():
    """Whoever never deletes the old one has it refused: a Child SA is replaced once."""
    wire = up()
    evil = Insider(wire, wire.board)
    spi = evil.sa.children[0].spi_in
    for number in range(20):
        answer = evil.ask(iana.CREATE_CHILD_SA, [notify(iana.REKEY_SA, b"", 3, spi), *child(evil, number)])
        evil.sa.send_id += 1
        assert errors(answer) == ([] if not number else [iana.TEMPORARY_FAILURE])
    assert len(wire.gateway.endpoint.sad.inbound) == 2 and not wire.internal_errors()


def test_ike_sas_replaced_over_and_over():
    """Each replaced one stays for its Delete, twenty seconds at the most; there are sixteen in all."""
    wire = up()
    sa = wire.gateway.sa
    answers = []
    for number in range(30):
        body = [
            (iana.SA, proposals.build([CBC], iana.PROTO_IKE, number.to_bytes(8, "big") if number else b"evil evi")),
            (iana.NONCE, bytes(32)),
            (iana.KE, b"\0\x1f\0\0\x09" + bytes(31)),
        ]
        answers.append(errors(asked(wire, sa, body)))
        sa = wire.gateway.endpoint.sas[-1]
    assert answers[:15] == [[]] * 15 and set(map(tuple, answers[15:])) == {(iana.TEMPORARY_FAILURE,)}
    assert len(wire.gateway.endpoint.sas) == 16 and not wire.internal_errors()
    wire.gateway.endpoint.tick(wire.now + 20_000)
    assert [each.state for each in wire.gateway.endpoint.sas] == [event.STATE_ESTABLISHED]


def asked(wire, sa, payloads):
    """A CREATE_CHILD_SA request under an SA of the gateway's, as its peer would send it; the payloads of the answer."""
    from tests.attack.attacker import chain, opened, sealed, split

    class Mirror:
        initiator, spi_i, spi_r, seal = not sa.initiator, sa.spi_i, sa.spi_r, sa.open

    data = sealed(Mirror, iana.CREATE_CHILD_SA, False, sa.receive_id, payloads[0][0], chain(payloads))
    throw(wire, wire.gateway, data)
    return [
        row for datagram, _, _ in wire.gateway.endpoint.outgoing() for row in split(*opened(sa.seal, bytes(datagram)))
    ]


# -- queues ----------------------------------------------------------------------------------------------------------


def test_queues_have_an_end():
    """A network that takes nothing, a program that reads nothing."""
    wire = up()
    endpoint = wire.gateway.endpoint
    for number in range(100):
        rekey_child(wire.gateway)
        throw(
            wire, wire.gateway, first_request(CBC, spi=number.to_bytes(8, "big") if number else b"attacker"), port=500
        )
    assert len(endpoint.out) == 32 and len(wire.gateway.sa.waiting) <= 8
    endpoint.outgoing()
    from uike.net import icmp

    inner = icmp.request(wire.board.sa.address, bytes((10, 1, 0, 1)), 7, 1, 56)
    for _ in range(100):
        assert wire.board.endpoint.send_packet(inner, wire.now) == 0
        for datagram, _, _ in wire.board.endpoint.outgoing():
            throw(wire, wire.gateway, datagram)
    assert len(endpoint.happened) == 32 and not wire.internal_errors()


@pytest.mark.parametrize("source", [None, ("198.51.100.66", 4500)])
def test_what_is_dropped_is_counted_and_nothing_more(source):
    wire = up()
    before = size_of(wire.gateway.endpoint)
    for number in range(2_000):
        throw(wire, wire.gateway, (0x3F000000 + number).to_bytes(4, "big") + bytes(60), source)
    assert wire.gateway.endpoint.drops == {reason.ESP_UNKNOWN_SPI: 2_000}
    told = wire.gateway.endpoint.outgoing()  # the peer once, if it seems to be the peer: INVALID_SPI
    assert [remote for _, remote, _ in told] == ([(BOARD, 4500)] if source is None else [])
    assert told or size_of(wire.gateway.endpoint) == before
    assert wire.gateway.sa.remote == (BOARD, 4500) and works(wire)
