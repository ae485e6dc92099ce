"""Chains of three in the VM: in how much heap, for how many instructions, and nothing is left behind."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

from host_tools import image
from host_tools.emulator.vm import run_script
from tests.pki.authority import DAY, DER, T0, Authority, key
from uike import reason
from uike.pki import identity
from uike.pki import name as pki_name
from uike.pki.certificate import Certificate

HERE = Path(__file__).parent
MODULES = ("uike.crypto.soft", "uike.pki", "uike.wire.refusal", "uike.transient")

# Heap in which the whole script runs, its certificates included; what modules and certificates take while in use.
COSTS = {"p256": ("36k", 16_700), "rsa2048": ("36k", 12_500)}
NAMES_MAX = 2_600  # bytes that stay: names, interned once and for ever


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
    length, _, resident, why, once, again, twice, refused, growth = [int(line) for line in stdout.splitlines()]
    assert length == 3 and why == again == reason.BAD_CERTIFICATE_SIGNATURE
    assert resident <= resident_max and once <= NAMES_MAX
    assert twice <= once + 64
    assert 50 < refused < 300 and growth < 2 * 300, "less than a block of heap in eight rounds"


def test_a_board_s_own_key():
    """What a board does with its key and its name, and with a list: as CPython does it."""
    top = Authority(number=1)
    text = "/C=DE/O=\u00e4(1)/CN=gw/E=a@b"
    values = {
        "KEY": key("p256", 5).private_bytes(DER, PrivateFormat.PKCS8, NoEncryption()),
        "TEXT": text,
        "CRL": top.revoke(77),
        "CERTIFICATE": top.issue(names=("gw.example.org", "192.0.2.1")),
    }
    written = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    stdout, _, verdict = run_script(HERE / "guest_board.py", "48k", {"board": written}, firmware=MODULES)
    assert verdict.ok, verdict
    request, *lines = stdout.splitlines()
    found = x509.load_der_x509_csr(bytes.fromhex(request))
    assert found.is_signature_valid and found.public_key() == key("p256", 5).public_key()
    assert found.subject.public_bytes() == pki_name.parse(text)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gw.example.org"]
    borne = [data for _, data in identity.borne(Certificate(values["CERTIFICATE"]))]
    told = b"".join(bytes((kind,)) + len(data).to_bytes(2, "big") + data for kind, data in [(2, b"other")])
    assert lines[:4] == [str(T0 - DAY), "None", "None", str(reason.CERTIFICATE_IDENTITY)]
    assert bytes.fromhex(lines[4]).startswith(told) and all(bytes(each) in bytes.fromhex(lines[4]) for each in borne)
    assert lines[5:] == ["True False True False"]


def test_the_modules_are_small():
    sizes = image.build().sizes
    pki = {name: size for name, size in sizes.items() if name.startswith("uike.pki")}
    assert len(pki) == 12 and sum(pki.values()) <= 11_500, pki
