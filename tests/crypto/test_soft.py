"""Parts of `soft` that the contract reaches only through others, or not on CPython, against NIST and RFC 7748."""

import pytest

from tests.crypto import cases
from uike.crypto.soft import sha1, sha512, x25519

LONG = 8  # every how many of the long messages: each is a few thousand blocks of garbage


def digest(new, data):
    h = new()
    h.update(data)
    return h.digest().hex()


@pytest.mark.parametrize("bits, new", [(384, sha512.Sha384), (512, sha512.Sha512)])
def test_sha512_messages(bits, new):
    short = cases.records(f"hashes/SHA2/SHA{bits}ShortMsg.rsp")
    long = cases.records(f"hashes/SHA2/SHA{bits}LongMsg.rsp")[::LONG]
    assert (len(short), len(long)) == (129, 16)
    for record in short + long:
        assert digest(new, bytes.fromhex(cases.message(record))) == record["MD"], record["Len"]


@pytest.mark.parametrize("bits, new", [(384, sha512.Sha384), (512, sha512.Sha512)])
def test_sha512_monte_carlo(bits, new):
    """The first of NIST's hundred checkpoints: a thousand digests, each of the last three."""
    seed, first = cases.records(f"hashes/SHA2/SHA{bits}Monte.rsp")[:2]
    last = [bytes.fromhex(seed["Seed"])] * 3
    for _ in range(1_000):
        last = [*last[1:], bytes.fromhex(digest(new, b"".join(last)))]
    assert last[2].hex() == first["MD"]


@pytest.mark.parametrize("new, size", [(sha512.Sha384, 48), (sha512.Sha512, 64)])
def test_sha512_in_pieces(new, size):
    data = bytes(range(256)) * 2
    for cut in range(0, len(data), 13):
        h = new()
        for piece in (data[:cut], b"", memoryview(data)[cut : cut + 5], bytearray(data[cut + 5 :])):
            h.update(piece)
        assert h.digest().hex() == digest(new, data)
    assert len(digest(new, data)) == 2 * size


def test_sha1_messages():
    """`hashlib` has it on CPython and on boards, so that ours is used in the VM alone."""
    for record in cases.records("hashes/SHA1/SHA1ShortMsg.rsp"):
        assert sha1.sha1(bytes.fromhex(cases.message(record))).hex() == record["MD"]


def test_x25519_a_thousand_times():
    """RFC 7748 section 5.2: each result is the next scalar, each scalar the next u coordinate."""
    k = u = b"\x09" + bytes(31)
    for count in range(1, 1_001):
        k, u = x25519.multiply(k, u, lambda n: bytes(range(n))), k
        if count == 1:
            assert k.hex() == "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
    assert k.hex() == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"
