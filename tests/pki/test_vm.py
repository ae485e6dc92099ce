"""Chains of three in the VM: in how much heap, for how many instructions, and nothing is left behind."""

from pathlib import Path

import pytest

from host_tools import image
from host_tools.emulator.vm import run_script
from tests.pki.authority import DAY, T0, Authority
from uike import reason

HERE = Path(__file__).parent
MODULES = ("uike.crypto.soft", "uike.pki", "uike.wire.refusal", "uike.transient")

# Heap in which the whole script runs, its certificates included; what modules and certificates take while in use.
COSTS = {"p256": ("34k", 15_500), "rsa2048": ("36k", 12_500)}
NAMES_MAX = 1_500  # bytes that stay: names, interned once and for ever


def chain(kind):
    top = Authority(kind=kind, number=1)
    below = Authority("C=DE, O=Example, CN=Middle", top, kind=kind, number=2)
    leaf = below.issue(kind=kind)
    bad = leaf[:-1] + bytes((leaf[-1] ^ 1,))
    return {"LEAF": leaf, "MIDDLE": below.der, "ANCHOR": top.der, "BAD": bad, "NOW": T0 + DAY}


def run(kind, heap):
    text = "".join(f"{name} = {value!r}\n" for name, value in chain(kind).items())
    return run_script(HERE / "guest_chain.py", heap, {"chain": text}, firmware=MODULES)


@pytest.mark.parametrize("kind", COSTS)
def test_a_chain_of_three(kind):
    heap, resident_max = COSTS[kind]
    stdout, _, verdict = run(kind, heap)
    assert verdict.ok, verdict
    length, _, resident, why, once, again, twice = [int(line) for line in stdout.splitlines()]
    assert length == 3 and why == again == reason.BAD_CERTIFICATE_SIGNATURE
    assert resident <= resident_max and once <= NAMES_MAX
    assert twice == once


def test_the_modules_are_small():
    sizes = image.build().sizes
    pki = {name: size for name, size in sizes.items() if name.startswith("uike.pki")}
    assert len(pki) == 10 and sum(pki.values()) <= 10_500, pki
