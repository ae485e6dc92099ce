"""The appliance for programs: what it tells the board while it waits."""

from types import SimpleNamespace

import pytest

from uike.app.tunnel import Tunnel


@pytest.mark.parametrize(("due", "slept"), [(None, 1_000), (5_000, 1_000), (300, 300)])
@pytest.mark.parametrize("outbound", [[], ["a Child SA"]])
def test_a_waiting_program_shows_whether_a_tunnel_is_up(due, slept, outbound):
    """A chip's LED shows it, and a new version of the application proves itself by it."""
    told = []
    appliance = SimpleNamespace(
        users=[],
        wait_ms=lambda: due,
        turn=lambda: True,
        board=SimpleNamespace(wait=lambda most, tunnels: told.append((most, tunnels))),
        endpoint=SimpleNamespace(random=bytes, sad=SimpleNamespace(outbound=outbound)),
    )
    assert Tunnel(appliance, False).poll()
    assert told == [(slept, outbound)]
