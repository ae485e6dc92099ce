"""The stack's budget in the MicroPython VM: exact, so it is asserted. Ceilings are ratchets."""

from pathlib import Path

import pytest

from host_tools.emulator.vm import run_script

UDP_MAX = 5_900  # bytes of heap: stack and UDP
TCP_MAX = 14_700  # and TCP
CONNECTION_MAX = 850
FUEL_MAX = {"out": 2_450, "in": 2_450, "datagrams": 1_150}  # instructions a byte, both ends together; ESP costs 190,000


@pytest.fixture(scope="module")
def costs():
    stdout, _, verdict = run_script(Path(__file__).with_name("guest_costs.py"), "111k")
    assert verdict.ok, verdict
    return {name: tuple(map(int, figures)) for name, *figures in (line.split() for line in stdout.splitlines())}


def test_code_and_connections_are_small(costs):
    assert costs["udp"][0] <= UDP_MAX
    assert costs["tcp"][0] <= TCP_MAX
    assert costs["connection"][0] <= CONNECTION_MAX


@pytest.mark.parametrize("what", FUEL_MAX)
def test_data_is_cheap_and_leaves_nothing_behind(costs, what):
    fuel, growth = costs[what]
    assert fuel <= FUEL_MAX[what]
    assert growth <= 512  # blocks of the buffers
