"""The ECC point engine of each chip, with the strictness of `mpi_model`: P-256 only, modes 0, 2 and 3."""

import functools

from tests.hardware.mpi_model import WORD, Engine

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

# engine base, bytes of a slot, slots, bits of CONF: curve, work mode, its mask, verified; clock, holds, memory power
CHIPS = {
    "esp32c2": (0x6003E000, 32, 3, 2, 5, 7, 8, (0x600C0014, 6), ((0x600C001C, 0x40),), None),
    "esp32c6": (0x6008B000, 32, 3, 2, 5, 7, 8, (0x600960D8, 0), ((0x600960D8, 2),), 0x600960DC),
    "esp32h2": (0x6008B000, 32, 6, 2, 4, 15, 29, (0x600960D4, 0), ((0x600960D4, 2), (0x600960E4, 2)), 0x600960D8),
    "esp32c5": (0x6008B000, 48, 6, 2, 5, 15, 29, (0x600960DC, 0), ((0x600960DC, 2), (0x600960EC, 2)), 0x600960E0),
    "esp32p4": (0x50093000, 32, 6, 2, 4, 15, 29, (0x500E60A8, 16), ((0x500E60C8, 0x504000),), None),
}


def _add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0] and (p[1] + q[1]) % P == 0:
        return None
    if p == q:
        slope = (3 * p[0] * p[0] - 3) * pow(2 * p[1], -1, P) % P
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P) % P
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


@functools.lru_cache(maxsize=256)
def multiply(scalar, x, y):
    """Coordinates of scalar * (x, y), (0, 0) for infinity; without a check whether the point is on the curve."""
    result, power = None, (x % P, y % P)
    try:
        while scalar:
            if scalar & 1:
                result = _add(result, power)
            power = _add(power, power)
            scalar >>= 1
    except ValueError:  # a nonsense point with nothing to divide by
        result = None
    return result or (0, 0)


class Ecc(Engine):
    def __init__(self, system, chip):
        base, self.slot, self.slots, self.curve, self.mode, self.mode_mask, self.verified, *wires = CHIPS[chip]
        super().__init__(system, base, *wires)
        self.conf = self.raw = 0

    def reset(self):
        """Registers only: nothing is known of this engine zeroing its memory."""
        self.running = None
        self.conf = self.raw = 0

    def _in_memory(self, offset):
        return 0x100 <= offset < 0x100 + self.slot * self.slots

    def read(self, offset):
        if not self.usable:
            return self.noise(offset)
        if self._in_memory(offset):
            return self.words.get(offset, 0)
        return {0x0C: self.raw, 0x1C: self.conf}.get(offset, 0)

    def write(self, offset, value):
        if not self.usable:
            self.misuses += 1
        elif self._in_memory(offset):
            self.words[offset] = value
        elif offset == 0x18:
            self.raw &= ~value
        elif offset == 0x1C:
            result = 1 << self.verified
            self.conf = value & ~result & ~2 | self.conf & result
            if value & 2:
                self.reset()
            elif value & 1:
                self.running, self.ticks = self._operate, 4

    def _slot(self, at):
        start = 0x100 + at * self.slot
        return sum(self.words.get(start + 4 * i, 0) << 32 * i for i in range(8))

    def put(self, at, value):
        for i in range(8):
            self.words[0x100 + at * self.slot + 4 * i] = value >> 32 * i & WORD

    def _operate(self):
        k, x, y = self._slot(0), self._slot(1), self._slot(2)
        mode = self.conf >> self.mode & self.mode_mask
        good = x < P and y < P and (y * y - x * x * x + 3 * x - B) % P == 0
        self.conf &= ~1 & ~(1 << self.verified)
        self.raw = 1
        if mode in (2, 3) and good:
            self.conf |= 1 << self.verified
        if self.conf >> self.curve & 1 and (mode == 0 or mode == 3 and good):
            x, y = multiply(k, x, y)
            self.put(1, x)
            self.put(2, y)
