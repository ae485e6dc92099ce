"""Time for emulated boards: the PC's clock, or a virtual one that jumps to the next thing that happens.

In virtual time one board runs at a time, in its own thread, until it waits; `VirtualClock.run` passes the turn on in a
fixed order and moves the clock only when every board waits. The same world from the same seed is the same run.
"""

import heapq
import itertools
import threading
import time


class RealClock:
    """Milliseconds of the PC's monotonic clock since this object was made, or told to begin."""

    virtual = False

    def __init__(self):
        self.begin()

    def begin(self) -> None:
        """It is 0 now: the boards are switched on."""
        self._start_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        return time.monotonic_ns() - self._start_ns

    def now(self) -> int:
        return self.now_ns() // 1_000_000

    def wait(self, host, timeout_ms: int | None) -> None:
        """Block the board's thread until its host has something for it, or the time is over."""
        host.poll(timeout_ms)

    def wake(self, host) -> None:
        """Something came in for a board; callable from any thread."""
        host.interrupt()

    def after(self, delay_ms: int, action) -> None:
        """Do `action()` now: on a real clock the delay is the network's own."""
        action()

    def enter(self, host) -> None:
        """A board's thread begins."""

    def leave(self, host) -> None:
        """A board's thread ends."""


class _Turn:
    """One board's place in the order: its baton, and what it waits for."""

    def __init__(self):
        self.go = threading.Semaphore(0)
        self.deadline: int | None = None
        self.waiting = False
        self.ended = False


class VirtualClock:
    """Milliseconds of a world in which computing takes no time."""

    virtual = True

    def __init__(self):
        self._now = 0
        self._turns: dict = {}  # host to _Turn, in the order in which boards were added
        self._back = threading.Semaphore(0)
        self._agenda: list = []
        self._number = itertools.count()

    def now(self) -> int:
        return self._now

    def now_ns(self) -> int:
        return self._now * 1_000_000

    def after(self, delay_ms: int, action) -> None:
        """Do `action()` when `delay_ms` have passed; what is due at the same time runs in the order of asking."""
        heapq.heappush(self._agenda, (self._now + max(0, delay_ms), next(self._number), action))

    def add(self, host) -> None:
        """Make a board part of this world, before its thread starts."""
        self._turns[host] = _Turn()

    def enter(self, host) -> None:
        self._turns[host].go.acquire()

    def leave(self, host) -> None:
        self._turns[host].ended = True
        self._back.release()

    def wait(self, host, timeout_ms: int | None) -> None:
        turn = self._turns[host]
        turn.deadline = None if timeout_ms is None else self._now + max(0, timeout_ms)
        turn.waiting = True
        self._back.release()
        turn.go.acquire()

    def wake(self, host) -> None:
        """Nothing to do: `run` looks at every board's input before it moves the clock."""

    def run(self, until=lambda: False, limit_ms: int = 3_600_000) -> bool:
        """Run the world until `until()` holds (True), or nothing is left to happen in `limit_ms` more (False)."""
        end = self._now + limit_ms
        while not until():
            if self._step():
                continue
            times = [turn.deadline for turn in self._turns.values() if not turn.ended and turn.deadline is not None]
            times += [self._agenda[0][0]] if self._agenda else []
            if not times or min(times) > end:
                self._now = end if times else self._now
                return until()
            self._now = max(self._now, min(times))
            while self._agenda and self._agenda[0][0] <= self._now:
                heapq.heappop(self._agenda)[2]()
        return True

    def _step(self) -> bool:
        """One turn for each board that has reason to run; False when all of them wait."""
        ran = False
        for host, turn in list(self._turns.items()):
            due = turn.deadline is not None and turn.deadline <= self._now
            if turn.ended or turn.waiting and not due and not host.ready():
                continue
            turn.waiting, turn.deadline = False, None
            turn.go.release()
            self._back.acquire()
            ran = True
        return ran
