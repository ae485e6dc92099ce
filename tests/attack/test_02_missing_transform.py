"""Proposals that lack a transform, or name one of no use: nothing is keyed with what was not agreed."""

import pytest

from tests import world
from tests.attack.attacker import Insider, answer_to, chain, errors, first_request, split, up, works
from tests.world import World
from uike import iana
from uike.wire import proposals
from uike.wire.message import notify

GROUP = {"proposals": (world.CBC,)}
ROWS = [
    *[tuple(row for row in world.CBC if row[0] != kind) for kind in (1, 2, 3, 4)],
    *[((1, 12, bits),) + world.CBC[1:] for bits in (0, 1, 8, 64, 127, 129, 192, 255, 512, 65535)],
    ((1, 12, 128), (2, 5, 0), (3, 0, 0), (4, 31, 0)),  # INTEG NONE beside CBC
    ((1, 12, 128), (2, 0, 0), (3, 12, 0), (4, 31, 0)),
    ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 0, 0)),  # KE NONE
    ((1, 20, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0)),
    ((1, 21, 128), (2, 5, 0), (4, 31, 0)),  # GMAC: nothing is encrypted
    ((1, 11, 0), (2, 5, 0), (3, 12, 0), (4, 31, 0)),  # ENCR_NULL
    ((5, 0, 0),),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_in_ike_sa_init(row):
    wire = World()
    answer = answer_to(wire, first_request(row))
    assert errors(answer) == [iana.NO_PROPOSAL_CHOSEN]
    assert not wire.gateway.endpoint.sas and not wire.internal_errors()


def test_with_integrity_beside_an_aead():
    wire = World(responder=world.connection(False, proposals=(world.GCM,)))
    for integ in range(1, 20):
        row = (*world.GCM, (3, integ, 0))
        assert errors(answer_to(wire, first_request(row, 19, bytes(64)))) == [iana.NO_PROPOSAL_CHOSEN]
    assert not wire.internal_errors()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_in_the_answer_to_ike_sa_init(row):
    def change(exchange, response, first, raw):
        if exchange != iana.IKE_SA_INIT or not response:
            return None
        payloads = [(kind, body) for kind, body in split(first, raw) if kind != iana.SA]
        return [(iana.SA, chain([(iana.SA, proposals.build([row], iana.PROTO_IKE)), *payloads]))]

    wire = World()
    insider = Insider(wire, wire.gateway, change)
    wire.connect()
    wire.run(200_000)
    assert insider.changed and wire.board.closed()[0] == "PEER_CHOSE_UNOFFERED"
    assert not wire.board.endpoint.sas and not wire.internal_errors()


CHILD_ROWS = [
    *[tuple(row for row in world.ESP_CBC if row[0] != kind) for kind in (1, 3)],
    *[((1, 12, bits),) + world.ESP_CBC[1:] for bits in (0, 64, 129, 512)],
    ((1, 11, 0), (3, 12, 0), (5, 0, 0)),
    ((1, 12, 128), (3, 0, 0), (5, 0, 0)),
    ((1, 12, 128), (3, 12, 0), (5, 1, 0)),  # extended sequence numbers, which were not configured
]


@pytest.mark.parametrize("row", CHILD_ROWS, ids=str)
@pytest.mark.parametrize("rekey", [False, True])
def test_in_create_child_sa(row, rekey):
    wire = up()
    evil = Insider(wire, wire.board)
    child = evil.sa.children[0]
    ts = [(iana.TSi, b"\1\0\0\0" + child.local_ts[0]), (iana.TSr, b"\1\0\0\0" + child.remote_ts[0])]
    offer = [(iana.SA, proposals.build([row], iana.PROTO_ESP, b"evil")), (iana.NONCE, bytes(32)), *ts]
    said = [notify(iana.REKEY_SA, b"", iana.PROTO_ESP, child.spi_in)] if rekey else []
    assert errors(evil.ask(iana.CREATE_CHILD_SA, said + offer)) == [iana.NO_PROPOSAL_CHOSEN]
    evil.sa.send_id += 1
    assert len(wire.gateway.sa.children) == 1 and works(wire)
