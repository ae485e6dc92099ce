"""An engine of the chip that others use too: taken when it is free, proven ours, and left clean. For `mpi` and `ecc`.

ESP-IDF's own users (TLS, WPA3, pairing) hold a lock that Python cannot reach. Each of their operations is: clock on,
reset, operate, clock off. So the clock bit tells whether one of them is inside, and the marks, registers with values
that only we write, whether one of them came while we were. Somebody else's operation is never cut off: it would wait
for ever for an end that does not come. Nothing here waits without a limit, and no clock is read.

A `registers` object reaches the chip; all addresses are multiples of 4, all words little endian:
    read(address) -> int            write(address, value)
    load(address, words) -> bytearray of 4 * words      store(address, data): a whole bytearray of 4 * n bytes
A `guard` object is what the board lends:
    lock                            acquire(0) -> bool, release(): shared with the TLS handshakes of the same program
    may_use() -> bool               False while Wi-Fi associates
    pause()                         about a millisecond for everybody else
    begin() -> state, end(state)    interrupts masked, for microseconds: the clock registers belong to many drivers
    report(code)                    a fault below, after which the caller computes in software
"""

REFUSED = 1  # Wi-Fi associates, or our own TLS is at it
BUSY = 2  # somebody else's operation did not end, or a dead program left the clock on
NO_CLOCK = 3  # the clock bit does not stay set
NO_CLEAN = 4  # memory was not zeroed after the reset
NOT_LOADED = 5  # operands read back differ from those written
NOT_DONE = 6
LOST = 7  # somebody else came in between
WRONG = 8  # the result failed its proof

_ATTEMPTS = 2
_CLEAN_READS = 50  # it takes 1.3 microseconds
_BUSY_PAUSES = 2_000  # ESP-IDF gives its longest operation two seconds
_WRITES = 3


class Fault(Exception):
    """args[0] is one of the codes above."""


class Block:
    """`power` is a row of `chips`. `lax` is for emulators that model neither clock gates nor reading back."""

    def __init__(self, base, power, registers, guard, lax):
        self.base = base
        self.registers = registers
        self.lax = lax
        self.marks = ()  # (address, mask, value)
        self._guard = guard
        self._wiring = power

    def run(self, job):
        """What job() returns with the engine on and reset; None when it could not be trusted, the reason reported."""
        guard = self._guard
        if not guard.may_use() or not guard.lock.acquire(0):
            guard.report(REFUSED)
            return None
        try:
            for _ in range(_ATTEMPTS):
                try:
                    return self._once(job)
                except Fault as fault:
                    code = fault.args[0]
                    if code in (BUSY, NOT_DONE):  # no use in waiting once more
                        break
            guard.report(code)
            return None
        finally:
            guard.lock.release()

    def reclaim(self):
        """Switch off what a program left on that was stopped in mid-operation. At power-on, before Wi-Fi is up."""
        self._off()

    def wait(self, address, pauses):
        """Until bit 0 is set there. Raises Fault(NOT_DONE), or Fault(LOST) as soon as somebody else is seen."""
        for _ in range(pauses):
            if self.registers.read(address) & 1:
                return
            self.check()
            self._guard.pause()
        raise Fault(NOT_DONE)

    def store(self, address, data):
        """Write words and read them back."""
        self.check()
        self.registers.store(address, data)
        if not self.lax and self.registers.load(address, len(data) // 4) != data:
            raise Fault(NOT_LOADED)

    def set(self, address, value):
        """Write one word and read it back."""
        self.registers.write(address, value)
        if not self.lax and self.registers.read(address) != value:
            raise Fault(NOT_LOADED)

    def claim(self, address, value):
        """Write one word that is our mark from then on, unless the engine is somebody else's already."""

        def action():
            self.check()
            self.set(address, value)
            self.marks = ((address, 0xFFFFFFFF, value),)

        self._critical(action)

    def start(self, *writes):
        """Write (address, value) pairs that begin an operation, in our own data and not in somebody else's."""

        def action():
            self.check()
            for address, value in writes:
                self.registers.write(address, value)

        self._critical(action)

    def check(self):
        """Raises Fault(LOST) unless the engine has been ours all along."""
        if not self._ours():
            raise Fault(LOST)

    # An engine adds: `_mark`, right after a reset; `_ready`, before its use; `_wipe`, after it.

    def _once(self, job):
        for _ in range(_BUSY_PAUSES):
            if not self._clocked() or self.lax:
                break
            self._guard.pause()
        code = self._critical(self._on)
        if code == BUSY:
            raise Fault(BUSY)
        try:
            if code:
                raise Fault(code)
            self._ready()
            return job()
        finally:
            self._leave()

    def _critical(self, action):
        state = self._guard.begin()
        try:
            return action()
        finally:
            self._guard.end(state)

    def _on(self):
        """0, or a code."""
        if self._clocked() and not self.lax:
            return BUSY
        return self._take()

    def _take(self):
        system, clock, bit, _, _, _, memory = self._wiring
        self._change(system + clock, 1 << bit, 1 << bit)
        if memory:
            self._change(system + memory, 5, 0)
        self._pulse()
        return 0 if self.lax or self._clocked() else NO_CLOCK

    def _pulse(self):
        """Reset, which stops the engine and zeroes its memory."""
        system, _, _, reset, bit, others, _ = self._wiring
        self._change(system + reset, 1 << bit, 1 << bit)
        self._change(system + reset, 1 << bit, 0)
        for offset, mask in others:
            self._change(system + offset, mask, 0)
        self._mark()

    def _off(self):
        system, clock, bit, _, _, _, memory = self._wiring
        self._change(system + clock, 1 << bit, 0)
        if memory:
            self._change(system + memory, 3, 1)

    def _change(self, address, mask, bits):
        """Some bits of a register shared with other drivers; again when the write was lost."""
        registers = self.registers
        for _ in range(_WRITES):
            value = registers.read(address)
            registers.write(address, value & ~mask | bits)
            if self.lax or registers.read(address) & mask == bits:
                break

    def _clocked(self):
        system, clock, bit = self._wiring[:3]
        return self.registers.read(system + clock) >> bit & 1

    def _ours(self):
        if self.lax:
            return True
        if not self._clocked():
            return False
        for address, mask, value in self.marks:
            if self.registers.read(address) & mask != value:
                return False
        return True

    def _if_ours(self, action):
        if self._ours():
            action()
            return True
        return False

    def _leave(self):
        """One of three: ours, then stop, wipe and switch off; somebody else's, then it is his to end; or abandoned."""
        entries = _WRITES
        for _ in range(_BUSY_PAUSES):
            ours = self._critical(lambda: self._if_ours(self._pulse))
            if not ours and not self._clocked():  # switched off under us: our operands are still in there
                if not entries:
                    return
                entries -= 1
                ours = not self._critical(self._on)
            if not ours:
                self._guard.pause()
                continue
            self._wipe()
            if self._critical(lambda: self._if_ours(self._off)):
                return
        self._critical(self._take)
        self._wipe()
        self._critical(self._off)

    def _clean(self, address):
        """Until the engine says that its memory is zeroed."""
        for _ in range(_CLEAN_READS):
            if self.registers.read(address) & 1:
                return True
        return False
