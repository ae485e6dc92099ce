"""Bad public values: degenerate, off the curve, too short, too long; nothing is keyed with them."""

import pytest

from tests.attack.attacker import Insider, answer_to, chain, first_request, split
from tests.ike.test_rekey import PFS, rekey_child, rekey_ike
from tests.world import World, connection
from uike import iana
from uike.crypto.soft import Provider as Soft

ORDER = 2**255 - 19


def numbers(size, order, values):
    return [value.to_bytes(size, order) for value in values]


LOW_ORDER = numbers(32, "little", (0, 1, ORDER - 1, ORDER, ORDER + 1)) + [
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
]
VALUES = {
    31: [*LOW_ORDER, b"", b"\x09", bytes(31), b"\x09" * 33, b"\x09" * 2_000],
    19: [bytes(64), b"\x01" * 64, b"\xff" * 64, b"", bytes(63), b"\x04" + bytes(64), b"\x01" * 2_000],
    14: [*numbers(256, "big", (0, 1)), b"\xff" * 256, b"", b"\x02", b"\x02" * 255, b"\x02" * 257, b"\x02" * 2_000],
}
ROWS = [(group, number) for group in VALUES for number in range(len(VALUES[group]))]


def suite(group):
    return ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, group, 0))


@pytest.mark.parametrize("provider", [None, Soft()], ids=["host", "soft"])
@pytest.mark.parametrize(("group", "number"), ROWS)
def test_at_the_responder(group, number, provider):
    wire = World(responder=connection(False, proposals=(suite(group),)), provider=provider)
    answer = answer_to(wire, first_request(suite(group), group, VALUES[group][number]))
    assert [kind for kind, _ in answer] == [iana.N] and not wire.gateway.endpoint.sas
    assert not wire.internal_errors()


def with_public(wanted, value):
    """Puts that public value into one exchange's messages."""

    def change(exchange, response, first, raw):
        if exchange != wanted:
            return None
        payloads = [(kind, body[:4] + value if kind == iana.KE else body) for kind, body in split(first, raw)]
        return [(first, chain(payloads))]

    return change


@pytest.mark.parametrize(("group", "number"), ROWS)
def test_at_the_initiator(group, number):
    both = {"proposals": (suite(group),)}
    wire = World(connection(True, **both), connection(False, **both))
    evil = Insider(wire, wire.gateway, with_public(iana.IKE_SA_INIT, VALUES[group][number]))
    wire.connect()
    wire.run(200_000)
    assert evil.changed and wire.board.closed()[0] in ("BAD_PUBLIC_VALUE", "BAD_KE_PAYLOAD")
    assert not wire.board.endpoint.sas and not wire.internal_errors()


@pytest.mark.parametrize("step", [rekey_child, rekey_ike])
@pytest.mark.parametrize("role", ["board", "gateway"])
@pytest.mark.parametrize("number", range(len(VALUES[31])))
def test_in_a_rekeying(step, role, number):
    both = {"esp_proposals": (PFS,)}
    wire = World(connection(True, **both), connection(False, **both)).connect()
    evil = Insider(wire, getattr(wire, role), with_public(iana.CREATE_CHILD_SA, VALUES[31][number]))
    for side in (evil.evil, evil.target):
        if side.endpoint.sas and side.sa.children:
            step(side)
            wire.settle()
    assert evil.changed and not wire.internal_errors()
    assert not evil.target.said("CHILD_REKEYED") and not evil.target.said("IKE_REKEYED")
