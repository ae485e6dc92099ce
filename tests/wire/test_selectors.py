"""Traffic selectors: parsing, narrowing, and the malformed ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uike import reason
from uike.wire import selectors
from uike.wire.refusal import Refusal
from uike.wire.selectors import make


def ts(first, last=None, protocol=0, ports=(0, 65535)):
    def pack(text):
        return bytes(int(part) for part in text.split("."))

    return make(protocol, *ports, pack(first), pack(last or first))


NET = ts("10.1.0.0", "10.1.255.255")
ANY = ts("0.0.0.0", "255.255.255.255")
V6 = bytes((8, 0, 0, 40)) + b"\0\0\xff\xff" + bytes(32)

NARROWING = [
    # offered, allowed, what is left
    ([ANY], [NET], [NET]),
    ([NET], [ANY], [NET]),
    ([NET], [ts("10.2.0.0", "10.2.255.255")], []),
    ([ts("10.1.2.0", "10.3.0.0")], [NET], [ts("10.1.2.0", "10.1.255.255")]),
    ([ts("10.1.0.1"), ts("10.2.0.1")], [NET], [ts("10.1.0.1")]),
    ([ts("10.1.0.1"), ts("10.1.0.1")], [NET], [ts("10.1.0.1")]),
    ([ANY], [ts("10.1.0.1"), ts("10.1.0.9")], [ts("10.1.0.1"), ts("10.1.0.9")]),
    ([ts("10.1.0.1", protocol=6, ports=(80, 90))], [ts("10.1.0.1", ports=(85, 100))],
     [ts("10.1.0.1", protocol=6, ports=(85, 90))]),
    ([ts("10.1.0.1", protocol=6)], [ts("10.1.0.1", protocol=17)], []),
    ([ts("10.1.0.1", ports=(1, 2))], [ts("10.1.0.1", ports=(3, 4))], []),
]  # fmt: skip


@pytest.mark.parametrize(("offered", "allowed", "left"), NARROWING)
def test_narrowing(offered, allowed, left):
    assert selectors.narrow(selectors.parse(selectors.build(offered)), allowed) == left
    assert selectors.within(left, allowed) and selectors.within(left, offered)
    assert selectors.within(offered, allowed) == (set(left) == set(offered))


def test_other_types_are_passed_over():
    body = bytes((3, 0, 0, 0)) + V6 + NET + bytes((9, 0, 0, 8)) + bytes(4)
    assert selectors.parse(body) == [V6, NET]


GOOD = selectors.build([NET, ANY])
BAD = [
    b"", GOOD[:3], GOOD[:-1], GOOD + b"x", b"\x00" + GOOD[1:], b"\x01" + GOOD[1:], b"\x03" + GOOD[1:],
    b"\xff" + GOOD[1:], bytes(4),
    *(GOOD[:6] + bytes((0, size)) + GOOD[8:] for size in (0, 1, 7, 8, 15, 17, 255)),
]  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_malformed(body):
    with pytest.raises(Refusal) as caught:
        selectors.parse(body)
    assert caught.value.reason == reason.BAD_TS_PAYLOAD


def test_a_limit_on_how_many_are_kept():
    assert len(selectors.parse(selectors.build([NET] * 40))) == 16


@given(st.binary(max_size=80))
def test_random_bytes_are_refused_or_parsed(body):
    try:
        for selector in selectors.parse(body):
            assert len(selector) in (16, 40)
    except Refusal as refusal:
        assert refusal.reason == reason.BAD_TS_PAYLOAD
