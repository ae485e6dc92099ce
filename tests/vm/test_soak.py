"""The soak of `make soak`, in small: reconnections, rekeyings and hostile datagrams leave nothing on a board's heap."""

import pytest

from tests.vm import soak

RECONNECTS, REKEYS, DATAGRAMS = 20, 20, 2_000
GROWTH_MAX = 700  # bytes: each new reason of a drop takes its place in the table that counts them


@pytest.fixture(scope="module")
def run():
    return soak.soak(RECONNECTS, REKEYS, DATAGRAMS)


def test_nothing_is_left_behind(run):
    rows, _ = run
    ends = {phase: count for phase, count, _ in rows}
    assert ends == {"start": soak.WARM_UP, "reconnect": RECONNECTS, "rekey": REKEYS, "junk": DATAGRAMS}
    assert soak.growth(rows)[0] <= GROWTH_MAX, rows
    used = {phase: size for phase, _, size in rows}
    assert max(used["reconnect"], used["rekey"]) <= used["start"] + 128, rows


def test_the_hostile_datagrams_were_met_and_none_of_our_errors(run):
    _, drops = run
    assert drops.keys() >= {"COOKIE_WANTED", "BAD_ICV", "LENGTH_MISMATCH", "ESP_UNKNOWN_SPI", "UNEXPECTED_RESPONSE"}
    assert drops.keys().isdisjoint({"LOCAL_ERROR", "NO_MEMORY"})
    assert sum(drops.values()) > DATAGRAMS // 2
