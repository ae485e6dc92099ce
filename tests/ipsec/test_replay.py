"""The replay window against a plain set, and at its edges."""

import random

from uike.ipsec.replay import WINDOW, Window


def test_window_is_at_least_64():
    assert WINDOW >= 64


def test_edges():
    window = Window()
    assert not window.check(0)  # sequence numbers begin at 1
    for sequence in (1, 2, 5, 300, 299, 52 + 1):
        assert window.check(sequence), sequence
        window.accept(sequence)
        assert not window.check(sequence), sequence
    assert not window.check(300 - WINDOW)
    assert window.check(300 - WINDOW + 2)
    window.accept(0xFFFFFFFF)
    assert not window.check(0xFFFFFFFF) and not window.check(300) and window.check(0xFFFFFFFE)


def test_against_a_set():
    for seed in range(30):
        draw = random.Random(seed)
        window, seen, top = Window(), set(), 0
        for _ in range(2000):
            step = draw.choice((1, 1, 1, 2, 7, 8, 9, -1, -3, -20, -200, -247, -248, -249, 250, 255, 256, 257, 1000))
            sequence = max(0, top + step)
            new = sequence > 0 and sequence not in seen and sequence > top - WINDOW
            assert window.check(sequence) == new, (seed, sequence, top)
            if new:
                window.accept(sequence)
                seen.add(sequence)
                top = max(top, sequence)
