"""What can happen to an engine between any two of our accesses. Each is a class (silicon, index, rng) -> fault hook."""

from tests.hardware import mpi_model


class Once:
    """Happens before access number `index`. `owner`: somebody else's operation, under way until `over` accesses."""

    interrupts = True  # made by somebody else, so it may come from an interrupt or another core

    def __init__(self, silicon, index):
        self.silicon, self.index = silicon, index
        self.engine = silicon.engines[0]
        self.last = 0

    def __call__(self, index, write, address, value):
        if index == self.index:
            self.happen()
        return value if write else None

    def happen(self):
        raise NotImplementedError

    def wire(self, address, mask, bits):
        registers = self.silicon.system.registers
        self.silicon.system.write(address, registers[address] & ~mask | bits)

    def switch_on(self):
        """The sequence of ESP-IDF."""
        engine = self.engine
        self.wire(engine.clock[0], 1 << engine.clock[1], 1 << engine.clock[1])
        if engine.power_address:
            self.wire(engine.power_address, 5, 0)
        for address, mask in engine.holds:
            self.wire(address, mask, mask)
            self.wire(address, mask, 0)

    def switch_off(self):
        engine = self.engine
        self.wire(engine.clock[0], 1 << engine.clock[1], 0)
        if engine.power_address:
            self.wire(engine.power_address, 3, 1)


class Cleared(Once):
    def happen(self):
        self.engine.words.clear()


class Stopped(Once):
    def happen(self):
        self.wire(self.engine.clock[0], 1 << self.engine.clock[1], 0)


class Unpowered(Once):
    def happen(self):
        self.switch_off()


class Reset(Once):
    def happen(self):
        for address, mask in self.engine.holds:
            self.wire(address, mask, mask)
            self.wire(address, mask, 0)


class Whole(Once):
    """Somebody's whole operation, from switching on to switching off."""

    def happen(self):
        self.switch_on()
        self.engine.cleaning = 0
        self.engine.put(mpi_model.Z, 0x1234567, 16)
        self.switch_off()


class Started(Once):
    """Somebody starts an operation on what is loaded."""

    starts = ((0x808, 0x80C), (0x810, 0x810))
    which = 0

    def happen(self):
        self.engine.write(self.starts[self.which][not self.engine.first], 1)


class Multiplied(Started):
    which = 1


class Inside(Once):
    """Somebody begins an operation of his own, and ends it `LENGTH` accesses later. He must be left to it."""

    LENGTH = 400

    def __init__(self, silicon, index):
        super().__init__(silicon, index)
        self.until = None
        self.cut_at = None

    def __call__(self, index, write, address, value):
        if self.until is not None and self.cut_at is None and index < self.until and not self.engine.usable:
            self.cut_at = index
        if index == self.index:
            self.happen()
            self.until = index + self.LENGTH
        if index == self.until:
            self.switch_off()
        return value if write else None

    def happen(self):
        self.switch_on()
        self.engine.cleaning = 0
        self.engine.registers[0x800] = 0xABCDEF01
        self.engine.put(mpi_model.M, 0x1234567, 16)


class Lost(Once):
    """The write is lost, as two cores of an ESP32 can make it."""

    interrupts = False

    def __call__(self, index, write, address, value):
        return None if index == self.index or not write else value


class Twice(Once):
    interrupts = False

    def __call__(self, index, write, address, value):
        if write:
            return [value, value] if index == self.index else value
        return None


class Misread(Once):
    """A read gives what another address holds."""

    interrupts = False

    def __call__(self, index, write, address, value):
        if write:
            self.last = value
            return value
        return self.last if index == self.index else None


class NeverDone(Once):
    def happen(self):
        self.engine.fail.add("done")


class NeverClean(Once):
    def happen(self):
        self.engine.fail.add("clean")


class StuckOff(Once):
    level = 0

    def happen(self):
        address, bit = self.engine.clock
        self.silicon.system.stick(address, 1 << bit, self.level << bit)


class StuckOn(StuckOff):
    level = 1


EACH = (
    *(Cleared, Stopped, Unpowered, Reset, Whole, Started, Multiplied, Inside, Lost, Twice, Misread),
    *(NeverDone, NeverClean, StuckOff, StuckOn),
)
