"""The doorway: who comes, and when the relays behind it are there. They themselves: `test_relay`, `tests/vm/day`."""

from types import SimpleNamespace

import pytest

from tests.app.test_relay import Lan
from uike import event, reason, transient
from uike.app import relay
from uike.app.doorway import Doorway

ROWS = [((bytes(4), port), ("hq", 80), "lan", "tcp", 2, 0, 60_000) for port in (1883, 502)]
CLIENT = ("192.0.2.7", 5_000)
PACKED = (bytes((192, 0, 2, 7)), 5_000)


class Relays:
    """What was begun; `open` is the connections that there are."""

    made = ()
    starves = False

    def __init__(self, appliance, rows, lan, listeners):
        Relays.made += (self,)
        assert rows == ROWS and lan is appliance.board.lan()
        self.listeners = listeners
        self.tunnel = object()
        appliance.users += [self, self.tunnel]
        self.begun, self.open, self.abandoned, self.dissolved = [], 0, False, False
        if Relays.starves:
            raise MemoryError

    def begin(self, *arguments):
        self.begun.append(arguments)
        self.open += 1

    def busy(self):
        return self.open

    def abandon(self):
        self.abandoned = True

    def dissolve(self):
        self.dissolved = True


class World:
    def __init__(self):
        self.lan, self.told, self.now = Lan(), [], 0
        self.sa = SimpleNamespace(state=event.STATE_ESTABLISHED)
        self.drops = []
        self.appliance = SimpleNamespace(
            board=SimpleNamespace(lan=lambda: self.lan),
            users=[],
            serving=False,
            endpoint=SimpleNamespace(sas=[self.sa], drop=self.drops.append),
            trace=lambda code, sa, body: self.told.append((code, body)),
        )
        self.doorway = Doorway(self.appliance, ROWS)

    def run(self, ms):
        for _ in range(ms // 50):
            self.now += 50
            assert self.doorway.tick(self.appliance, self.now)

    def refused(self):
        assert all(code == event.RELAY_REFUSED for code, _ in self.told)
        return [(body[0], body[1], body[2:]) for _, body in self.told]


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(relay, "Relays", Relays)
    monkeypatch.setattr(transient, "instead", None)
    Relays.made, Relays.starves = (), False
    return World()


def test_nothing_is_loaded_before_somebody_comes(world):
    world.run(60_000)
    assert not Relays.made and world.appliance.users == [world.doorway]
    assert world.lan.listening and world.doorway.deadline() > world.now


def test_who_comes_is_handed_on_with_the_listeners(world):
    world.run(200)
    world.lan.waiting.append((7, CLIENT))
    world.run(200)
    (made,) = Relays.made
    assert made.begun == [(0, 7, PACKED, made.begun[0][3])] and made.listeners == ["listener", "listener"]


def test_the_relays_go_ten_seconds_after_the_last_connection(world):
    world.lan.waiting.append((7, CLIENT))
    world.run(60_000)
    (made,) = Relays.made
    assert world.doorway.relays is made and made in world.appliance.users
    made.open = 0
    world.run(9_900)
    assert world.doorway.relays is made
    world.run(200)
    assert world.doorway.relays is None and world.appliance.users == [world.doorway] and not made.abandoned
    world.run(200)
    assert made.dissolved  # not before, since it may have been in use in that turn
    world.lan.waiting.append((8, CLIENT))
    world.run(200)
    assert len(Relays.made) == 2


def test_a_lost_tunnel_takes_its_connections_along(world):
    world.lan.waiting.append((7, CLIENT))
    world.run(200)
    world.sa.state = event.STATE_DELETING
    world.run(50)
    assert Relays.made[0].abandoned and world.appliance.users == [world.doorway]


def test_an_exchange_that_lacks_memory_gets_that_of_the_relays(world, monkeypatch):
    world.lan.waiting.append((7, CLIENT))
    world.run(200)
    (made,) = Relays.made
    asked = []

    def bring(name):
        asked.append(name)
        if not made.dissolved:
            raise MemoryError

    monkeypatch.setattr(transient, "bring", bring)
    with pytest.raises(MemoryError):
        transient.instead("uike.app.console")  # a command can be typed once more
    world.appliance.serving = True  # it may be their own packet that wants the module
    with pytest.raises(MemoryError):
        transient.instead("uike.ike.rekey_ike")
    world.appliance.serving = False
    assert not made.abandoned and not made.dissolved
    transient.instead("uike.ike.rekey_ike")
    assert asked[-2:] == ["uike.ike.rekey_ike"] * 2
    assert made.abandoned and made.dissolved and world.appliance.users == [world.doorway]
    world.lan.waiting.append((8, CLIENT))
    world.run(200)
    assert len(Relays.made) == 2


def test_without_a_tunnel_nobody_is_let_in(world):
    world.appliance.endpoint.sas = []
    world.lan.waiting += [(7, CLIENT), (8, CLIENT)]
    world.run(500)
    assert not Relays.made and world.lan.closed == [7, 8]
    assert world.refused() == [(0, reason.NET_UNREACHABLE, PACKED[0] + b"\x13\x88")] * 2


def test_without_memory_nobody_is_let_in_and_all_is_as_before(world):
    Relays.starves = True
    world.lan.waiting.append((7, CLIENT))
    world.run(200)
    assert world.lan.closed == [7] and world.appliance.users == [world.doorway] and world.doorway.relays is None
    assert world.refused() == [(0, reason.NO_MEMORY, PACKED[0] + b"\x13\x88")]
    Relays.starves = False
    world.lan.waiting.append((8, CLIENT))
    world.run(200)
    assert Relays.made[-1].begun


def test_an_address_that_is_not_there_yet_is_tried_again(world):
    world.lan.refuses = True
    world.run(1_000)
    assert world.lan.listening is None
    world.lan.refuses = False
    world.run(200)
    assert world.lan.listening
