"""RSA and ECDSA signatures of the `esp32` provider: with the big-number engine, and with a multiplication of its own."""

import hashlib
import random

import pytest

from tests.crypto import cases, guest_vectors
from tests.crypto.test_signatures import rsa_key
from tests.hardware.mpi_model import CHIPS
from tests.hardware.test_mpi import board, quiet
from uike import iana
from uike.crypto import esp32
from uike.crypto.soft import ecdsa, ecdsa_sign, p256, rsa_sign

ALGORITHM = iana.RSASSA_PKCS1 + iana.SHA2_256


@pytest.mark.parametrize("bits", [2048, 4096])
@pytest.mark.parametrize("chip", CHIPS)
def test_rsa_by_the_engine(monkeypatch, chip, bits):
    silicon, guard, mpi = board(chip)
    powers = []
    monkeypatch.setattr(rsa_sign, "pow", lambda *arguments: powers.append(arguments) or pow(*arguments), raising=False)
    provider = esp32.Provider(lambda: mpi)
    signature = provider.sign(ALGORITHM, rsa_key(bits), b"message", random.Random(1).randbytes)
    assert provider.verify(ALGORITHM, rsa_key(bits)[:3], b"message", signature)
    assert len(powers) == 1, "only the blinding was in software"
    assert not mpi._moduli, "the primes are forgotten"
    assert not guard.reports and not silicon.mpi.misuses
    quiet(silicon, guard)


def test_rsa_without_the_engine_when_it_is_another_s():
    _, guard, mpi = board(next(iter(CHIPS)))
    guard.allowed = False
    provider = esp32.Provider(lambda: mpi)
    signature = provider.sign(ALGORITHM, rsa_key(), b"message", random.Random(1).randbytes)
    assert provider.verify(ALGORITHM, rsa_key()[:3], b"message", signature)


class Multiplying(esp32.Provider):
    """As with native code in the image: infinity is 0, 0, 0."""

    def p256(self, scalar, x, y, source):
        assert 0 <= scalar < 1 << 257
        return p256.multiply(scalar, x, y, source)


@pytest.mark.parametrize("name", ["ecdsa", "ecdsa_sign"])
def test_ecdsa_with_another_multiplication(name):
    provider = Multiplying()
    some = [case for case in cases.cases(name) if "secp256r1" in case["name"] or "P-256" in case["name"]]
    assert len(some) == (546 if name == "ecdsa" else 6)
    for case in some[:: 4 if name == "ecdsa" else 1]:
        assert guest_vectors.check(provider, case) is None, case["name"]


def test_a_digest_of_zero():
    """The multiple of the generator is then infinity."""
    private, source = bytes(31) + b"\7", random.Random(1).randbytes
    multiply = Multiplying().p256
    public = ecdsa_sign.public(iana.KEY_P256, private, source)
    assert public == ecdsa_sign.public(iana.KEY_P256, private, source, multiply)
    signature = ecdsa_sign.sign(iana.KEY_P256, private, bytes(32), hashlib.sha256, 64, source)
    for way in (None, multiply):
        assert ecdsa.verify(iana.KEY_P256, public, bytes(32), signature, way) is True
        assert ecdsa.verify(iana.KEY_P256, public, bytes(31) + b"\1", signature, way) is False
