"""The published vectors, put to each provider on each interpreter: CPython, the VM, a 64-bit unix MicroPython."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import image
from host_tools.emulator.vm import run_script
from tests.crypto import cases, guest_vectors

HERE = Path(__file__).parent
PROVIDERS = ("uike.hal.cpython.crypto", "uike.crypto.soft")
MODULES = ("uike.crypto", "uike.ike.keys", "uike.wire", "uike.pki")  # what a guest needs of the firmware
SIGNATURES_VM = (("rsa_pkcs1", "rsa_pss", "rsa_sign"), ("ecdsa", "ecdsa_sign", "ed25519", "ed25519_sign"))
VM_RUNS = [*[(name,) for name in cases.ALL if name not in cases.SIGNATURES], *SIGNATURES_VM]
MICROPYTHON = Path(sys.executable).parent / "micropython"


@pytest.mark.parametrize("name", cases.ALL)
@pytest.mark.parametrize("module", PROVIDERS)
def test_cpython(module, name):
    provider = guest_vectors.load(module)
    failures = [(case["name"], why) for case in cases.cases(name) if (why := guest_vectors.check(provider, case))]
    assert not failures, failures[:5]


def test_there_are_as_many_as_the_publications_have():
    counts = {name: len(cases.cases(name)) for name in cases.ALL}
    assert counts == {
        "sha1": 65,
        "prf": 33,
        "prf_plus": 3,
        "drbg": 5,
        "cbc": 44,
        "gcm": 1635,
        "chacha20poly1305": 323,
        "x25519": 520,
        "p256": 405,
        "modp": 14,
        "rsa_pkcs1": 2330,
        "rsa_pss": 1065,
        "rsa_sign": 77,
        "ecdsa": 1225,
        "ecdsa_sign": 12,
        "ed25519": 210,
        "ed25519_sign": 36,
    }
    invalid = {name: sum(cases.INVALID in case.values() for case in cases.cases(name)) for name in cases.ALL}
    assert {name: count for name, count in invalid.items() if count} == {
        "gcm": 441,
        "chacha20poly1305": 61,
        "x25519": 31,
        "p256": 35,
        "modp": 10,
        "rsa_pkcs1": 2262,
        "rsa_pss": 553,
        "ecdsa": 760,
        "ed25519": 64,
    }
    assert len({case["name"] for case in cases.every()}) == len(cases.every())


@pytest.mark.parametrize("name", cases.ALL)
def test_a_wrong_answer_is_noticed(name):
    """Whatever is expected, another expectation fails: the runner compares, and no provider passes by accident."""
    provider = guest_vectors.load(PROVIDERS[0])
    for case in cases.sample(name):
        for field in {"out", "sealed", "shared", "public"} & set(case):
            if case[field] != cases.INVALID:
                wrong = {**case, field: f"{int(case[field][:2], 16) ^ 1:02x}" + case[field][2:]}
                if case.get("plain") != cases.INVALID:
                    assert guest_vectors.check(provider, wrong), (case["name"], field)
        if "shared" in case and case["shared"] != cases.INVALID:
            assert guest_vectors.check(provider, {**case, "shared": cases.INVALID})
        if "result" in case:
            other = "valid" if case["result"] == cases.INVALID else cases.INVALID
            assert guest_vectors.check(provider, {**case, "result": other})
        if case.get("plain", cases.INVALID) != cases.INVALID:
            assert guest_vectors.check(provider, {**case, "plain": cases.INVALID})


@pytest.mark.parametrize("names", VM_RUNS, ids=" ".join)
def test_vm(names):
    """A few of each in the VM with a small heap; `soft` has no OpenSSL and no `hashlib` beyond SHA-256 there."""
    some = [case for name in names for case in cases.sample(name)]
    script = "import guest_vectors, some\nguest_vectors.run(guest_vectors.load('uike.crypto.soft'), some.CASES)\n"
    modules = {"guest_vectors": HERE / "guest_vectors.py", "some": f"CASES = {some!r}\n"}
    heap = "64k" if len(names) == 1 else "144k"  # of the latter most are the cases, keys and messages in hexadecimal
    stdout, _, verdict = run_script(script, heap, modules, firmware=MODULES)
    assert verdict.ok, verdict
    assert stdout.splitlines() == [f"{len(some)} of {len(some)}"]


@pytest.fixture(params=[None, "x64"], ids=["bytecode", "native"])
def march(request):
    """The machine whose native code is in the image; without one the fall-backs are at work."""
    return request.param


@pytest.fixture
def guest(tmp_path, march):
    """A directory with the guest for a unix MicroPython, which wants source text or `.mpy` files."""
    directory = tmp_path
    text = (HERE / "guest_vectors.py").read_text()
    image.write(image.compile_modules({"guest_vectors": text}, march=march), directory)
    (directory / "main.py").write_text(
        "import json, sys, guest_vectors\n"
        "lines = open(sys.argv[2])\n"
        "guest_vectors.run(guest_vectors.load(sys.argv[1]), (json.loads(line) for line in lines))\n"
    )
    return directory


@pytest.mark.parametrize("module", ["uike.crypto.soft", "uike.crypto.esp32"])
def test_unix_micropython(guest, module, march):
    """The 64-bit MicroPython, one case a line: also how a provider that only runs there is put to the same cases."""
    some = [case for name in cases.ALL for case in cases.sample(name, 4 if name in cases.SIGNATURES else 12)]
    (guest / "cases.json").write_text("".join(json.dumps(case) + "\n" for case in some))
    path = f"{guest}:{image.build(only=MODULES, march=march).directory}"
    command = [MICROPYTHON, "-X", "heapsize=256k", "main.py", module, "cases.json"]
    run = subprocess.run(
        command, cwd=guest, env={**os.environ, "MICROPYPATH": path}, capture_output=True, text=True, check=False
    )
    assert run.stdout.splitlines() == [f"{len(some)} of {len(some)}"], run.stdout[-2000:] + run.stderr[-2000:]
