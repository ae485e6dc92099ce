"""The firmware's budgets, measured in the MicroPython VM with the heap of a board: exact, so they are asserted.

The ceilings are ratchets: when a figure gets better, its ceiling follows.
"""

import pytest

from host_tools import demo, image
from host_tools.bench import vm as bench
from uike import event

IDLE_MAX = 57_344
PEAK_MAX = 84_000
FRAGMENTS_PEAK_MAX = 91_500
IMAGE_MAX = 200 * 1024
RATIO_MAX = 1.5


@pytest.fixture(scope="module")
def small():
    """A PSK + X25519 bring-up of two boards with 96 KB of heap, then a rekey of the Child SA and of the IKE SA."""
    then = (
        ({"do": "rekey", "what": "child"}, event.CHILD_REKEYED),
        ({"do": "rekey", "what": "ike"}, event.IKE_REKEYED),
    )
    return bench.Run("aes128-sha256-x25519", "aes128-sha256", "96k", measure=True, then=then)


@pytest.mark.parametrize("role", ["initiator", "responder"])
def test_psk_and_x25519_in_96_kilobytes(small, role):
    assert small.idle[role] <= IDLE_MAX
    assert small.peak(role) <= PEAK_MAX
    assert not small.boards[role].violations
    assert {event.CHILD_REKEYED, event.IKE_REKEYED} <= small.fuel[role].keys()
    assert small.boards[role].verdict.ok


def test_the_protocol_costs_less_than_half_of_its_crypto():
    both = bench.handshake("aes128-sha256-x25519", "aes128-sha256")
    assert 1 < both["initiator"]["ratio"] <= RATIO_MAX and 1 < both["responder"]["ratio"] <= RATIO_MAX


def test_the_image_is_small():
    assert sum(image.build().sizes.values()) <= IMAGE_MAX


@pytest.mark.parametrize("esp", sorted(bench._ESP))
def test_a_packet_leaves_nothing_behind(esp):
    assert [each["growth"] for each in bench.packets(esp, (64, 1400))] == [0, 0]


def test_fragments_in_100_kilobytes(monkeypatch):
    """The same with IKE_AUTH in fragments, both ways."""
    plain = demo.configurations

    def configurations(*arguments):
        trees = plain(*arguments)
        for tree in trees:
            for connection in tree["connection"].values():
                connection["fragment_size"] = 200
        return trees

    monkeypatch.setattr(demo, "configurations", configurations)
    run = bench.Run("aes128-sha256-x25519", "aes128-sha256", "100k", measure=True)
    for role in ("initiator", "responder"):
        assert event.FRAGMENT in run.fuel[role] and not run.boards[role].violations
        assert run.peak(role) <= FRAGMENTS_PEAK_MAX
