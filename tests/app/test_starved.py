"""No memory for a module that is loaded when it is wanted: what it should have done is said, or done later."""

import pytest

from host_tools import demo
from tests.app.test_reconnect import World
from uike import reason
from uike.app import ping, run


class Starved:
    """`uike.transient.load` on a board that has no memory for modules of these names."""

    def __init__(self, monkeypatch, *names):
        self.names, self.load = names, run.load
        monkeypatch.setattr(run, "load", self)

    def __call__(self, name):
        if name in self.names:
            raise MemoryError("no room")
        return self.load(name)


def no_memory(world):
    return [each for each in world.said("drop") if each.fields["reason"] == reason.NO_MEMORY]


def test_a_command(monkeypatch):
    world = World("cpython")
    world.start_gateway()
    world.up(1)
    starved = Starved(monkeypatch, "uike.app.link")
    world.type(do="close")
    world.run(1_000)
    assert [each.fields["text"] for each in world.said("command_error")] == ["no room"]
    starved.names = ()
    world.type(do="close")
    world.run(1_000)
    assert world.said("closed")
    world.end()


def test_an_sa_that_ends(monkeypatch):
    world = World("cpython", reconnect_max=4)
    world.start_gateway()
    world.up(1)
    starved = Starved(monkeypatch, "uike.app.reconnect")
    world.kill_gateway()
    assert world.clock.run(lambda: world.said("closed"), limit_ms=60_000)
    world.run(10_000)
    assert not world.said("reconnect") and 9 <= len(no_memory(world)) <= 11  # each second, and not at each turn
    starved.names = ()
    world.start_gateway()
    world.up(2)
    assert [each.fields["attempt"] for each in world.said("reconnect")][:1] == [1]
    world.end()


def test_a_network_that_comes(monkeypatch):
    world = World("cpython")
    world.board.host.set_link(None)
    starved = Starved(monkeypatch, "uike.app.reconnect")
    world.start_gateway()
    world.run(5_000)
    world.board.host.set_link(world.board.host.port.address)
    world.run(5_000)
    assert no_memory(world) and len(world.said("negotiating")) <= 1
    starved.names = ()
    world.up(1, ms=4_000)
    world.end()


@pytest.mark.parametrize(("where", "step"), [(ping.Ping, "receive"), (ping, "icmp")])
def test_a_user_of_the_tunnel(monkeypatch, where, step):
    """Packets are lost, as in any network, and the tunnel is not."""
    world = World("cpython")
    world.start_gateway()
    world.up(1)

    def starve(*_):
        raise MemoryError("no room")

    starve.request = starve
    with monkeypatch.context() as here:
        here.setattr(where, step, starve)
        world.type(do="ping", to=demo.INNER, count=2)
        world.run(10_000)
    assert no_memory(world) and not world.said("closed")
    world.type(do="ping", to=demo.INNER, count=1)
    world.run(3_000)
    assert [each.fields["answered"] for each in world.said("ping")] == [False, False, True]
    world.end()
