"""A board that comes back: after refusals, silence, a gateway's restart, a network that went. Two boards in virtual time."""

import json
from base64 import b64encode
from types import SimpleNamespace

import pytest

from host_tools import demo, records
from host_tools.emulator.board import EmulatedBoard
from host_tools.emulator.clock import VirtualClock
from host_tools.emulator.host import VIRTUAL_EPOCH, Host
from host_tools.emulator.network import Switch
from uike import event, reason
from uike.app import reconnect

RUNTIMES = pytest.mark.parametrize("runtime", ["cpython", "vm"])
QUICK = {"retransmit_ms": 200, "retransmit_tries": 2, "dpd_delay": 2}


class World:
    """A board that connects, and a gateway that may be there; `said` has the board's events and their times."""

    def __init__(self, runtime, relay=None, **changes):
        self.clock = VirtualClock()
        self.switch = Switch(self.clock, latency_ms=5)
        ours, self.theirs = demo.configurations("5a" * 32)
        ours["connection"]["hq"].update({**QUICK, **changes})
        ours |= {"relay": [relay]} if relay else {}
        self.runtime = runtime
        self.events = []
        self.board = self._start("board", demo.INITIATOR, ours, self.events)
        self.gateway = None

    def _start(self, name, address, tree, events):
        host = Host(
            name, self.clock, self.switch.attach(address), seed=1, files={"config.json": json.dumps(tree).encode()}
        )
        host.on_line = lambda line: events.append(records.parse(line))
        board = EmulatedBoard(host, self.runtime, heap="111k")
        board.start()
        return board

    def start_gateway(self):
        self.gateway = self._start("gateway", demo.GATEWAY, self.theirs, [])

    def kill_gateway(self):
        """As when its power goes: nothing is deleted."""
        self.gateway.host.stop()
        self.clock.run(lambda: self.gateway.verdict)

    def run(self, ms):
        self.clock.run(limit_ms=ms)

    def said(self, name):
        return [event for event in self.events if event and event.name == name]

    def type(self, **command):
        self.board.host.type_line(json.dumps(command).encode())

    def up(self, count, ms=120_000):
        assert self.clock.run(lambda: len(self.said("established")) == count, limit_ms=ms), self.events[-5:]

    def end(self):
        for board in filter(None, (self.board, self.gateway)):
            board.host.stop()
        self.clock.run(lambda: all(board.verdict for board in (self.board, self.gateway) if board))
        assert self.board.verdict.ok, self.board.verdict
        assert not self.board.violations


@RUNTIMES
def test_attempts_go_on_at_growing_and_bounded_intervals(runtime):
    world = World(runtime, reconnect_max=8)
    world.run(120_000)
    planned = [event.fields for event in world.said("reconnect")]
    assert [fields["attempt"] for fields in planned] == list(range(1, len(planned) + 1)) and len(planned) >= 12
    for fields, ceiling in zip(planned, [1_000, 2_000, 4_000] + [8_000] * len(planned), strict=False):
        assert ceiling // 2 <= fields["in_ms"] <= ceiling
    assert len({fields["in_ms"] for fields in planned[3:]}) > 3  # jitter
    for closed, begun in zip(world.said("closed"), world.said("negotiating")[1:], strict=False):
        fields = next(event for event in world.said("reconnect") if event.time_ms >= closed.time_ms).fields
        assert 0 <= begun.time_ms - closed.time_ms - fields["in_ms"] <= 5
    world.end()


@RUNTIMES
def test_a_gateway_that_comes_late_and_restarts(runtime):
    world = World(runtime, reconnect_max=4)
    world.run(10_000)
    assert world.said("reconnect") and not world.said("established")
    world.start_gateway()
    world.up(1)
    attempts = len(world.said("reconnect"))
    world.kill_gateway()
    world.start_gateway()
    world.up(2)
    after = [event.fields["attempt"] for event in world.said("reconnect")[attempts:]]
    assert after[:1] in ([], [1])  # counted from the last success
    world.end()


@RUNTIMES
def test_what_we_close_stays_closed_until_we_are_told(runtime):
    world = World(runtime)
    world.start_gateway()
    world.up(1)
    world.type(do="close")
    world.run(180_000)
    assert len(world.said("negotiating")) == 1 and not world.said("reconnect")
    world.type(do="connect")
    world.up(2)
    world.end()


@RUNTIMES
def test_one_attempt_if_so_configured(runtime):
    world = World(runtime, reconnect_max=0)
    world.run(180_000)
    assert len(world.said("negotiating")) == 1 and not world.said("reconnect")
    world.end()


@RUNTIMES
def test_without_a_network_nothing_is_tried_and_with_it_at_once(runtime):
    world = World(runtime, reconnect_max=3_600)
    world.board.host.set_link(None)
    world.run(60_000)
    before = len(world.said("negotiating"))
    world.run(600_000)
    assert len(world.said("negotiating")) <= before + 1  # one that was under way
    world.start_gateway()
    world.run(1_000)
    start = world.clock.now()
    world.board.host.set_link(demo.INITIATOR)
    world.up(1, 1_000)
    assert world.clock.now() - start < 1_000
    world.end()


SECOND = "192.0.2.9"


@RUNTIMES
def test_several_gateways_take_turns_and_the_first_one_is_first(runtime):
    world = World(runtime, remote=[SECOND, "lost.example", demo.GATEWAY], reconnect_max=4)
    world.start_gateway()
    world.up(1)
    tried = [event.fields["remote"][0] for event in world.said("negotiating")]
    (unresolved,) = world.said("not_started")
    assert tried == [SECOND, demo.GATEWAY] and unresolved.fields["detail"] == b"lost.example"
    assert [event.fields["in_ms"] <= 1_000 for event in world.said("reconnect")] == [True, True]
    world.kill_gateway()
    world.run(60_000)
    again = [event.fields["remote"][0] for event in world.said("negotiating")[len(tried) :]]
    assert again[:3] == [demo.GATEWAY, SECOND, demo.GATEWAY]  # behind the one that has just failed
    pauses = [event.fields["in_ms"] for event in world.said("reconnect")[3:]]
    assert max(pauses) > 1_000 and all(pause <= 4_000 for pause in pauses)  # it grows after each round
    world.end()


def test_a_board_that_must_judge_certificates_waits_for_the_clock(monkeypatch):
    anchor = b64encode(b"\x30" + bytes(30)).decode()  # nobody gets as far as reading it
    monkeypatch.setattr(Host, "clock_s", lambda self: VIRTUAL_EPOCH if self.clock.now() > 5_000 else None)
    world = World("cpython", reconnect_max=4, cacerts=[anchor])
    world.run(4_000)
    reasons = {event.fields["reason"] for event in world.said("not_started")}
    assert reasons == {reason.CLOCK_NOT_SET} and not world.said("negotiating")
    world.run(10_000)
    assert world.said("negotiating")
    world.end()


@RUNTIMES
def test_one_attempt_is_one_even_if_it_could_not_begin(runtime):
    world = World(runtime, remote="lost.example", reconnect_max=0)
    world.run(5_000)
    assert len(world.said("not_started")) == 1 and not world.said("reconnect") and not world.said("negotiating")
    world.end()


class Restarted(Exception):
    pass


class Hashable(SimpleNamespace):
    __hash__ = object.__hash__


def test_sockets_and_network_are_mended_and_the_last_resort_is_a_restart():
    """After hours, once, and explained; never while another tunnel is up."""
    done, traced = [], []

    def restart(why, detail):
        done.append((why, detail))
        raise Restarted

    connection = Hashable(name="hq", remote=("a", "b"), initiator=True, reconnect_ms=60_000)
    board = SimpleNamespace(life=SimpleNamespace(restart=restart), mend=lambda: done.append("mend"))
    endpoint = SimpleNamespace(sas=[], random=lambda n: b"\x80" * n, has_other=lambda sa: False)
    appliance = SimpleNamespace(
        board=board, endpoint=endpoint, failures={}, retries={}, quit_at=None, trace=lambda *_: traced.append(_)
    )
    sa = SimpleNamespace(connection=connection)
    endpoint.sas = [SimpleNamespace(state=event.STATE_ESTABLISHED)]
    for _ in range(300):
        reconnect._closed(appliance, sa, reason.NO_ANSWER, 0)
    assert not done
    endpoint.sas, appliance.failures = [], {}
    with pytest.raises(Restarted):
        for _ in range(300):
            reconnect._closed(appliance, sa, reason.NO_ANSWER, 0)
    assert done == ["mend"] * 11 + [(reason.NO_TUNNEL, b"hq")] and appliance.failures[connection] == 239


def test_quitting_ends_the_attempts():
    world = World("cpython", reconnect_max=60)
    world.run(5_000)
    world.type(do="quit")
    assert world.clock.run(lambda: world.board.verdict, limit_ms=10_000)
    assert world.board.verdict.ok
