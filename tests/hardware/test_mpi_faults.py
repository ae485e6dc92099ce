"""One fault before each access of an operation: the right answer or none, an end, and nothing left behind."""

import random

import pytest

from tests.hardware import faults
from tests.hardware.test_mpi import SEED, board
from uike.crypto.esp32 import block

CHIPS = ("esp32s2", "esp32s3", "esp32c3", "esp32h2", "esp32c5", "esp32p4")
BUSY_PAUSES = 500  # more than faults.Inside.LENGTH; on a board twenty times as many


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(block, "_BUSY_PAUSES", BUSY_PAUSES)


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
    longest = 50 + 2 * bits * (bits // 32 + 16) ** 2 // (500 * mpi._rate)
    assert guard.pauses <= 4 * (BUSY_PAUSES + longest) and not guard.masked, where
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
@pytest.mark.parametrize("chip", ["esp32", "esp32c6"])
def test_every_fault_before_every_access_of_a_small_power(chip, kind):
    for index in range(accesses(chip, "power", 512)):
        suffer(chip, "power", 512, kind, index)


@pytest.mark.parametrize("chip", CHIPS)
def test_some_fault_before_every_access_of_a_small_power(chip):
    for index in range(accesses(chip, "power", 512)):
        for turn in (0, 7):
            suffer(chip, "power", 512, faults.EACH[(index + turn) % len(faults.EACH)], index)


BIG = (("esp32", "power", 2048), ("esp32", "power", 4096), ("esp32s3", "power", 2048), ("esp32c3", "power", 3072))


@pytest.mark.parametrize("kind", faults.EACH, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("chip, name, bits", (*BIG, ("esp32", "multiply", 1024), ("esp32c6", "multiply", 1024)))
def test_sampled_accesses_of_larger_operations(chip, name, bits, kind):
    count = accesses(chip, name, bits)
    for index in random.Random(SEED).sample(range(count), 2048 // bits or 1):
        suffer(chip, name, bits, kind, index)


@pytest.mark.parametrize("chip", ["esp32", "esp32c6"])
def test_several_masters_in_one_operation(chip):
    """Faults in both attempts: nothing is ever believed for having been tried twice."""
    count = accesses(chip, "power", 512)
    for index in range(0, count, 3):
        silicon, guard, mpi = board(chip)
        both = (
            faults.Multiplied(silicon, index),
            faults.Cleared(silicon, index + 2),
            faults.Whole(silicon, count + index),
        )

        def fault(now, write, address, value, both=both):
            for each in both:
                each(now, write, address, value)
            return value if write else None

        silicon.fault = fault
        result, right = operate(mpi, "power", 512)
        assert result in (right, None) and not silicon.mpi.clocked()


@pytest.mark.parametrize("every", [2, 5, 17, 101, 400])
def test_an_esp32_that_keeps_losing_writes(every):
    silicon, guard, mpi = board("esp32")
    silicon.fault = lambda index, write, address, value: value if write and index % every else None
    result, right = operate(mpi, "power", 512)
    assert result in (right, None)
    assert guard.reports or result == right
