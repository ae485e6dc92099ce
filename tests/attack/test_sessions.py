"""Whole sessions with a liar: payloads of its messages are left out, repeated, exchanged, cut, changed, invented.

Whatever comes of a session: no error of ours, and in the end no SA is left, nor a key."""

import random

import pytest

from tests.attack.attacker import Insider, chain, split, unproved
from tests.attack.test_01_missing_payload import play
from tests.attack.test_14_key_hygiene import Vault
from tests.ike.test_rekey import OTHER, PFS, more, start
from tests.world import BOARD, ESP_CBC, World, connection
from uike import event, iana
from uike.net import icmp
from uike.wire.message import notify

SESSIONS, PARTS = 600, 3
TYPES = [*range(iana.SA, iana.EAP + 1), iana.SKF, 200]
ELSEWHERE = bytes((1, 4, 198, 51, 100, 66))  # what a REDIRECT says
NOTIFIES = [*range(1, 50), *range(16_384, 16_440)]


def a_notify(draw):
    spi = bytes(draw.choice((0, 0, 4, 8)))
    data = draw.choice((ELSEWHERE, draw.randbytes(draw.choice((0, 2, 4, 8, 16, 20)))))
    return notify(draw.choice(NOTIFIES), data, draw.choice((0, 1, 3)), spi)


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


class Lossy(World):
    """A World whose datagrams may be lost or doubled, and whose sides may look for each other elsewhere."""

    def carry(self, draw, loss):
        self.filter, inner = (
            lambda *sent: [] if draw.random() < loss else inner(*sent) * draw.choice((1, 1, 1, 2)),
            self.filter,
        )

    def _carry(self, sender, receiver):
        out = sender.endpoint.outgoing()
        for datagram, (address, port), local_port in out:
            if address == receiver.address:
                self.wire.append((sender.address, bytes(datagram), port))
                for arriving in self.filter(sender, bytes(datagram), port):
                    source = (sender.address, local_port)
                    receiver.endpoint.receive(bytearray(arriving), (address, port), source, self.now)
        return len(out)


def session(seed):
    """A session with a liar, whatever its sides can do: (World, Insider, generator of its accidents)."""
    draw = random.Random(seed)
    vault, heard = Vault(), []
    both = {"esp_proposals": (draw.choice((ESP_CBC, PFS)),)}
    both.update((name, draw.random() < 0.4) for name in ("mobike", "crash_detection"))
    board = {"more": more(remote=[OTHER]), "childless": draw.random() < 0.2, "redirect": draw.random() < 0.4}
    wire = Lossy(connection(True, **both, **board), connection(False, **both, more=more(local=[OTHER])), seed, vault)
    wire.board.endpoint.secret, wire.gateway.endpoint.secret = draw.randbytes(32), draw.randbytes(32)
    rate = draw.choice((0.05, 0.1, 0.3))

    def change(exchange, response, first, raw):
        payloads = split(first, raw)
        heard.extend(payloads or [a_notify(draw)])
        if draw.random() > rate:
            return None
        payloads = lies(draw, payloads, heard)
        return [(payloads[0][0] if payloads else 0, chain(payloads))]

    return wire, Insider(wire, draw.choice((wire.board, wire.gateway)), change), draw


def nothing_left(wire):
    """No error of ours, and nobody came in unproved; when all is closed there is no SA and no key."""
    assert unproved(wire)
    for side in (wire.board, wire.gateway):
        side.endpoint.close(None, wire.now)
    wire.settle()
    wire.run(wire.now + 400_000)
    assert not wire.internal_errors() and not wire.board.endpoint.crypto.alive
    for side in (wire.board, wire.gateway):
        assert not side.endpoint.sas and not side.endpoint.sad.inbound and not side.endpoint.sad.outbound
    return True


@pytest.mark.parametrize("part", range(PARTS))
def test_from_the_first_message_to_the_last(part):
    outcomes = set()
    for seed in range(part, SESSIONS, PARTS):
        wire, evil, _ = session(seed)
        play(wire)
        assert nothing_left(wire), seed
        outcomes.add((bool(evil.changed), bool(evil.target.said("ESTABLISHED"))))
    assert outcomes >= {(True, True), (True, False)}  # some are believed, and lie later


def due(side, wire, what):
    """Something of that side's first IKE SA that is in use is to be replaced, deleted, asked for, or moved."""
    found = [sa for sa in side.endpoint.sas if sa.state == event.STATE_ESTABLISHED and not sa.quiet]
    if not found:
        return
    (sa, *_), now = found, wire.now
    if what in ("rekey_at", "auth_until"):
        setattr(sa, what, now)
    elif what == "child" and sa.children:
        sa.children[0].rekey_at = now
    elif what == "delete" and sa.children:
        start(side, "info", "delete_child", sa, sa.children[0], 91)
    elif what == "new":
        start(side, "create", "new_child", sa, sa.connection)
    elif what == "liveness":
        start(side, "info", "liveness", sa)
    elif what == "packet":
        target = bytes((10, 2, 0, 1))
        side.endpoint.send_packet(icmp.request(sa.address or target, target, 7, 1, 10), now)
    elif what == "move" and side is wire.board:
        side.address = "198.51.100.7" if side.address == BOARD else BOARD
        side.endpoint.address_changed(side.address, now)
    elif what == "close":
        side.endpoint.close(None, now)
    side.endpoint.tick(now)


STEPS = "rekey_at auth_until child delete new liveness packet move".split() * 3 + ["close"]


@pytest.mark.parametrize("part", range(PARTS))
def test_with_everything_at_once_on_a_bad_network(part):
    seen = set()
    for seed in range(part, SESSIONS, PARTS):
        wire, evil, draw = session(seed)
        wire.carry(draw, draw.choice((0, 0.1, 0.3)))
        wire.connect()
        for _ in range(draw.randrange(3, 25)):
            due(draw.choice((wire.board, wire.gateway)), wire, draw.choice(STEPS))
            if draw.random() < 0.7:
                wire.settle()
            if draw.random() < 0.1:
                wire.run(wire.now + draw.choice((1_000, 6_000, 31_000)))
            if not wire.board.endpoint.sas:
                wire.connect()
        assert unproved(wire), seed
        wire.settle()
        wire.run(wire.now + 100_000)
        assert nothing_left(wire), seed
        seen |= {name for side in (wire.board, wire.gateway) for name, _, _ in side.log}
    assert seen >= {"CHILD_REKEYED", "IKE_REKEYED", "ADDRESS_CHANGED", "REAUTHENTICATED", "LIVENESS", "RETRANSMIT"}
