"""Whole sessions with a liar: payloads of its messages are left out, repeated, exchanged, cut, changed, invented.

Whatever comes of a session: no error of ours, and in the end no SA is left, nor a key."""

import random

import pytest

from tests.attack.attacker import Insider, chain, split, unproved
from tests.attack.test_01_missing_payload import play
from tests.attack.test_14_key_hygiene import Vault
from tests.ike.test_rekey import PFS
from tests.world import ESP_CBC, World, connection
from uike import iana
from uike.wire.message import notify

SESSIONS, PARTS = 400, 4
TYPES = [*range(iana.SA, iana.EAP + 1), iana.SKF, 200]
NOTIFIES = [*range(1, 50), *range(16_384, 16_440)]


def a_notify(draw):
    spi = bytes(draw.choice((0, 0, 4, 8)))
    return notify(draw.choice(NOTIFIES), draw.randbytes(draw.choice((0, 2, 4, 8, 16, 20))), draw.choice((0, 1, 3)), spi)


def a_change(draw, body):
    body = bytearray(body)
    for _ in range(draw.randrange(1, 4) if body else 0):
        body[draw.randrange(len(body))] = draw.choice((0, 1, 2, 3, 4, 255, draw.randrange(256)))
    return bytes(body)


def lies(draw, payloads, heard):
    """One or two changes of a list of payloads; `heard` are those of this session so far."""
    for _ in range(draw.randrange(1, 3)):
        at = draw.randrange(len(payloads) + 1)
        how = draw.choice("insert notify drop repeat change cut rename".split())
        if how == "insert":
            payloads.insert(at, draw.choice(heard))
        elif how == "notify":
            payloads.insert(at, a_notify(draw))
        elif at < len(payloads):
            kind, body = payloads.pop(at)
            made = {
                "drop": [],
                "repeat": [(kind, body)] * 2,
                "change": [(kind, a_change(draw, body))],
                "cut": [(kind, body[: draw.randrange(len(body) + 1)])],
                "rename": [(draw.choice(TYPES), body)],
            }
            payloads[at:at] = made[how]
    return payloads


def session(seed):
    draw = random.Random(seed)
    vault, heard = Vault(), []
    changes = {"esp_proposals": (draw.choice((ESP_CBC, PFS)),), "mobike": draw.random() < 0.3}
    wire = World(connection(True, **changes), connection(False, **changes), seed, vault)
    rate = draw.choice((0.1, 0.3))

    def change(exchange, response, first, raw):
        payloads = split(first, raw)
        heard.extend(payloads or [a_notify(draw)])
        if draw.random() > rate:
            return None
        payloads = lies(draw, payloads, heard)
        return [(payloads[0][0] if payloads else 0, chain(payloads))]

    evil = Insider(wire, draw.choice((wire.board, wire.gateway)), change)
    play(wire)
    assert unproved(wire), seed
    wire.run(wire.now + 400_000)
    assert not wire.internal_errors(), seed
    assert not wire.board.endpoint.sas and not wire.gateway.endpoint.sas and not vault.alive, seed
    return evil.changed, bool(evil.target.said("ESTABLISHED"))


@pytest.mark.parametrize("part", range(PARTS))
def test_any_session(part):
    found = [session(seed) for seed in range(part, SESSIONS, PARTS)]
    changed = [row for row in found if row[0]]
    assert len(changed) > SESSIONS // PARTS // 2
    assert {row[1] for row in changed} == {True, False}  # some get as far as to be believed, and lie then
