"""The chip's provider on models of its engines: key exchanges that they compute, and that software computes for them."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.hardware import ecc_model, mpi_model
from tests.hardware.mpi_model import Silicon
from tests.hardware.test_mpi import Guard
from uike import iana
from uike.crypto.esp32 import Provider
from uike.crypto.esp32.block import REFUSED
from uike.crypto.esp32.ecc import Ecc
from uike.crypto.esp32.mpi import Mpi
from uike.hal.cpython.crypto import Provider as Host


class Chip:
    """A provider of a chip, and how often its engines were asked for a result."""

    def __init__(self, chip, part, driver, *more):
        self.silicon = Silicon((part, chip))
        self.guard = Guard(self.silicon)
        self.made = 0

        def make():
            self.made += 1
            return driver(chip, self.silicon, self.guard, *more)

        self.make = make


def agree(provider, group):
    """Both sides of a key exchange, the other one by OpenSSL."""
    ours, theirs = provider.key_exchange(group, os.urandom), Host().key_exchange(group, os.urandom)
    secret = ours.shared(theirs.public)
    assert secret == theirs.shared(ours.public)
    return secret


@pytest.mark.parametrize("chip", ecc_model.CHIPS)
def test_p256_by_the_engine(chip):
    board = Chip(chip, ecc_model.Ecc, Ecc)
    agree(Provider(None, board.make), iana.ECP_256)
    assert board.made == 2 and not board.guard.reports and not board.silicon.ecc.misuses


def test_p256_by_software_when_the_engine_may_not_be_used():
    board = Chip("esp32c6", ecc_model.Ecc, Ecc)
    board.guard.may_use = lambda: False
    agree(Provider(None, board.make), iana.ECP_256)
    assert board.made == 2 and set(board.guard.reports) == {REFUSED}


@pytest.mark.parametrize("chip", mpi_model.CHIPS)
def test_modp_by_the_engine(chip):
    board = Chip(chip, mpi_model.Mpi, Mpi, os.urandom)
    agree(Provider(board.make), iana.MODP_2048)
    assert board.made == 1 and not board.guard.reports


@pytest.mark.parametrize("group", [iana.CURVE25519, iana.ECP_256, iana.MODP_2048])
def test_a_chip_without_engines(group):
    agree(Provider(lambda: None, lambda: None), group)


def test_a_point_of_another_curve_is_refused_before_the_engine_sees_it():
    board = Chip("esp32c6", ecc_model.Ecc, Ecc)
    exchange = Provider(None, board.make).key_exchange(iana.ECP_256, os.urandom)
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    with pytest.raises(ValueError, match="public value"):
        exchange.shared(numbers.x.to_bytes(32, "big") + (numbers.y ^ 1).to_bytes(32, "big"))
    assert board.made == 1
