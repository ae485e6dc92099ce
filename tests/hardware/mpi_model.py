"""The MPI engine of each chip, register by register and at least as strict as silicon.

Written from the register descriptions alone, with addresses of its own, so that a slip in the driver's table shows.
Without clock, in reset or without power it reads as noise and forgets what is written. M' and R**2 mod M enter the
arithmetic as they stand: a wrong one gives a wrong number. An operation takes some accesses to finish and works on
what the memory holds by then; memory is zeroed some accesses after a reset, and cannot be used before.
"""

import functools

WORD = 0xFFFFFFFF
M, Z, Y, X = 0x000, 0x200, 0x400, 0x600

# engine base, words, clock (address, bit), bits that hold it in reset (address, mask), memory power address
CHIPS = {
    "esp32": (0x3FF02000, 128, (0x3FF0001C, 2), ((0x3FF00020, 0x14),), 0x3FF00490),
    "esp32s2": (0x6003C000, 128, (0x3F4C0044, 3), ((0x3F4C004C, 0x18),), 0x3F4C0068),
    "esp32s3": (0x6003C000, 128, (0x600C001C, 3), ((0x600C0024, 0x18),), 0x600C0040),
    "esp32c3": (0x6003C000, 96, (0x600C0014, 3), ((0x600C001C, 0x18),), 0x600C0038),
    "esp32c6": (0x6008A000, 96, (0x600960D0, 0), ((0x600960D0, 2), (0x600960E0, 2)), 0x600960D4),
    "esp32h2": (0x6008A000, 96, (0x600960CC, 0), ((0x600960CC, 2), (0x600960DC, 2), (0x600960E4, 2)), 0x600960D0),
    "esp32c5": (0x6008A000, 96, (0x600960D4, 0), ((0x600960D4, 2), (0x600960E4, 2), (0x600960EC, 2)), 0x600960D8),
    "esp32p4": (0x50092000, 128, (0x500E60A8, 18), ((0x500E60C8, 0x324000),), None),
}
CLEAN_TICKS, RUN_TICKS = 3, 4


def montgomery(a, b, m, prime, words):
    """a * b / 2**(32 * words) modulo m, word by word with the M' given, as the engine does it."""
    total = 0
    for i in range(words):
        total += (a >> 32 * i & WORD) * b
        total += (total * prime & WORD) * m
        total >>= 32
    if total >= m:
        total -= m
    return total & (1 << 32 * words) - 1


def sound(m, prime, square, words):
    """Whether the constants belong to an odd modulus: then, and only then, plain arithmetic gives the same."""
    return m & 1 and m > 1 and m * prime & WORD == WORD and square == (1 << 64 * words) % m


@functools.lru_cache(maxsize=256)
def power(x, y, m, prime, square, words, bits):
    """x ** y as the engine has it: from the top one of `bits` bits down."""
    if sound(m, prime, square, words) and y >> bits == 0:
        return pow(x, y, m)
    return power_by_words(x, y, m, prime, square, words, bits)


def power_by_words(x, y, m, prime, square, words, bits):
    base = montgomery(x, square, m, prime, words)
    result = montgomery(1, square, m, prime, words)
    for i in range(bits - 1, -1, -1):
        result = montgomery(result, result, m, prime, words)
        if y >> i & 1:
            result = montgomery(result, base, m, prime, words)
    return montgomery(1, result, m, prime, words)


@functools.lru_cache(maxsize=256)
def product(x, y, m, prime, square, words):
    return montgomery(montgomery(x, square, m, prime, words), y, m, prime, words)


class System:
    """Clock, reset and power registers, shared by the engines that ask for a place in it."""

    def __init__(self):
        self.registers = {}
        self.stuck = {}  # address: (mask, value)
        self.engines = []

    def read(self, address):
        mask, value = self.stuck.get(address, (0, 0))
        return self.registers[address] & ~mask | value

    def write(self, address, value):
        self.registers[address] = value & WORD
        for engine in self.engines:
            engine.rewired()

    def stick(self, address, mask, value):
        """From now on these bits read as `value`, whatever is written."""
        self.stuck[address] = (mask, value)
        for engine in self.engines:
            engine.rewired()


class Engine:
    """What both engines have in common: clock, reset, power, memory and an operation under way."""

    def __init__(self, system, base, clock, holds, power_address):
        self.system, self.base = system, base
        self.clock, self.holds, self.power_address = clock, holds, power_address
        self.usable = False
        self.words = {}  # offset: value
        self.running = None
        self.ticks = 0
        self.misuses = 0  # accesses without clock, in reset, without power or before the memory is clean
        self.fail = set()  # "done", "clean": what never comes
        for address, mask in ((clock[0], 0), *holds, *(((power_address, 1),) if power_address else ())):
            system.registers[address] = system.registers.get(address, 0) | mask
        system.engines.append(self)

    def held(self):
        return any(self.system.read(address) & mask for address, mask in self.holds)

    def powered(self):
        power = self.system.read(self.power_address) if self.power_address else 0
        return power & 2 or not power & 5

    def clocked(self):
        return self.system.read(self.clock[0]) >> self.clock[1] & 1

    def rewired(self):
        """A write to the system registers: reset zeroes, power-down forgets."""
        self.usable = bool(self.clocked() and not self.held() and self.powered())
        if self.held() or not self.powered():
            self.reset()

    def tick(self):
        """One access goes by."""
        if self.running and self.usable:
            self.ticks -= 1
            if self.ticks <= 0 and "done" not in self.fail:
                operation, self.running = self.running, None
                operation()

    def noise(self, offset):
        self.misuses += 1
        return (offset * 0x9E3779B1 ^ 0x5EED0BAD) & WORD | 1


class Mpi(Engine):
    def __init__(self, system, chip):
        base, self.size, clock, holds, power_address = CHIPS[chip]
        self.first = chip == "esp32"
        super().__init__(system, base, clock, holds, power_address)
        self.reset()

    def reset(self):
        self.words.clear()
        self.running = None
        self.cleaning = CLEAN_TICKS
        self.registers = {0x804: 0, 0x80C: 0, 0x800: 0, 0x820: 1, 0x824: 0, 0x828: 0, 0x82C: 1}
        self.flag = 0

    def tick(self):
        if self.cleaning and self.usable and "clean" not in self.fail:
            self.cleaning -= 1
        super().tick()

    def _in_memory(self, offset):
        return offset < 0x800 and offset % 0x200 < 4 * self.size

    def read(self, offset):
        if not self.usable or self.cleaning and self._in_memory(offset):
            return self.noise(offset)
        if self._in_memory(offset):
            return self.words.get(offset, 0)
        done, clean = (0x814, 0x818) if self.first else (0x818, 0x808)
        if offset == done:
            return self.flag if self.first else int(not self.running)
        if offset == clean:
            return int(not self.cleaning)
        return self.registers.get(offset, 0)

    def write(self, offset, value):
        if not self.usable or self.cleaning and self._in_memory(offset):
            self.misuses += 1
        elif self._in_memory(offset):
            self.words[offset] = value
        elif offset == (0x814 if self.first else 0x81C):
            self.flag &= ~value
        elif (self.first, offset) in self._STARTS:
            if value & 1:
                self._start(getattr(self, self._STARTS[self.first, offset]))
        elif offset in self.registers:
            self.registers[offset] = value

    _STARTS = {
        (True, 0x808): "_exponentiate",
        (True, 0x810): "_pass",
        (False, 0x80C): "_exponentiate",
        (False, 0x810): "_modular",
        (False, 0x814): "_plain",
    }

    def _start(self, operation):
        def finish():
            operation()
            self.flag = 1

        self.running, self.ticks = finish, RUN_TICKS

    def number(self, block, words, at=0):
        return sum(self.words.get(block + 4 * (at + i), 0) << 32 * i for i in range(words))

    def put(self, block, value, words):
        for i in range(words):
            self.words[block + 4 * i] = value >> 32 * i & WORD

    def _length(self, mode):
        words = (self.registers[mode] + 1) * (16 if self.first else 1)
        return words if words <= self.size else 0

    def _constants(self, words):
        return self.number(M, words), self.registers[0x800]

    def _exponentiate(self):
        words = self._length(0x804)
        m, prime = self._constants(words)
        bits = 32 * words
        if not self.first and self.registers[0x824]:
            bits = (self.registers[0x828] & 0xFFF) + 1
        x, y, square = self.number(X, words), self.number(Y, words), self.number(Z, words)
        result = power(x, y & (1 << bits) - 1, m, prime, square, words, bits)
        self.put(Z, result, words)
        self.put(X, result ^ x, words)  # its scratch pad

    def _modular(self):
        words = self._length(0x804)
        m, prime = self._constants(words)
        result = product(self.number(X, words), self.number(Y, words), m, prime, self.number(Z, words), words)
        self.put(Z, result, words)
        self.put(X, result ^ 0xA5, words)

    def _pass(self):
        """The ESP32's one pass; modes 9, 11, 13 and 15 are plain products."""
        if self.registers[0x80C] >= 8:
            self._multiply_plainly((self.registers[0x80C] - 7) * 16)
            return
        words = self._length(0x80C)
        m, prime = self._constants(words)
        self.put(Z, montgomery(self.number(X, words), self.number(Z, words), m, prime, words), words)

    def _plain(self):
        self._multiply_plainly(self.registers[0x804] + 1)

    def _multiply_plainly(self, words):
        """Z becomes X times the upper half of Z, plus what its lower half holds: that is why it has to be zero."""
        if words > self.size or words % 2:
            return
        half = words // 2
        low = self.number(Z, half)
        self.put(Z, self.number(X, half) * self.number(Z, half, half) + low, words)


class Silicon:
    """A chip: its system registers and engines on one bus, and a count of accesses.

    `fault(index, write, address, value)` is asked before each access and may change the chip; it returns the value to
    write, None to lose the write, or a list to write each; for a read its return value, unless None, is read instead.
    """

    def __init__(self, *engines):
        """`engines`: (class, chip) pairs; they are attributes `mpi` and `ecc` afterwards."""
        self.system = System()
        self.accesses = 0
        self.fault = None
        self.engines = []
        for kind, chip in engines:
            engine = kind(self.system, chip)
            setattr(self, kind.__name__.lower(), engine)
            self.engines.append(engine)

    def _engine(self, address):
        assert address % 4 == 0
        for engine in self.engines:
            if engine.base <= address < engine.base + 0x1000:
                return engine
        raise AssertionError(f"no register at 0x{address:08X}")

    def _tick(self):
        self.accesses += 1
        for engine in self.engines:
            engine.tick()

    def read(self, address):
        index = self.accesses
        self._tick()
        if self.fault:
            value = self.fault(index, False, address, 0)
            if value is not None:
                return value
        if address in self.system.registers:
            return self.system.read(address)
        engine = self._engine(address)
        return engine.read(address - engine.base)

    def write(self, address, value):
        assert 0 <= value <= WORD
        index = self.accesses
        self._tick()
        values = [value]
        if self.fault:
            changed = self.fault(index, True, address, value)
            values = changed if isinstance(changed, list) else [] if changed is None else [changed]
        for value in values:
            if address in self.system.registers:
                self.system.write(address, value)
            else:
                engine = self._engine(address)
                engine.write(address - engine.base, value)

    def load(self, address, words):
        return bytearray(b"".join(self.read(address + 4 * i).to_bytes(4, "little") for i in range(words)))

    def store(self, address, data):
        assert isinstance(data, bytearray) and len(data) % 4 == 0
        for i in range(0, len(data), 4):
            self.write(address + i, int.from_bytes(data[i : i + 4], "little"))
