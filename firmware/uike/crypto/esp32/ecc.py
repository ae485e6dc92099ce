"""Points of P-256 on the chip's elliptic curve engine, for ECDH and ECDSA (RFC 5903, FIPS 186-5). C6 and newer.

A point is checked before it goes in: a multiple of a point of another curve tells the scalar. What comes out is used
only when the negated scalar gives its mirror image in a second run, and both lie on the curve.
"""

from uike.crypto import wipe
from uike.crypto.esp32.block import NOT_LOADED, WRONG, Block, Fault
from uike.crypto.esp32.chips import ECC

_DONE = 0x0C
_INTERRUPT = 0x14
_CLEAR = 0x18
_CONF = 0x1C
_SLOTS = 0x100  # K, PX, PY

_START = 1
_VERIFY_AND_MULTIPLY = 3
_BYTES = 32
_PAUSES = 200  # milliseconds; the slowest known takes 14, and half as long again in constant time

_P = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def on_curve(x, y):
    """Whether (x, y) are reduced coordinates of a point other than infinity."""
    return 0 <= x < _P and 0 <= y < _P and not (y * y + 3 * x - x * x * x - _B) % _P


class Ecc(Block):
    """See `block` for registers, guard and lax."""

    def __init__(self, chip, registers, guard, lax=False):
        """`chip` is a key of chips.ECC; KeyError when it has no such engine."""
        base, self._slot, self._slots, curve, mode, constant, verified, always, power = ECC[chip]
        Block.__init__(self, base, power, registers, guard, lax)
        # "Clock always on" changes nothing for us. Nobody else sets it, which makes it our mark.
        self._conf = 1 << curve | _VERIFY_AND_MULTIPLY << mode | 1 << always | (1 << constant if constant else 0)
        self._verified = verified

    def multiply(self, scalar, x, y):
        """Coordinates of scalar * (x, y) as integers, or None: compute it in software.

        ValueError unless 0 < scalar < the order of the curve and (x, y) is a point of it.
        """
        if not 0 < scalar < _N or not on_curve(x, y):
            raise ValueError("public value")

        def job():
            result = self._multiply(scalar, x, y)
            mirror = self._multiply(_N - scalar, x, y)
            if not on_curve(*result) or result[0] != mirror[0] or result[1] + mirror[1] != _P:
                raise Fault(WRONG)
            return result

        return self.run(job)

    def _mark(self):
        self.registers.write(self.base + _CONF, self._conf)
        self.marks = ((self.base + _CONF, self._conf, self._conf),)

    def _ready(self):
        self.registers.write(self.base + _INTERRUPT, 0)
        self._zero(self._slots)

    def _wipe(self):
        self._zero(3)

    def _zero(self, slots):
        zeros = bytearray(self._slot * slots)
        for _ in range(2):
            self.registers.store(self.base + _SLOTS, zeros)
            if self.lax or self.registers.load(self.base + _SLOTS, len(zeros) // 4) == zeros:
                break

    def _multiply(self, scalar, x, y):
        base = self.base
        for at, value in enumerate((scalar, x, y)):
            data = bytearray(value.to_bytes(_BYTES, "little"))
            try:
                self.store(base + _SLOTS + at * self._slot, data)
            finally:
                wipe(data)
        self.start((base + _CLEAR, 1), (base + _CONF, self._conf | _START))
        self.wait(base + _DONE, _PAUSES)
        self.check()
        if not self.lax and not self.registers.read(base + _CONF) >> self._verified & 1:
            raise Fault(NOT_LOADED)
        return self._coordinate(1), self._coordinate(2)

    def _coordinate(self, at):
        data = self.registers.load(self.base + _SLOTS + at * self._slot, _BYTES // 4)
        value = int.from_bytes(data, "little")
        wipe(data)
        return value
