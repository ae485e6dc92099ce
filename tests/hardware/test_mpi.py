"""The driver of the MPI engine on the model of each chip, in the absence of faults."""

import random
import threading

import pytest

from tests.hardware import mpi_model
from tests.hardware.mpi_model import CHIPS, Silicon
from uike.crypto.esp32 import block
from uike.crypto.esp32.mpi import Mpi, m_prime

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


def test_the_fast_arithmetic_of_the_model_is_that_of_the_engine():
    rng = random.Random(SEED)
    for words in (1, 2, 5, 16):
        m = rng.getrandbits(32 * words) | 1 | 1 << 32 * words - 1
        x, y, square = rng.randrange(m), rng.getrandbits(32 * words), (1 << 64 * words) % m
        prime = -pow(m, -1, 1 << 32) % (1 << 32)
        assert prime == m_prime(m)
        case = (x, y, m, prime, square, words, 32 * words)
        assert mpi_model.power(*case) == mpi_model.power_by_words(*case) == pow(x, y, m)
        if words > 1:
            wrong = (x, y, m, prime ^ 4, square, words, 32 * words)
            assert mpi_model.power(*wrong) != pow(x, y, m)
            assert mpi_model.power(x, y, m, prime, square ^ 4, words, 32 * words) != pow(x, y, m)


# Checked on silicon by Espressif (ESP-IDF components/hal/test_apps/crypto/main/mpi/mpi_params.h, CC0), all but the
# ESP32: M, X, Y, R**2 mod M, M', words, bits of Y, Z.
SILICON = (
    (0xFFFFFFFF, 0x1000, 2, 1, 1, 1, 2, 0x1000000),
    (0xFFFFFFF, 0x1234, 2, 0x100, 0x10000001, 1, 2, 0x14B5A90),
    (3, 5, 1, 1, 0x55555555, 1, 1, 2),
    (0x77, 0x1111, 1, 0x56, 0xB90226B9, 1, 1, 0x55),
    (0xBB, 0x1111, 2, 0x89, 0x5E75BB8D, 1, 2, 0x88),
    ((1 << 136) - 1, 2, 0x128, 1 << 48, 1, 5, 9, 1 << 24),
    (0x123456789, 0x123456789, 0x123456789, 0x34890700, 0x60A2C147, 2, 33, 0),
    (0x123456789, 0x123456788, 0x123456788, 0x34890700, 0x60A2C147, 2, 33, 1),
    (0x123456789, 0x12345678A, 0x12345678A, 0x34890700, 0x60A2C147, 2, 33, 1),
    (7, 0x32, 0x3E9, 2, 0x49249249, 1, 10, 1),
)


@pytest.mark.parametrize("m, x, y, square, prime, words, bits, z", SILICON)
def test_vectors_that_passed_on_silicon(m, x, y, square, prime, words, bits, z):
    assert mpi_model.sound(m, prime, square, words) and m_prime(m) == prime
    assert mpi_model.power(x, y, m, prime, square, words, bits) == z
    assert mpi_model.power_by_words(x, y, m, prime, square, words, bits) == z


def test_a_plain_product_wants_the_lower_half_of_z_zero():
    silicon, _, mpi = board("esp32s3")
    mpi._on()
    silicon.mpi.cleaning = 0
    silicon.mpi.put(mpi_model.X, 3, 2)
    silicon.mpi.put(mpi_model.Z, 5 << 64, 4)
    silicon.mpi.registers[0x804] = 3
    silicon.mpi._plain()
    assert silicon.mpi.number(mpi_model.Z, 4) == 15
    silicon.mpi.put(mpi_model.Z, 5 << 64 | 7, 4)
    silicon.mpi._plain()
    assert silicon.mpi.number(mpi_model.Z, 4) == 22


def test_a_secret_exponent_runs_in_constant_time_and_a_public_one_is_accelerated():
    for public, bits, expected in ((False, 0, (1, 0)), (False, 256, (1, 1)), (True, 0, (0, 1))):
        silicon, _, mpi = board("esp32c3")
        seen = []

        def watch(index, write, address, value, seen=seen, engine=silicon.mpi):
            if address == 0x6003C80C:
                seen.append((engine.registers[0x820], engine.registers[0x824]))
            return value if write else None

        silicon.fault = watch
        assert mpi.power(2, 65537, (1 << 521) - 1, 66, bits=bits, public=public) == pow(2, 65537, (1 << 521) - 1)
        assert seen == [expected]


def test_what_it_does_not_take():
    silicon, guard, mpi = board("esp32c6")
    odd = (1 << 521) - 1
    assert (
        mpi.power(2, 0, odd, 66) is None and mpi.power(2, 3, odd - 1, 66) is None and mpi.power(2, 3, odd, 65) is None
    )
    assert mpi.power(2, 256, odd, 66, bits=8) is None and mpi.power(0, 3, odd, 66) == 0
    assert mpi.power(2, 3, (1 << 3073) - 1, 385) is None and mpi.multiply(3, 5, (1 << 127) - 1, 16) is None
    with pytest.raises(KeyError):
        Mpi("esp32c2", silicon, guard, None)


def test_refused_while_wifi_associates_or_tls_is_at_it():
    silicon, guard, mpi = board("esp32")
    odd = (1 << 521) - 1
    guard.allowed = False
    assert mpi.power(2, 3, odd, 66) is None
    guard.allowed = True
    guard.lock.acquire()
    assert mpi.power(2, 3, odd, 66) is None
    assert guard.reports == [block.REFUSED, block.REFUSED] and not silicon.accesses
    guard.lock.release()
    assert mpi.power(2, 3, odd, 66) == 8


def test_a_clock_that_a_dead_program_left_on_is_reclaimed():
    silicon, guard, mpi = board("esp32s3")
    silicon.system.registers[0x600C001C] |= 1 << 3
    assert mpi.power(2, 3, 0xFFFFFFFB, 4) is None and guard.reports == [block.BUSY]
    mpi.reclaim()
    assert mpi.power(2, 3, 0xFFFFFFFB, 4) == 8
    quiet(silicon, guard)


def test_every_failure_has_its_code():
    for faults, code in (({"clean"}, block.NO_CLEAN), ({"done"}, block.NOT_DONE)):
        silicon, guard, mpi = board("esp32c3")
        silicon.mpi.fail = faults
        assert mpi.power(2, 65537, (1 << 521) - 1, 66) is None and guard.reports == [code]
    silicon, guard, mpi = board("esp32")
    silicon.system.stick(0x3FF0001C, 4, 0)
    assert mpi.power(2, 3, 0xFFFFFFFB, 4) is None and guard.reports == [block.NO_CLOCK]


def test_constants_of_a_wrong_modulus_do_not_pass():
    modulus = (1 << 521) - 1
    for at in (3, 4):
        silicon, guard, mpi = board("esp32s2")
        found = list(mpi._constants(modulus, 66, True))
        found[at] = found[at] ^ 2 if at == 3 else bytearray(b"\x05") + found[at][1:]
        mpi._moduli = [tuple(found)]
        assert mpi.power(3, 65537, modulus, 66) is None and guard.reports == [block.WRONG]


def test_an_engine_with_other_ideas_of_its_constants_is_found_out_at_full_length(monkeypatch):
    """The mirror image alone would pass: (-cx)**e is as negative as (-x)**e. The trial before it does not."""
    right = mpi_model.power
    monkeypatch.setattr(mpi_model, "power", lambda x, y, m, *rest: right(3 * x % m, y, m, *rest))
    silicon, guard, mpi = board("esp32s2")
    assert mpi.power(5, 65537, (1 << 4096) - 3, 512) is None and guard.reports == [block.WRONG]


def test_a_single_wrong_power_at_full_length_is_found_by_its_mirror_image(monkeypatch):
    right, calls = mpi_model.power, []

    def once(x, y, m, *rest):
        calls.append(x)
        return right(x, y, m, *rest) ^ (len(calls) == 2)  # the first is the trial

    monkeypatch.setattr(mpi_model, "power", once)
    for exponent in (65537, 65538):
        calls.clear()
        silicon, guard, mpi = board("esp32c3")
        modulus = (1 << 3072) - 3
        assert mpi.power(5, exponent, modulus, 384) == pow(5, exponent, modulus) and not guard.reports
        assert calls[1:] == [5, modulus - 5] * 2  # wrong, then once more


def test_an_engine_that_never_ends_is_waited_for_once():
    silicon, guard, mpi = board("esp32s3")
    silicon.mpi.fail = {"done"}
    assert mpi.power(2, 65537, (1 << 2048) - 1, 256, public=True) is None and guard.reports == [block.NOT_DONE]
    assert guard.pauses == 50 + 2 * 17 * 65 * 65 // (500 * 76)


def test_the_constants_of_two_moduli_are_kept():
    _, _, mpi = board("esp32c3")
    for modulus in ((1 << 521) - 1, 0xFFFFFFFB, (1 << 127) - 1):
        assert mpi.power(2, 3, modulus, 66) == 8
    assert [found[0] for found in mpi._moduli] == [(1 << 127) - 1, 0xFFFFFFFB]
    mpi.forget()
    assert not mpi._moduli


def test_interrupts_are_masked_for_a_few_accesses_only():
    silicon, guard, mpi = board("esp32")
    assert mpi.power(2, 3, (1 << 2048) - 1, 256, bits=2)
    assert max(end - begin for begin, end in guard.spans) <= 20


class LaxEngine(mpi_model.Mpi):
    """The MPI block of an emulator: no gates, M' and R**2 ignored, only Z can be read back, done at once."""

    def read(self, offset):
        if offset == 0x818:
            self.words.clear()
            return 1
        if offset == 0x814:
            return self.flag
        return self.words.get(offset, 0) if mpi_model.Z <= offset < mpi_model.Y else 0

    def write(self, offset, value):
        if offset == 0x814:
            self.flag &= ~value
        elif offset == 0x808:
            words = self._length(0x804)
            self.put(
                mpi_model.Z, pow(*(self.number(at, words) for at in (mpi_model.X, mpi_model.Y, mpi_model.M))), words
            )
            self.flag = 1
        elif offset < 0x800:
            self.words[offset] = value
        else:
            self.registers[offset] = value


LaxEngine.__name__ = "Mpi"


def test_a_lax_emulator_works_by_option_only():
    for lax in (False, True):
        silicon = Silicon((LaxEngine, "esp32"))
        silicon.mpi.registers[0x804] = 0
        guard = Guard(silicon)
        mpi = Mpi("esp32", silicon, guard, random.Random(SEED).randbytes, lax)
        modulus = (1 << 2048) - 1981
        assert mpi.power(3, 1 << 255 | 1, modulus, 256) == (pow(3, 1 << 255 | 1, modulus) if lax else None)
        assert guard.reports == ([] if lax else [block.LOST])


def test_accesses_of_a_2048_bit_power():
    """Two of three are reading back: what was loaded, and that it is gone."""
    counts = {}
    for chip in ("esp32", "esp32s3"):
        silicon, _, mpi = board(chip)
        assert mpi.power(2, 3, (1 << 2048) - 1, 256, bits=2) == 8
        counts[chip] = silicon.accesses
    assert counts == {"esp32": 1033, "esp32s3": 860}
