"""Every exchange type in every state: no path may use what is not there yet, or not there any more."""

import pytest

from tests.attack.attacker import STRANGER, sealed, throw, unproved
from tests.fuzz.test_receive import STATES
from uike import iana
from uike.wire.message import build, notify

EXCHANGES = (0, 1, 33, 34, 35, 36, 37, 38, 43, 240, 255)


def bodies():
    yield []
    yield [notify(iana.AUTHENTICATION_FAILED)]
    yield [(iana.D, bytes((1, 0, 0, 0)))]
    yield [(iana.SA, bytes(8)), (iana.NONCE, bytes(32)), (iana.KE, bytes(36))]
    yield [(iana.EAP, bytes((3, 1, 0, 4)))]  # EAP-Success


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("response", [False, True])
def test_in_the_clear(state, response):
    wire, pick = state()
    side = pick(wire)
    sa = side.sa if side.endpoint.sas else None
    before = sa and sa.state
    for exchange in EXCHANGES:
        for payloads in bodies():
            for message_id in (0, 1, 2, 0xFFFFFFFF):
                for flags in (0, iana.FLAG_INITIATOR):
                    flags |= iana.FLAG_RESPONSE if response else 0
                    spis = (sa.spi_i, sa.spi_r) if sa else (b"strange!", bytes(8))
                    data = bytes(build(*spis, exchange, flags, message_id, payloads))
                    for source in (None, STRANGER):
                        throw(wire, side, bytes(4) + data, source)
                        throw(wire, side, data, source, 500)
    assert not wire.internal_errors() and unproved(wire)
    if sa:
        assert sa in side.endpoint.sas and sa.state == before


@pytest.mark.parametrize("state", [state for state in STATES if "init" not in state.__name__ and state.__name__ != "idle"],
                         ids=lambda state: state.__name__)  # fmt: skip
@pytest.mark.parametrize("response", [False, True])
def test_with_the_keys(state, response):
    for exchange in EXCHANGES:
        for payloads in bodies():
            wire, pick = state()
            side = pick(wire)
            other = wire.gateway if side is wire.board else wire.board
            if not other.endpoint.sas or not other.sa.seal:
                continue
            first = payloads[0][0] if payloads else 0
            for message_id in (1, 2, 1, 2, 3, 0):
                from tests.attack.attacker import chain

                throw(wire, side, sealed(other.sa, exchange, response, message_id, first, chain(payloads)))
            assert not wire.internal_errors() and unproved(wire), (exchange, payloads)
            side.endpoint.tick(wire.now + 100_000)
            assert not wire.internal_errors()
