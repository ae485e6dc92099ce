"""One sitting with emulated boards in real time: start them, follow their traces, ask for pings, end them in order.

`Session.run` is a loop over what the boards say; it lives in the caller's thread. The boards' own threads only put
lines into its queue, so a slow terminal never delays a handshake.
"""

import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from host_tools import records
from host_tools.emulator.board import EmulatedBoard
from host_tools.emulator.outcome import Outcome
from host_tools.names import selector_networks

QUIT_TIMEOUT_S = 6.0  # for the deletes and their answers
PING_GRACE_S = 10.0  # after the last ping was due
TICK_S = 0.2


@dataclass
class Plan:
    """What to ask of the board in the lead."""

    initiator: bool = True
    ping: str | None = None
    count: int = 3
    interval_ms: int = 1000
    size: int = 56
    timeout_s: float = 30.0  # for the bring-up of an initiator, or of a responder that is to ping
    duration_s: float | None = None  # stay up this long; None: until the work is done
    forever: bool = False  # no work to be done: stay until interrupted


@dataclass
class Actor:
    """A board with its listeners and what came of it."""

    name: str
    board: EmulatedBoard
    outcome: Outcome = field(default_factory=Outcome)
    on_event: Callable = lambda event: None
    on_text: Callable = lambda text: None
    on_line: Callable = lambda line: None  # each line of its console, as it came


class Session:
    """`actors[0]` is in the lead: the plan is about it. The others serve it and end after it."""

    def __init__(self, actors: list[Actor], plan: Plan, tun=None):
        self.actors = actors
        self.lead = actors[0]
        self.plan = plan
        self.tun = tun
        self._queue: queue.SimpleQueue = queue.SimpleQueue()  # its put may be called in a signal handler
        self._interrupts = 0
        self._up_at = None
        self._ping_at = None

    def interrupt(self) -> None:
        """Ask for an orderly end; the second time, for an end. Safe in a signal handler and from any thread."""
        self._interrupts += 1
        self._queue.put((None, None))

    def run(self) -> None:
        """Until the plan is done, failed, timed out or interrupted, and every board has ended."""
        for actor in self.actors:
            actor.board.host.on_line = lambda line, actor=actor: self._queue.put((actor, line))
            actor.board.on_end = lambda: self._queue.put((None, None))
        self.lead.board.host.clock.begin()
        for actor in reversed(self.actors):  # those who answer first
            actor.board.start()
        started = time.monotonic()
        while not self._done(started):
            self._take(TICK_S)
        for actor in self.actors:
            self._end(actor)
        while not self._queue.empty():
            self._take(0)

    def forward(self, lines) -> None:
        """Pass command lines of a file object to the lead's console, in a thread; its end ends the sitting."""

        def work():
            for line in lines:
                if line.strip():
                    self.lead.board.host.type_line(line.strip())
            self.interrupt()

        threading.Thread(target=work, name="console", daemon=True).start()

    def _take(self, timeout_s: float) -> None:
        """Handle one line of a board, if there is one in time."""
        try:
            actor, line = self._queue.get(timeout=timeout_s) if timeout_s else self._queue.get_nowait()
        except queue.Empty:
            return
        if actor is None:
            return
        actor.on_line(line)
        event = records.parse(line)
        if event is None:
            actor.on_text(line.decode("utf-8", "replace"))
            return
        actor.outcome.event(event)
        actor.on_event(event)
        if actor is self.lead:
            self._follow(event)

    def _follow(self, event) -> None:
        if event.name == "address" and self.tun and event.fields["address"]:
            self.tun.address(event.fields["address"])
        if event.name != "child_up":
            return
        if self.tun:
            for selector in event.fields["remote_ts"]:
                for network in selector_networks(selector) if len(selector) == 16 else ():
                    if not self.tun.route(network):
                        self.lead.on_text(f"{self.tun.name}: no route for 0.0.0.0/0; add those you want by hand")
        if self._up_at is None:
            self._up_at = time.monotonic()
            if self.plan.ping:
                self._ask_ping()

    def _ask_ping(self) -> None:
        plan = self.plan
        self.lead.outcome.pings_asked = plan.count
        self._ping_at = time.monotonic()
        command = {"do": "ping", "to": plan.ping, "count": plan.count}
        self._type(self.lead, {**command, "interval_ms": plan.interval_ms, "size": plan.size})

    @staticmethod
    def _type(actor: Actor, command: dict) -> None:
        actor.board.host.type_line(json.dumps(command).encode())

    def _done(self, started: float) -> bool:
        if self._interrupts or self.lead.board.verdict:
            return True
        now, plan, outcome = time.monotonic(), self.plan, self.lead.outcome
        if self._up_at is None:
            if plan.initiator or plan.ping:
                return outcome.failed and plan.initiator or now - started >= plan.timeout_s
            return plan.duration_s is not None and now - started >= plan.duration_s
        if self._ping_at is not None and len(outcome.rtt_ms) < plan.count:
            return now - self._ping_at >= plan.count * plan.interval_ms / 1000 + PING_GRACE_S
        if plan.duration_s is not None:
            since = self._up_at if plan.initiator else started
            return now - since >= plan.duration_s
        return not plan.forever

    def _end(self, actor: Actor) -> None:
        """Ask a board to delete its SAs and stop, wait a bounded time, then make it."""
        asked = time.monotonic()
        before = self._interrupts
        if not actor.board.verdict:
            self._type(actor, {"do": "quit"})
        while not actor.board.verdict and time.monotonic() - asked < QUIT_TIMEOUT_S and self._interrupts <= before + 1:
            self._take(TICK_S)
        if not actor.board.verdict:
            actor.board.stop(2.0)
        actor.board.join(1.0)
        verdict = actor.board.verdict
        if verdict and not verdict.ok and verdict.kind != "killed":
            actor.outcome.failure_text = ("LOCAL_ERROR", f"{verdict.kind}: {verdict.text}", _REMEDIES[verdict.kind])


_REMEDIES = {
    "memory": "give the board more with --heap",
    "fuel": "raise the budget",
    "exit": "a fault of the firmware: please report it with the trace",
    "exception": "a fault of the firmware: please report it with the trace",
    "crash": "a fault of the VM: try another build with --vm PATH",
    "host": "a fault of the emulator: please report it",
}
