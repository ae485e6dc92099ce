"""TCP on bad paths, both ways at once: two stacks of ours in virtual time, from seeds."""

import random

import pytest

from tests.net.transfer import Ours, transfer
from tests.net.wire import THEIRS, Wire


def connected(wire, size=4096):
    """(our connection, theirs), made by a listener at port 80."""
    listener = wire.theirs.tcp().listen(80, size=size)
    connection = wire.ours.tcp().connect(THEIRS, 80, size=size)
    assert wire.run(lambda: listener.ready)
    return connection, listener.accept()


@pytest.mark.parametrize("seed", range(60))
def test_what_is_written_arrives(seed):
    dice = random.Random(seed)
    wire = Wire(
        seed,
        loss=dice.choice([0, 0.05, 0.15]),
        reorder=dice.choice([0, 0.1, 0.5]),
        duplicate=dice.choice([0, 0.02, 0.3]),
        mtu=dice.choice([576, 1400]),
    )
    ours, theirs = connected(wire, dice.choice([600, 2_000, 4_096, 16_384, 60_000]))
    transfer(wire.run, Ours(ours), Ours(theirs), dice.choice([0, 1, 1_000, 50_000]), seed)


def test_a_megabyte_with_loss_and_reordering():
    wire = Wire(7, loss=0.05, reorder=0.1, duplicate=0.01)
    ours, theirs = connected(wire, 16_384)
    transfer(wire.run, Ours(ours), Ours(theirs), 1_000_000)
    assert len(wire.sent) <= 3_600  # 1,472 segments are data, the others acknowledgments and repetitions
