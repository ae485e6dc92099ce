"""Modular powers and products on the chip's big-number engine: MODP groups 14 to 16 and RSA. Loaded while one runs.

The engine multiplies after Montgomery: it wants M' = -1/M mod 2**32 and R**2 mod M with R = 2**(32 * words), and gives
a wrong number without a word when anything was wrong. So no result leaves here without a proof. Where there is room
for one more word, the modulus is made longer by a 32-bit prime: what the engine gives must then agree, modulo that
prime, with what we compute ourselves in microseconds, and its remainder modulo M is the answer (Shamir 1997). At full
length the operation is done a second time with the negated base, by an engine that has passed the first kind of proof.

On the ESP32 operands grow in steps of 16 words, each power takes the same time whatever the exponent, and a modular
product is two passes. The others take any number of words, may begin at the exponent's top bit, and are constant in
time unless told otherwise, which they are only for a public exponent.
"""

from uike.crypto import wipe
from uike.crypto.esp32.block import NO_CLEAN, WRONG, Block, Fault
from uike.crypto.esp32.chips import MPI

_M = 0x000
_Z = 0x200
_Y = 0x400
_X = 0x600
_M_PRIME = 0x800
_CONSTANT_TIME = 0x820
_SEARCH = 0x824
_SEARCH_POSITION = 0x828
_INTERRUPT = 0x82C

# mode of a power and of a product, start of each, done, clear done, clean
_REGISTERS_ESP32 = (0x804, 0x80C, 0x808, 0x810, 0x814, 0x814, 0x818)
_REGISTERS = (0x804, 0x804, 0x80C, 0x810, 0x818, 0x81C, 0x808)

_WORD = 0xFFFFFFFF
_MARK = 0x75696B65
_PRIME = (1 << 32) - 5
_TRIAL = (1 << 127) - 1
_MODULI = 2  # constants kept: both primes of an RSA key
_PRODUCT_BYTES_MIN = 64  # below that the software is faster than the loading


def m_prime(modulus):
    """-1 / modulus modulo 2**32, for an odd modulus (Newton: each step doubles the right bits)."""
    inverse = modulus & _WORD
    for _ in range(4):
        inverse = inverse * (2 - modulus * inverse) & _WORD
    return -inverse & _WORD


def _lifted(value, found):
    """value modulo the modulus, by a representative that is not 0 modulo the prime: a reset leaves a proof of 0."""
    modulus, _, wide = found[:3]
    value %= modulus
    return value if wide == modulus or value % _PRIME else value + modulus


class Mpi(Block):
    """`random(n)` hides the exponent from the time of the proof. See `block` for registers, guard and lax."""

    def __init__(self, chip, registers, guard, random, lax=False):
        """`chip` is a key of chips.MPI; KeyError when it has no such engine."""
        base, self.words_max, self._step, self._rate, power = MPI[chip]
        Block.__init__(self, base, power, registers, guard, lax)
        self._registers = _REGISTERS_ESP32 if self._step > 1 else _REGISTERS
        self._random = random
        self._moduli = []
        self._used = 0  # words of each block
        self._passed = False  # the proof with a prime, so constants and registers are as we think

    def power(self, base, exponent, modulus, size, bits=0, public=False, verify=None):
        """base ** exponent modulo an odd modulus of `size` bytes as an integer, or None: compute it in software.

        `bits`: the exponent is known to be below 2**bits; 0 when its length is a secret. `public`: so is all of it.
        `verify(result) -> bool` replaces our own proof, where the caller has a better one (a public exponent).
        """
        if exponent <= 0:
            return None
        if public:
            bits = len(bin(exponent)) - 2
        found = self._constants(modulus, size, not verify)
        if not found or bits > 32 * found[1] or bits and exponent >> bits:
            return None
        base = _lifted(base, found)
        expected = None if found[2] == modulus else self._residue(base, exponent)

        def operate(x):
            return self._power(x, exponent, bits, public, found)

        return self._proven(operate, base, found, exponent & 1, expected, verify)

    def multiply(self, a, b, modulus, size):
        """a * b modulo an odd modulus of `size` bytes, or None: compute it in software."""
        found = self._constants(modulus, size, True)
        if size < _PRODUCT_BYTES_MIN or not found:
            return None
        a, b = _lifted(a, found), _lifted(b, found)
        expected = None if found[2] == modulus else a % _PRIME * (b % _PRIME) % _PRIME
        return self._proven(lambda x: self._multiply(x, b, found), a, found, 1, expected, None)

    def forget(self):
        """Drop the constants of the moduli seen: those of an RSA key tell its primes."""
        self._moduli = []

    # Constants and proofs

    def _constants(self, modulus, size, widen):
        """(modulus, words, modulus of the engine, M', R**2, widen), or None when it does not fit or is even."""
        for found in self._moduli:
            if found[0] == modulus and found[5] == widen:
                return found
        step = self._step
        wide, words = modulus * _PRIME, (size + 4 + 4 * step - 1) // (4 * step) * step
        if not widen or words > self.words_max:
            wide, words = modulus, (size + 4 * step - 1) // (4 * step) * step
        if words > self.words_max or modulus < 3 or not modulus & 1 or modulus >> 8 * size:
            return None
        square = bytearray(((1 << 64 * words) % wide).to_bytes(4 * words, "little"))
        found = (modulus, words, wide, m_prime(wide), square, widen)
        self._moduli = [found] + self._moduli[: _MODULI - 1]
        return found

    def _residue(self, base, exponent):
        """base ** exponent modulo the prime. The exponent is split at random, for `pow` is not constant in time."""
        exponent = exponent % (_PRIME - 1) + _PRIME - 1
        part = int.from_bytes(self._random(4), "little") % exponent
        base %= _PRIME
        return pow(base, part, _PRIME) * pow(base, exponent - part, _PRIME) % _PRIME

    def _proven(self, operate, x, found, odd, expected, verify):
        """operate(x) modulo the modulus, or None. `expected`: its residue, or None when there is no room for one."""
        modulus = found[0]
        if expected is None and not verify and not self._passed and self.power(3, _PRIME, _TRIAL, 16, 32) is None:
            return None

        def job():
            result = operate(x)
            if not result:
                good = False  # what a reset leaves; where it is true, software may say so
            elif expected is not None:
                good = result % _PRIME == expected
            elif verify:
                good = verify(result % modulus)
            else:
                again = operate(modulus - x)
                good = (result + again if odd else result - again) % modulus == 0
            if not good:
                raise Fault(WRONG)
            self._passed = self._passed or expected is not None
            return result % modulus

        return self.run(job)

    # The engine

    def _mark(self):
        self.registers.write(self.base + _M_PRIME, _MARK)
        self.marks = ((self.base + _M_PRIME, _WORD, _MARK),)

    def _ready(self):
        if not self._clean(self.base + self._registers[6]):
            raise Fault(NO_CLEAN)
        if self._step == 1:
            self.registers.write(self.base + _INTERRUPT, 0)

    def _wipe(self):
        """After a reset: see that it has zeroed the exponent, the base and the result, else do it."""
        self._clean(self.base + self._registers[6])
        zeros = bytearray(4 * self._used)
        for block in (_X, _Y, _Z):
            if not self.lax and self.registers.load(self.base + block, self._used) != zeros:
                self.registers.store(self.base + block, zeros)

    def _begin(self, found, mode, words_mode):
        """Everything but the factors. The marks are then the modulus and what belongs to it."""
        _, words, wide, prime, square, _ = found
        base = self.base
        self._used = words
        self.claim(base + _M_PRIME, prime)
        self.set(base + mode, words_mode)
        data = bytearray(wide.to_bytes(4 * words, "little"))
        self.store(base + _M, data)
        self.marks += ((base + _M, _WORD, wide & _WORD),)
        wipe(data)
        self.store(base + _Z, square)

    def _factor(self, block, value, words):
        data = bytearray(value.to_bytes(4 * words, "little"))
        try:
            self.store(self.base + block, data)
        finally:
            wipe(data)

    def _start(self, start, words, products):
        """Start and wait: twice as long as `products` Montgomery products take, and 50 milliseconds."""
        base, (_, _, _, _, done, clear, _) = self.base, self._registers
        self.start((base + clear, 1), (base + start, 1))
        self.wait(base + done, 50 + products * words * words // (500 * self._rate))
        self.registers.write(base + clear, 1)

    def _result(self, words):
        data = self.registers.load(self.base + _Z, words)
        self.check()
        result = int.from_bytes(data, "little")
        wipe(data)
        return result

    def _length(self, words):
        return words // self._step - 1

    def _power(self, x, exponent, bits, public, found):
        words, base = found[1], self.base
        mode, _, start = self._registers[:3]
        self._begin(found, mode, self._length(words))
        self._factor(_X, x, words)
        self._factor(_Y, exponent, words)
        if self._step == 1:
            self.set(base + _CONSTANT_TIME, 0 if public else 1)
            self.set(base + _SEARCH, 1 if bits else 0)
            self.set(base + _SEARCH_POSITION, bits - 1 if bits else 0)
        self._start(start, words, 2 * (bits if bits and self._step == 1 else 32 * words))
        return self._result(words)

    def _multiply(self, x, y, found):
        words = found[1]
        _, mode, _, start = self._registers[:4]
        self._begin(found, mode, self._length(words))
        self._factor(_X, x, words)
        if self._step == 1:
            self._factor(_Y, y, words)
        else:  # Z becomes x * R, then y * (x * R) / R
            self._start(start, words, 1)
            self._factor(_X, y, words)
        self._start(start, words, 2)
        return self._result(words)
