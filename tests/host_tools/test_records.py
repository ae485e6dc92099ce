"""Records of a board: each code that is traced has a decoder, and a broken line is an event of its own."""

import struct
from base64 import b64encode

import pytest

from host_tools import records
from tests.handshake import events, lifetime, line
from uike import event

TRACED = {
    name: value
    for name, value in vars(event).items()
    if name.isupper() and not name.startswith("STATE_") and name != "PACKET"
}
HERE, THERE = b"\xc0\0\2\2\x11\x94", b"\xc0\0\2\1\x01\xf4"


def test_each_code_has_a_name_and_a_decoder():
    assert records.NAMES == {value: name.lower() for name, value in TRACED.items()}
    assert set(records._DECODERS) == set(TRACED.values())


def test_a_whole_life_decodes():
    world, _ = lifetime()
    for side in (world.board, world.gateway):
        found = events(side)
        assert [each.name.upper() for each in found] == [name for name, _, _ in side.log]
    child = next(each for each in events(world.board) if each.name == "child_up").fields
    other = next(each for each in events(world.gateway) if each.name == "child_up").fields
    assert (child["spi_in"], child["spi_out"]) == (other["spi_out"], other["spi_in"])
    assert child["transforms"] == [(1, 12, 128), (3, 12, 0), (5, 0, 0)]


def test_fields_of_a_drop():
    found = records.parse(line(event.DROP, 0, 1234, b"\x0d" + THERE + b"why"))
    assert found == (3, "drop", 0, 1234, {"reason": 13, "remote": ("192.0.2.1", 500), "detail": b"why"})


def test_fields_of_a_child_that_went():
    body = b"\0\0\1\1\0\0\2\2" + struct.pack(">BIIQQ", 91, 3, 4, 1 << 40, 5)
    fields = records.parse(line(event.CHILD_DOWN, 7, 0, body)).fields
    assert fields == {
        "spi_in": "00000101", "spi_out": "00000202", "reason": 91,
        "packets_in": 3, "packets_out": 4, "bytes_in": 1 << 40, "bytes_out": 5,
    }  # fmt: skip


@pytest.mark.parametrize("text", [b"", b"hello", b" #AAAA", b"MicroPython v1.27"])
def test_text_is_no_record(text):
    assert records.parse(text) is None


@pytest.mark.parametrize(
    "broken",
    [
        b"#",
        b"#???",
        b"#" + b64encode(b"\x02"),
        line(200, 0, 0, b""),
        line(event.PACKET, 0, 0, b""),
        line(event.STATE, 1, 0, b"\1"),
        line(event.STATE, 1, 0, b"\1\2\3"),
        line(event.CHILD_UP, 1, 0, bytes(8) + b"\xff"),
        line(event.ADDRESS, 1, 0, b"\0\1\0\4\x0a\0\0"),
    ],
)
def test_a_broken_record_is_garbled(broken):
    found = records.parse(broken)
    assert found.name == "garbled" and found.fields == {"text": broken.decode()}


@pytest.mark.parametrize("code", TRACED.values())
def test_no_truncation_of_any_record_raises(code):
    for size in range(64):
        assert records.parse(line(code, 1, 0, bytes(size))).name in (records.NAMES[code], "garbled")
