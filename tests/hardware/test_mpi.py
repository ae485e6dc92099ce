"""The driver of the MPI engine on the model of each chip, in the absence of faults."""

import random
import threading

import pytest

from tests.hardware import mpi_model
from tests.hardware.mpi_model import CHIPS, Silicon
from uike.crypto.esp32.mpi import Mpi

SEED = 2409


class Guard:
    """Everything allowed, nothing waited for."""

    def __init__(self, silicon):
        self.silicon = silicon
        self.lock = threading.Lock()
        self.allowed = True
        self.masked = 0
        self.reports = []
        self.pauses = 0
        self.spans = []  # (first, after the last) access of those made with interrupts masked

    def may_use(self):
        return self.allowed

    def pause(self):
        self.pauses += 1

    def begin(self):
        self.masked += 1
        return self.silicon.accesses

    def end(self, state):
        self.masked -= 1
        self.spans.append((state, self.silicon.accesses))

    def report(self, code):
        self.reports.append(code)


def board(chip, lax=False):
    silicon = Silicon((mpi_model.Mpi, chip))
    guard = Guard(silicon)
    return silicon, guard, Mpi(chip, silicon, guard, random.Random(SEED).randbytes, lax)


def quiet(silicon, guard):
    """Off, in order, nothing left behind."""
    engine = silicon.engines[0]
    assert not engine.clocked() and not any(engine.words.values())
    assert not guard.masked and guard.lock.acquire(False)
    guard.lock.release()


@pytest.mark.parametrize("bits", [512, 1024, 2048, 3072, 4096])
@pytest.mark.parametrize("chip", CHIPS)
def test_powers_and_products(chip, bits):
    rng = random.Random(SEED + bits)
    silicon, guard, mpi = board(chip)
    modulus = rng.getrandbits(bits) | 1 | 1 << bits - 1
    size = bits // 8
    for base, exponent, options in (
        (2, rng.getrandbits(256) | 1 << 255, {"bits": 256}),
        (rng.randrange(modulus), rng.getrandbits(bits - 1), {}),
        (rng.randrange(modulus) + modulus, 65537, {"public": True}),
        (rng.randrange(modulus), 65537, {"public": True, "verify": lambda result: True}),
    ):
        result = mpi.power(base, exponent, modulus, size, **options)
        assert result == (pow(base, exponent, modulus) if bits // 32 <= mpi.words_max else None)
    a, b = rng.randrange(modulus), rng.randrange(modulus)
    assert mpi.multiply(a, b, modulus, size) == (a * b % modulus if bits // 32 <= mpi.words_max else None)
    assert not guard.reports and not silicon.mpi.misuses
    quiet(silicon, guard)
