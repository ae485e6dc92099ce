"""A few worlds; `make sim` runs more of them. A failure prints the command that replays its seed."""

import pytest

from tests.sim.network import inspect
from tests.sim.node import MARKER, Violation
from tests.sim.simulation import Simulation, run


@pytest.mark.parametrize("first", range(1, 33, 4))
def test_worlds(first):
    for seed in range(first, first + 4):
        failure = run(seed)
        assert failure is None, failure


def test_a_seed_replays_its_world():
    worlds = [Simulation(7), Simulation(7)]
    for each in worlds:
        each.run()
    one, two = [(each.network.sent, each.time, each.packets, each.report()) for each in worlds]
    assert one == two and one[0] > 500 and sum(arrived for _, _, arrived in one[2].values()) > 100


@pytest.mark.parametrize("datagram", [MARKER * 2, bytes(40), bytes(3), bytes(4) + b"x" * 24 + bytes(4)])
def test_what_is_neither_ike_nor_esp_is_noticed(datagram):
    with pytest.raises(Violation):
        inspect(datagram, 4500)


def test_a_leak_a_packet_taken_twice_and_a_key_kept_are_noticed():
    world = Simulation(3)
    world.run()
    board = world.boards[0]
    (serial,) = [number for number, (_, sender, arrived) in world.packets.items() if arrived and sender != board.name][
        :1
    ]
    with pytest.raises(Violation, match="twice"):
        world._arrived(board, world.packets[serial][0])
    board.endpoint.leases.append([bytes(4), (2, b"board"), board])
    with pytest.raises(Violation, match="still has"):
        world.nothing_left()
    board.endpoint.leases.clear()
    board.heap.failed = 0
    board.unwiped.add(object())
    with pytest.raises(Violation, match="not wiped"):
        world.nothing_left()
