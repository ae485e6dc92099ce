"""The buffer and the checksum against the obvious way to do it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from uike.net.buffer import Buffer
from uike.wire.ipv4 import checksum


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("wrdc"), st.binary(max_size=700), st.integers(0, 700)), max_size=25))
def test_a_buffer_is_a_queue(steps):
    buffer, model = Buffer(1_000), bytearray()
    for what, data, number in steps:
        if what == "w":
            assert buffer.write(data) == min(len(data), 1_000 - len(model))
            model += data[: 1_000 - len(model)]
        elif what == "r":
            assert buffer.read(number) == model[:number]
            del model[:number]
        elif what == "d":
            number = min(number, len(model))
            buffer.drop(number)
            del model[:number]
        else:
            into, number = bytearray(5 + len(model)), min(number, len(model))
            buffer.peek(number, len(model) - number, into, 5)
            assert into[5 : 5 + len(model) - number] == model[number:]
        assert buffer.size == len(model) and buffer.room() == 1_000 - len(model)


def test_what_comes_early_is_there_when_the_gap_is_filled():
    buffer = Buffer(1_000)
    buffer.write(b"x" * 300)
    buffer.drop(300)
    buffer.lay(600, b"late" * 50)
    buffer.write(b"y" * 600)
    buffer.size += 200
    assert buffer.read(1_000) == b"y" * 600 + b"late" * 50


def test_an_empty_buffer_holds_one_block_at_most():
    buffer = Buffer(4_096)
    for _ in range(10):
        buffer.write(b"x" * 3_000)
        buffer.read(3_000)
        assert sum(map(len, buffer._blocks)) <= 256


def plain(data):
    """RFC 1071, word by word."""
    total = 0
    for i in range(0, len(data), 2):
        total += int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 5))
def test_the_checksum(data, at):
    found = checksum(bytes(at) + data, at, at + len(data))
    assert found == plain(data) or (found, plain(data)) == (0, 0xFFFF) and not any(data)
    if len(data) % 2 == 0:
        assert checksum(data + plain(data).to_bytes(2, "big"), 0, len(data) + 2) == 0
