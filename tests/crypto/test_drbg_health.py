"""The DRBG against NIST's vectors, the health tests of its source, and that nothing else in the firmware is random."""

import ast
import hashlib
import hmac
from fractions import Fraction
from math import comb
from pathlib import Path

import pytest

from uike import reason
from uike.crypto import Failure
from uike.crypto.drbg import Drbg
from uike.crypto.health import watch
from uike.crypto.soft import Provider

FIRMWARE = Path(__file__).parent.parent.parent / "firmware"
PRF = Provider().prf


def good(seed):
    """Entropy that is none, but looks it: (n) -> n bytes."""
    count = [0]

    def entropy(n):
        count[0] += 1
        return hashlib.shake_256(f"{seed}/{count[0]}".encode()).digest(n)

    return entropy


# NIST CAVS 14.3, HMAC_DRBG.rsp, SHA-256, first vector without and with reseeding: (entropy | nonce, reseed, answer)
VECTORS = [
    (
        "ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488659ba96c601dc69fc902940805ec0ca8",
        None,
        "e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89d54fbb978a15b5c443c9ec21036d2460b6f73ebad0dc2aba"
        "6e624abf07745bc107694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668961df86803482cb37ed6d5c0bb8d50cf"
        "1f50d476aa0458bdaba806f48be9dcb8",
    ),
    (
        "06032cd5eed33f39265f49ecb142c511da9aff2af71203bffaf34a9ca5bd9c0d0e66f71edc43e42a45ad3c6fc6cdc4df",
        "01920a4e669ed3a85ae8a33b35a74ad7fb2a6bb4cf395ce00334a9c9a5a5d552",
        "76fc79fe9b50beccc991a11b5635783a83536add03c157fb30645e611c2898bb2b1bc215000209208cd506cb28da2a51bdb03826aaf2bd23"
        "35d576d519160842e7158ad0949d1a9ec3e66ea1b1a064b005de914eac2e9d4f2d72a8616a80225422918250ff66a41bd2f864a6a38cc5b6"
        "499dc43f7f2bd09e1e0f8f5885935124",
    ),
]


@pytest.mark.parametrize("seed, more, answer", VECTORS)
def test_published_vectors(seed, more, answer):
    seed = bytes.fromhex(seed)
    # The vector's reseed takes 32 bytes of entropy; ours asks for 48 at least, so they say that they are.
    draws = [seed] + ([bytes.fromhex(more)] if more else [])

    class Long(bytes):
        def __len__(self):
            return 48

    random = Drbg(lambda n: Long(draws.pop(0)), PRF)
    if more:
        random.reseed()
    random(128)
    assert random(128).hex() == answer


def test_more_is_mixed_in_and_does_not_replace():
    outputs = set()
    for first, more in ((1, b""), (1, b"a"), (1, b"b"), (2, b"a")):
        random = Drbg(good(first), PRF)
        random.reseed(more)
        outputs.add(random(32))
    assert len(outputs) == 4


def test_entropy_is_drawn_again_before_the_thousand_and_first_request():
    draws = []

    def entropy(n):
        draws.append(n)
        return good(len(draws))(n)

    random = Drbg(entropy, lambda prf_id, key, data: hmac.digest(key, data, "sha256"))
    for _ in range(1000):
        random(1)
    assert draws == [48]
    random(1)
    assert draws == [48, 48]


def test_a_draw_is_a_whole_window_and_all_of_it_goes_in():
    asked = []

    def entropy(n):
        asked.append(n)
        return good(1)(n)

    assert watch(entropy)(48) == good(1)(512) and asked == [512]


WORD = bytes.fromhex("8badf00d")
BROKEN = {
    "stuck at zero": bytes(512),
    "stuck at one": b"\xff" * 512,
    "a register that never changes": WORD * 128,
    "a word of 26 bytes": (bytes(range(26)) * 20)[:512],
    "six in a row": good(3)(300) + b"\x00" * 6 + good(4)(206),
    "six in a row at the end": good(3)(506) + b"\x07" * 6,
    "four bits a sample": bytes(byte & 15 for byte in good(5)(512)),
    "nineteen like the first": bytes([1] + [2, 1] * 18 + [3, 4] * 237 + [5]),
}


@pytest.mark.parametrize("samples", BROKEN.values(), ids=BROKEN)
def test_a_source_that_repeats_itself_is_found(samples):
    assert len(samples) == 512
    with pytest.raises(Failure) as failure:
        watch(lambda n: samples)(48)
    assert failure.value.args == (reason.ENTROPY_FAILED, b"")


def test_one_less_than_each_cutoff_passes():
    five = good(3)(300) + b"\x00" * 5 + b"\x01" + good(4)(206)
    eighteen = bytes([1] + [2, 1] * 17 + [3, 4] * 238 + [5])
    for samples in (five, eighteen):
        assert watch(lambda n, samples=samples: samples)(48) == samples


def refuses(n):
    raise OSError(19)


@pytest.mark.parametrize("entropy", [refuses, lambda n: None, lambda n: b"", lambda n: good(1)(n - 1)])
def test_a_source_that_gives_nothing_or_too_little_is_found(entropy):
    with pytest.raises(Failure) as failure:
        watch(entropy)(48)
    assert failure.value.args == (reason.NO_ENTROPY, b"")


def test_a_source_that_breaks_later_is_found_at_the_next_reseed():
    broken = []
    random = Drbg(watch(lambda n: bytes(n) if broken else good(1)(n)), PRF)
    broken.append(True)
    random(1)
    with pytest.raises(Failure):
        random.reseed()


def test_the_cutoffs_are_those_of_the_standard():
    """SP 800-90B 4.4.1 and 4.4.2 for H = 8, a window of 512 and 2**-40; and a sound source fails one draw in 2**30."""
    p, limit = Fraction(1, 256), Fraction(1, 1 << 40)

    def tail(n, at_least):
        return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(at_least, n + 1))

    critical = next(k for k in range(512) if tail(512, k + 1) <= limit)
    assert 1 + critical == 19 and 1 + 40 // 8 == 6
    assert 507 * p**5 + tail(511, 18) < Fraction(1, 1 << 30)


def test_sound_entropy_passes():
    source = watch(good(7))
    assert all(len(source(48)) == 512 for _ in range(2_000))


def test_a_failure_is_no_exception():
    """The engine turns every Exception into a drop; this one must reach the appliance."""
    assert not issubclass(Failure, Exception)


SOURCES = {"urandom", "getrandbits", "randbytes", "token_bytes", "esp_random", "random32"}


def random_sources(tree):
    """(line, what) for each source of randomness that a file names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names if alias.name.split(".")[0] in ("random", "secrets")]
        elif isinstance(node, ast.ImportFrom):
            found = [node.module] if node.module in ("random", "secrets", "urandom") else []
            found += [alias.name for alias in node.names if alias.name in SOURCES]
        elif isinstance(node, ast.Attribute):
            found = [node.attr] if node.attr in SOURCES else []
        elif isinstance(node, ast.Constant):
            found = [node.value] if node.value in ("random", "secrets", "urandom") else []
        else:
            found = []
        yield from ((node.lineno, what) for what in found)


def test_nothing_but_the_drbg_is_random():
    for path in FIRMWARE.rglob("*.py"):
        if "hal" not in path.parts:
            assert not list(random_sources(ast.parse(path.read_text()))), path


def test_only_the_boot_asks_the_board_for_entropy():
    """And who must know who is there while nothing else runs (safe mode): a challenge is no secret."""
    asking = [
        path.name
        for path in FIRMWARE.rglob("*.py")
        if "hal" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "entropy"
    ]
    assert sorted(asking) == ["admin.py", "boot.py"]


@pytest.mark.parametrize(
    "text",
    ["import random", "from os import urandom", "import os\nos.urandom(4)", "import urandom as r\nr.getrandbits(8)",
     "__import__('random')", "from secrets import token_bytes"],
)  # fmt: skip
def test_the_walk_sees_other_sources(text):
    assert list(random_sources(ast.parse(text)))
