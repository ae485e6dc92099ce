"""Lengths and counts that lie: every such field of every message, from both roles, and the sizes at which limits lie."""

import pytest

from tests.attack.attacker import MARKER, Insider, chain, sealed, split, throw, unproved, up, works
from tests.ike.test_rekey import rekey_child, rekey_ike, start
from tests.world import REASON_NAMES, World, connection
from uike import iana
from uike.wire import message
from uike.wire.message import HEADER, write_header


def fields(first, raw):
    """(name, offset, bytes) of every length and count in a chain of payloads."""
    at = 0
    for kind, body in split(first, raw):
        end = at + 4 + len(body)
        yield "payload", at + 2, 2
        inside = {iana.SA: proposals, iana.N: notify, iana.D: delete, iana.CP: attributes}
        reader = inside.get(kind, selectors if kind in (iana.TSi, iana.TSr) else None)
        if reader:
            yield from reader(raw, at + 4, end)
        at = end


def proposals(raw, at, end):
    while at < end:
        after = at + int.from_bytes(raw[at + 2 : at + 4], "big")
        yield "proposal", at + 2, 2
        yield "SPI of a proposal", at + 6, 1
        yield "transforms", at + 7, 1
        at += 8 + raw[at + 6]
        while at < after:
            yield "transform", at + 2, 2
            at += int.from_bytes(raw[at + 2 : at + 4], "big")


def notify(raw, at, end):
    yield "SPI of a notify", at + 1, 1


def delete(raw, at, end):
    yield "SPI of a delete", at + 1, 1
    yield "SPIs", at + 2, 2


def attributes(raw, at, end):
    at += 4
    while at < end:
        yield "attribute", at + 2, 2
        at += 4 + int.from_bytes(raw[at + 2 : at + 4], "big")


def selectors(raw, at, end):
    yield "selectors", at, 1
    for each in range(at + 4, end, 16):
        yield "selector", each + 2, 2


def lies(value, width):
    """Zero, around the smallest that can be, one less, one more, the largest."""
    most = 256**width - 1
    return sorted({0, 1, 3, 4, 5, 7, 8, 9, value - 1, value + 1, value + 4, most - 1, most} - {value, -1})


STEPS = {
    "init": (iana.IKE_SA_INIT, World.connect),
    "auth": (iana.IKE_AUTH, World.connect),
    "rekey child": (iana.CREATE_CHILD_SA, lambda wire: rekey_child(wire.board)),
    "rekey ike": (iana.CREATE_CHILD_SA, lambda wire: rekey_ike(wire.board)),
    "delete": (
        iana.INFORMATIONAL,
        lambda wire: start(wire.board, "info", "delete_child", wire.board.sa, wire.board.sa.children[0], 91),
    ),
}
# What a wrong field is called. A payload that ends early or late makes nonsense of the next one, or of itself.
CALLED = {
    "payload": {"PAYLOAD_LENGTH", "BAD_NOTIFY_PAYLOAD", "BAD_TS_PAYLOAD"},
    "proposal": {"BAD_SA_PAYLOAD"},
    "SPI of a proposal": {"BAD_SA_PAYLOAD"},
    "transforms": {"BAD_SA_PAYLOAD"},
    "transform": {"BAD_SA_PAYLOAD"},
    "SPI of a notify": {"BAD_NOTIFY_PAYLOAD"},
    "SPI of a delete": {"BAD_DELETE_PAYLOAD"},
    "SPIs": {"BAD_DELETE_PAYLOAD"},
    "attribute": {"BAD_CP_PAYLOAD"},
    "selectors": {"BAD_TS_PAYLOAD"},
    "selector": {"BAD_TS_PAYLOAD"},
}
OTHERWISE = {  # the field is in its bounds, and means something else
    ("init", "SPI of a notify"): {"PSK_DIFFERS", "NAT_T_UNSUPPORTED"},  # AUTH covers it; a hash has twenty bytes
    ("rekey child", "SPI of a notify"): {
        "CHILD_NOT_FOUND",
        None,
    },  # another Child SA, or none: then it is a further one
    ("auth", "attribute"): {None},  # it swallows those that follow
}
UNREAD = {("delete", "gateway")}  # the Delete of a response: our own Child SA has gone by then


def lie(step, role, index, value):
    """A session in which one field of one message is wrong: (Insider, field's name, its right value, whether there)."""
    wanted, act = STEPS[step]
    wire = World() if act is World.connect else up()
    seen = []

    def change(exchange, response, first, raw):
        if exchange != wanted or response != (role == "gateway") or seen:
            return None
        found = list(fields(first, raw))
        if index >= len(found):
            return None
        name, at, width = found[index]
        seen.append((name, int.from_bytes(raw[at : at + width], "big"), width))
        if value is None or value == seen[0][1]:
            return None
        return [(first, raw[:at] + value.to_bytes(width, "big") + raw[at + width :])]

    evil = Insider(wire, getattr(wire, role), change)
    before = {side: len(side.log) for side in (wire.board, wire.gateway)}
    act(wire)
    wire.settle()
    wire.now += 1
    return evil, seen[0] if seen else None, evil.target.log[before[evil.target] :]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("role", ["board", "gateway"])
def test_every_field_of_every_message(step, role):
    count = 0
    while True:
        _, field, _ = lie(step, role, count, None)
        if field is None:
            break
        name, right, width = field
        for value in lies(right, width):
            evil, _, log = lie(step, role, count, value)
            where = (count, name, right, value, log)
            assert evil.changed == 1 and not evil.wire.internal_errors() and unproved(evil.wire), where
            whys = {REASON_NAMES[body[0]] for kind, _, body in log if kind in ("CLOSED", "REJECT", "DROP")}
            made = {kind for kind, _, _ in log} & {"CHILD_UP", "CHILD_REKEYED", "IKE_REKEYED"}
            if (step, role) in UNREAD and name != "payload":
                assert not whys and not made, where
            else:
                assert len(whys) < 2 and (whys or {None}) <= CALLED[name] | OTHERWISE.get((step, name), set()), where
                assert not made or whys <= {"CHILD_NOT_FOUND"}, where  # after that a new one is asked for
        count += 1
    assert count >= 2


SIZES = [  # an identity of that many bytes, and what it is called
    *[(size, "BAD_ID_PAYLOAD") for size in (0, 253, 254, 255, 256, 257, 1_000, 2_900)],
    *[(size, "UNKNOWN_PEER_ID") for size in (1, 2, 251, 252)],
]


@pytest.mark.parametrize(("size", "why"), SIZES)
def test_an_identity_before_anything_is_proved(size, why):
    wire = World(connection(True, fragmentation=False))
    body = bytes((iana.ID_KEY_ID, 0, 0, 0)) + bytes(size)
    Insider(wire, wire.board, replacing(iana.IKE_AUTH, iana.IDi, body))
    wire.connect()
    assert wire.gateway.closed() == [why] and not wire.internal_errors() and unproved(wire)


@pytest.mark.parametrize("size", range(4))
def test_a_payload_shorter_than_its_header(size):
    for kind in (iana.IDi, iana.IDr, iana.AUTH, iana.CP, iana.SA, iana.TSi, iana.TSr):
        for role in ("board", "gateway"):
            wire = World()
            evil = Insider(wire, getattr(wire, role), replacing(iana.IKE_AUTH, kind, b"\1\1\1"[:size]))
            wire.connect()
            assert not wire.internal_errors() and unproved(wire), (kind, role)
            harmless = not evil.changed or (kind, role, size) == (iana.CP, "board", 0)  # it asks for nothing
            assert harmless or not evil.target.said("CHILD_UP"), (kind, role)


def replacing(wanted, kind, body):
    """A change for Insider: every payload of that kind gets that body."""

    def change(exchange, response, first, raw):
        payloads = split(first, raw)
        if exchange != wanted or kind not in dict(payloads):
            return None
        return [(first, chain([(each, body if each == kind else own) for each, own in payloads]))]

    return change


@pytest.mark.parametrize("count", [0, 1, 39, 40, 41, 500])
@pytest.mark.parametrize("kind", [iana.V, 200])
def test_payloads_without_end(kind, count):
    """Known ones have a limit; of those that are passed over nothing is kept, in a message and in its fragments."""
    wire = up()
    evil = Insider(wire, wire.board)
    answer = evil.ask(iana.INFORMATIONAL, [(kind, b"")] * count)
    much = kind == iana.V and count > 40
    assert answer == ([message.notify(iana.INVALID_SYNTAX)] if much else [])
    assert wire.gateway.closed() == (["TOO_MANY_PAYLOADS"] if much else []) and not wire.internal_errors()


@pytest.mark.parametrize("padding", [0, 1, 16, 47, 48, 254, 255])
def test_pad_length(padding):
    """The last byte of the plaintext may claim more than there is; it claims the payload before it, too."""
    wire = up()
    sa = wire.board.sa
    raw = bytearray(chain([(iana.V, bytes(27))]) + bytes(16))  # 47 bytes, and the Pad Length
    data = sealed_with(sa, iana.V, bytes(raw), padding)
    throw(wire, wire.gateway, data)
    why = {16: [], 255: ["BAD_PADDING"], 254: ["BAD_PADDING"], 48: ["BAD_PADDING"]}.get(padding, ["PAYLOAD_LENGTH"])
    assert wire.gateway.closed() == why and not wire.internal_errors()


def sealed_with(sa, first, raw, padding):
    """An INFORMATIONAL request whose Pad Length says `padding`, whatever there is."""
    cipher = sa.seal
    end = HEADER + 4 + cipher.iv_size + len(raw) + 1
    buffer = bytearray(end + cipher.icv_size)
    flags = iana.FLAG_INITIATOR if sa.initiator else 0
    write_header(buffer, sa.spi_i, sa.spi_r, iana.SK, iana.INFORMATIONAL, flags, sa.send_id, len(buffer))
    buffer[HEADER] = first
    buffer[HEADER + 2 : HEADER + 4] = (len(buffer) - HEADER).to_bytes(2, "big")
    buffer[HEADER + 4 + cipher.iv_size : end - 1] = raw
    buffer[end - 1] = padding
    cipher.seal(buffer, HEADER + 4, end)
    return MARKER + bytes(buffer)


def test_the_encrypted_payload_has_one_length():
    wire = up()
    data = sealed(wire.board.sa, iana.INFORMATIONAL, False, wire.board.sa.send_id, 0, b"")
    size = len(data) - 4 - HEADER
    for value in (0, 1, 3, 4, 20, size - 16, size - 1, size + 1, 0xFFFF):
        wrong = bytearray(data)
        wrong[34:36] = value.to_bytes(2, "big")
        throw(wire, wire.gateway, wrong)
    for cut in range(HEADER, len(data) - 4):
        short = bytearray(data[: 4 + cut])
        short[28:32] = cut.to_bytes(4, "big")
        short[34:36] = (cut - HEADER).to_bytes(2, "big") if cut >= HEADER + 8 else b""
        throw(wire, wire.gateway, short)
    assert not wire.gateway.endpoint.outgoing() and works(wire)
    assert set(wire.gateway.dropped()) <= {"PAYLOAD_LENGTH", "NOT_ENCRYPTED", "BAD_ICV", "LENGTH_MISMATCH"}


def test_esp_of_every_size():
    wire = up()
    spi = wire.gateway.sa.children[0].spi_in
    for size in range(120):
        throw(wire, wire.gateway, spi[:size] + bytes(max(0, size - 4)))
    names = wire.gateway.dropped()
    assert names[:4] == ["SHORT_DATAGRAM"] * 4
    assert set(names[4:]) == {"ESP_SHORT", "ESP_REPLAY"} and len(names) == 120
    assert not wire.gateway.collect() and works(wire)
