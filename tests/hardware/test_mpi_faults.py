"""One fault before each access of an operation: the right answer or none, an end, and nothing left behind."""

import random

import pytest

from tests.hardware import faults
from tests.hardware.test_mpi import SEED, board
from uike.crypto.esp32 import block

CHIPS = ("esp32", "esp32s2", "esp32s3", "esp32c3", "esp32c6")
PAUSES_MAX = 3 * block._BUSY_PAUSES  # two attempts to get in, and leaving


def numbers(bits):
    rng = random.Random(SEED + bits)
    modulus = rng.getrandbits(bits) | 1 | 1 << bits - 1
    return rng.randrange(modulus), rng.getrandbits(bits - 2) | 1 << bits - 3, modulus


def operate(mpi, name, bits):
    base, exponent, modulus = numbers(bits)
    if name == "multiply":
        return mpi.multiply(base, exponent, modulus, bits // 8), base * exponent % modulus
    return mpi.power(base, exponent, modulus, bits // 8), pow(base, exponent, modulus)


def suffer(chip, name, bits, kind, index):
    """An operation with one fault. Whether it had to be given up."""
    silicon, guard, mpi = board(chip)
    silicon.fault = fault = kind(silicon, index)
    result, right = operate(mpi, name, bits)
    where = f"{chip} {name} {bits} {kind.__name__} at {index} of {silicon.accesses}, seed {SEED}"
    assert result in (right, None), where
    assert (result is None) == bool(guard.reports), where
    assert guard.pauses <= PAUSES_MAX and not guard.masked, where
    assert guard.lock.acquire(False), where
    engine = silicon.engines[0]
    if kind is faults.Inside:
        assert fault.cut_at is None or any(begin <= index <= end for begin, end in guard.spans), where
    if kind is not faults.StuckOn and not (kind is faults.Inside and silicon.accesses < (fault.until or 0)):
        assert not engine.clocked(), where
    if kind not in (faults.StuckOff, faults.NeverClean):
        secret = operand_words(numbers(bits)[1], bits)
        assert not secret & set(engine.words.values()), where
    return result is None


def operand_words(value, bits):
    return {value >> 32 * i & 0xFFFFFFFF for i in range(bits // 32)} - {0}


def accesses(chip, name, bits):
    silicon, _, mpi = board(chip)
    operate(mpi, name, bits)
    return silicon.accesses


@pytest.mark.parametrize("kind", faults.EACH, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("chip", CHIPS)
def test_every_access_of_a_small_power(chip, kind):
    count = accesses(chip, "power", 512)
    for index in range(count):
        suffer(chip, "power", 512, kind, index)
