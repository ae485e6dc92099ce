"""SA payloads: negotiation by RFC 7296 section 3.3, and every way to get one wrong."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import world
from uike import iana, reason
from uike.wire import proposals
from uike.wire.refusal import Refusal

OFFER = (world.CBC, world.GCM, world.CHACHA)


def offered(*rows, protocol=iana.PROTO_IKE, spi=b""):
    return proposals.parse(proposals.build(rows, protocol, spi))


def test_round_trip():
    got = offered(*OFFER)
    assert [(row[0], row[1], row[2], tuple(row[3])) for row in got] == [
        (i + 1, 1, b"", transforms) for i, transforms in enumerate(OFFER)
    ]


CHOICES = [
    # ours, theirs, chosen number, chosen transforms
    ([world.CBC], [world.CBC], 1, world.CBC),
    ([world.CBC], [world.GCM, world.CBC], 2, world.CBC),
    ([world.GCM, world.CBC], [world.CBC, world.GCM], 2, world.GCM),  # our order decides
    ([world.CBC], [world.GCM], None, None),
    # several of one type: our first that they have
    ([((1, 12, 128), (1, 12, 256), (2, 5, 0), (3, 12, 0), (4, 31, 0), (4, 19, 0))],
     [((1, 12, 256), (2, 6, 0), (2, 5, 0), (3, 12, 0), (4, 19, 0))],
     1, ((1, 12, 256), (2, 5, 0), (3, 12, 0), (4, 19, 0))),
    # the key length is part of the algorithm
    ([((1, 12, 256), (2, 5, 0), (3, 12, 0), (4, 31, 0))], [world.CBC], None, None),
    ([((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0))],
     [((1, 12, 0), (2, 5, 0), (3, 12, 0), (4, 31, 0))], None, None),
    # a type that only one side names
    ([world.GCM], [(*world.GCM, (3, 12, 0))], None, None),
    ([world.CBC], [((1, 12, 128), (2, 5, 0), (4, 31, 0))], None, None),
    ([world.CBC], [(*world.CBC, (6, 35, 0))], None, None),
    # INTEG NONE with an AEAD says nothing
    ([world.GCM], [(*world.GCM, (3, 0, 0))], 1, world.GCM),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs", "number", "transforms"), CHOICES)
def test_choice(ours, theirs, number, transforms):
    chosen = proposals.choose(offered(*theirs), ours, iana.PROTO_IKE, 0)
    assert chosen == (None if number is None else (number, b"", transforms))


def test_protocol_and_spi_must_fit():
    esp = offered(world.ESP_CBC, protocol=iana.PROTO_ESP, spi=b"spi4")
    assert proposals.choose(esp, [world.ESP_CBC], iana.PROTO_ESP, 4) == (1, b"spi4", world.ESP_CBC)
    assert proposals.choose(esp, [world.ESP_CBC], iana.PROTO_AH, 4) is None
    assert proposals.choose(esp, [world.ESP_CBC], iana.PROTO_ESP, 8) is None


def test_group_in_the_first_child_is_left_out():
    esp = offered((*world.ESP_CBC, (4, 31, 0)), protocol=iana.PROTO_ESP, spi=b"spi4")
    assert proposals.choose(esp, [world.ESP_CBC], iana.PROTO_ESP, 4, iana.KE_METHOD)[2] == world.ESP_CBC
    assert proposals.choose(esp, [world.ESP_CBC], iana.PROTO_ESP, 4) is None


def test_answers_that_were_not_ours_to_be_chosen():
    def accepted(*rows, number=1):
        return proposals.accepted(proposals.parse(proposals.build(rows, 1, b"", number)), OFFER, 1, 0)

    assert accepted(world.CBC) == (b"", world.CBC)
    assert accepted(world.GCM, number=2) == (b"", world.GCM)
    assert accepted(world.GCM) is None  # another number than the one it was offered under
    assert accepted(world.CBC, number=0) is None and accepted(world.CBC, number=4) is None
    assert accepted(world.CBC, world.CBC) is None  # two proposals
    assert accepted((*world.CBC, (1, 12, 256))) is None  # two ciphers
    assert accepted((*world.CBC, (1, 12, 128))) is None  # the same one twice
    assert accepted(world.CBC[:3]) is None  # no group
    assert accepted(((1, 12, 256), *world.CBC[1:])) is None  # a key length that was not offered
    assert proposals.accepted([], OFFER, 1, 0) is None


GOOD = proposals.build([world.CBC], 1)


def patch(at, value):
    return GOOD[:at] + value + GOOD[at + len(value) :]


BAD = [
    b"", GOOD[:-1], GOOD + b"\0", GOOD[:7],
    patch(0, b"\x02"), patch(0, b"\x01"),  # more proposals promised; a value that does not exist
    *(patch(2, struct.pack(">H", size)) for size in (0, 7, 8, 43, 45, 65535)),
    patch(6, b"\xff"),  # SPI size
    *(patch(7, bytes((count,))) for count in (0, 3, 5, 255)),
    *(patch(10, struct.pack(">H", size)) for size in (0, 4, 7, 11, 13, 65535)),
    patch(8, b"\x00"), patch(8, b"\x02"), patch(36, b"\x03"), patch(28, b"\x00"),
]  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_malformed(body):
    with pytest.raises(Refusal) as caught:
        proposals.parse(body)
    assert (caught.value.reason, caught.value.notify) == (reason.BAD_SA_PAYLOAD, iana.INVALID_SYNTAX)


def test_transform_with_an_unknown_attribute_is_as_if_not_offered():
    for attribute in (b"\x80\x0f\x00\x80", b"\x00\x0f\x00\x00", b"\x80\x0e\x00\x00"):
        ((_, _, _, transforms),) = proposals.parse(patch(16, attribute))
        assert transforms == [(2, 5, 0), (3, 12, 0), (4, 31, 0)]


def test_more_than_the_limits():
    with pytest.raises(Refusal):
        proposals.parse(proposals.build([world.CBC] * 33, 1))
    assert len(proposals.parse(proposals.build([world.CBC] * 32, 1))) == 32
    with pytest.raises(Refusal):
        proposals.parse(proposals.build([((1, 12, 128),) * 129], 1))


@given(st.binary(max_size=120))
def test_random_bytes_are_refused_or_parsed(body):
    try:
        proposals.parse(body)
    except Refusal as refusal:
        assert refusal.reason == reason.BAD_SA_PAYLOAD
