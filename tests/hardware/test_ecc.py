"""The driver of the ECC engine on the model of each chip, without faults and with one before each access."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.hardware import ecc_model, faults
from tests.hardware.ecc_model import CHIPS, P
from tests.hardware.mpi_model import Silicon
from tests.hardware.test_mpi import SEED, Guard
from uike.crypto.esp32 import block
from uike.crypto.esp32.ecc import Ecc, on_curve

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
BUSY_PAUSES = 500


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(block, "_BUSY_PAUSES", BUSY_PAUSES)


def board(chip):
    silicon = Silicon((ecc_model.Ecc, chip))
    guard = Guard(silicon)
    return silicon, guard, Ecc(chip, silicon, guard)


def public(scalar):
    numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    return numbers.x, numbers.y


@pytest.mark.parametrize("chip", CHIPS)
def test_points_are_those_of_openssl(chip):
    rng = random.Random(SEED)
    silicon, guard, ecc = board(chip)
    for scalar in (1, 2, N - 1, rng.randrange(1, N), rng.randrange(1, N)):
        assert ecc.multiply(scalar, *G) == public(scalar)
    other = rng.randrange(1, N)
    assert ecc.multiply(other, *public(scalar)) == public(scalar * other % N)
    assert not guard.reports and not silicon.ecc.misuses and not guard.masked
    assert not silicon.ecc.clocked() and not any(silicon.ecc.words.values())


def test_a_vector_that_passed_on_silicon():
    """ESP-IDF components/hal/test_apps/crypto/main/ecc: the generator times a scalar."""
    _, _, ecc = board("esp32c6")
    assert ecc.multiply(0xB2C59E9264CD5F669EC8836D99611872C860831EE579CC73A9B4748570112DA2, *G) == (
        0x261A0FBDA5E51EE7B3C3B709D14A7A2A16694BAF765CD40E9357B867F9A1E5E8,
        0xA0F42E6236259FE0F2A04142D295894138F0EB6EA7962924C7D40C90A1C9D33A,
    )


@pytest.mark.parametrize(
    "scalar, point",
    [(0, G), (N, G), (5, (G[0], G[1] + 1)), (5, (0, 0)), (5, (G[0] + P, G[1])), (5, (G[0], G[1] + P)), (5, (-1, 1))],
)
def test_what_could_betray_the_scalar_does_not_go_in(scalar, point):
    silicon, _, ecc = board("esp32c6")
    with pytest.raises(ValueError):
        ecc.multiply(scalar, *point)
    assert not silicon.accesses


def test_constant_time_where_there_is_such_a_mode():
    for chip, bit in (("esp32h2", 8), ("esp32c5", 9)):
        silicon, _, ecc = board(chip)
        seen = []
        finish = silicon.ecc._operate
        silicon.ecc._operate = lambda seen=seen, ecc=silicon.ecc, finish=finish: (seen.append(ecc.conf), finish())
        assert ecc.multiply(3, *G) == public(3)
        assert len(seen) == 2 and all(conf >> bit & 1 for conf in seen)


def test_a_point_of_the_curve_that_is_not_the_answer_is_refused(monkeypatch):
    right = ecc_model.multiply
    monkeypatch.setattr(ecc_model, "multiply", lambda k, x, y: right(k ^ 2, x, y))
    _, guard, ecc = board("esp32c6")
    assert on_curve(*right(7 ^ 2, *G)) and ecc.multiply(7, *G) is None and guard.reports == [block.WRONG]


def test_the_negative_of_the_answer_is_refused(monkeypatch):
    right, calls = ecc_model.multiply, []

    def negated(k, x, y):
        calls.append(k)
        x, y = right(k, x, y)
        return (x, P - y) if k == 7 else (x, y)

    monkeypatch.setattr(ecc_model, "multiply", negated)
    _, guard, ecc = board("esp32c6")
    assert ecc.multiply(7, *G) is None and guard.reports == [block.WRONG] and calls == [7, N - 7] * 2


class Started(faults.Once):
    def happen(self):
        self.engine.write(0x1C, self.engine.conf | 1)


class Inside(faults.Inside):
    def happen(self):
        self.switch_on()
        self.engine.write(0x1C, 0x44)
        self.engine.put(0, 12345)


class Whole(faults.Once):
    def happen(self):
        self.switch_on()
        self.engine.put(1, G[0])
        self.engine.put(2, G[1])
        self.switch_off()


class Swapped(faults.Once):
    """Somebody leaves another point of the curve."""

    def happen(self):
        for at, value in enumerate(public(99)):
            self.engine.put(at + 1, value)


KINDS = (
    *(faults.Cleared, faults.Stopped, faults.Unpowered, faults.Reset, Whole, Started, Inside, Swapped),
    *(faults.Lost, faults.Twice, faults.Misread, faults.NeverDone, faults.StuckOff, faults.StuckOn),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_access(kind):
    scalar = random.Random(SEED).randrange(1, N)
    silicon, _, ecc = board("esp32c6")
    ecc.multiply(scalar, *G)
    words = {scalar >> 32 * i & 0xFFFFFFFF for i in range(8)} | {N - scalar >> 32 * i & 0xFFFFFFFF for i in range(8)}
    for index in range(silicon.accesses):
        silicon, guard, ecc = board("esp32c6")
        silicon.fault = fault = kind(silicon, index)
        result = ecc.multiply(scalar, *G)
        where = f"{kind.__name__} at {index} of {silicon.accesses}, seed {SEED}"
        assert result in (public(scalar), None) and (result is None) == bool(guard.reports), where
        assert guard.pauses <= 4 * BUSY_PAUSES and not guard.masked and guard.lock.acquire(False), where
        if kind is Inside:
            assert fault.cut_at is None or any(begin <= index <= end for begin, end in guard.spans), where
        elif kind is not faults.StuckOn:
            assert not silicon.ecc.clocked(), where
        if kind is not faults.StuckOff:
            assert not words & set(silicon.ecc.words.values()), where
