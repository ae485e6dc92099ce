"""Signatures beyond their vectors: the providers agree, refuse the same, show no key, and let no faulty signature out."""

import functools
import random

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.crypto import guest_vectors
from tests.crypto.test_contract import MODULES
from uike import iana
from uike.crypto.soft import rsa_sign
from uike.hal.cpython.crypto import Provider

HOST, SOFT = [guest_vectors.load(module) for module in MODULES]
SHA2 = (iana.SHA2_256, iana.SHA2_384, iana.SHA2_512)
KINDS = {
    "rsa": (iana.RSASSA_PKCS1, SHA2),
    "pss": (iana.RSASSA_PSS, SHA2),
    "p256": (iana.ECDSA, SHA2),
    "p384": (iana.ECDSA, SHA2),
    "ed25519": (iana.EDDSA, (iana.HASH_IDENTITY,)),
}
ALGORITHMS = [scheme + number for scheme in range(0, 0x60, 0x10) for number in range(7)]
every_kind = pytest.mark.parametrize("kind", KINDS)
every_provider = pytest.mark.parametrize("provider", [HOST, SOFT], ids=["host", "soft"])


@functools.cache
def rsa_key(bits=2048):
    numbers = rsa.generate_private_key(65537, bits).private_numbers()
    public = numbers.public_numbers
    parts = (public.n, public.e, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    return (iana.KEY_RSA, *[part.to_bytes((part.bit_length() + 7) // 8, "big") for part in parts])


def private_key(kind):
    if kind in ("rsa", "pss"):
        return rsa_key()
    number, size = {
        "p256": (iana.KEY_P256, 32),
        "p384": (iana.KEY_P384, 48),
        "ed25519": (iana.KEY_ED25519, 32),
    }[kind]
    return number, bytes(range(0x41, 0x41 + size))


def algorithms(kind):
    scheme, numbers = KINDS[kind]
    return [scheme + number for number in numbers]


@every_kind
def test_the_providers_agree(kind):
    private = private_key(kind)
    source = random.Random(kind)
    public = HOST.public_key(private, source.randbytes)
    assert SOFT.public_key(private, source.randbytes) == public
    for algorithm in algorithms(kind):
        for size in (0, 1, 111, 500):
            message = source.randbytes(size)
            both = [each.sign(algorithm, private, message, source.randbytes) for each in (HOST, SOFT)]
            assert both[0] == both[1] or kind == "pss"
            for signature in both:
                assert HOST.verify(algorithm, public, message, signature) is True
                assert SOFT.verify(algorithm, public, message, signature) is True


@every_kind
@every_provider
def test_buffers_of_any_kind(provider, kind):
    private, algorithm = private_key(kind), algorithms(kind)[0]
    source = random.Random(1).randbytes
    public = provider.public_key(private, source)
    for make in (bytearray, memoryview):
        key = private[0], *[make(part) for part in private[1:]]
        signature = provider.sign(algorithm, key, make(b"message"), source)
        assert type(signature) is bytes
        others = public[0], *[make(part) for part in public[1:]]
        assert provider.verify(algorithm, others, make(b"message"), make(signature)) is True


@every_kind
@every_provider
def test_an_algorithm_is_one_of_the_key_s(provider, kind):
    private = private_key(kind)
    source = random.Random(1).randbytes
    public = provider.public_key(private, source)
    good = algorithms("rsa") + algorithms("pss") if kind in ("rsa", "pss") else algorithms(kind)
    signature = provider.sign(good[0], private, b"", source)
    for algorithm in ALGORITHMS:
        if algorithm in good:
            assert provider.verify(algorithm, public, b"", provider.sign(algorithm, private, b"", source)) is True
            continue
        with pytest.raises(ValueError):
            provider.sign(algorithm, private, b"", source)
        assert provider.verify(algorithm, public, b"", signature) is False


@every_kind
@every_provider
def test_every_bit_of_a_signature_counts(provider, kind):
    private, algorithm = private_key(kind), algorithms(kind)[0]
    source = random.Random(1).randbytes
    public = provider.public_key(private, source)
    good = provider.sign(algorithm, private, b"message", source)
    for at in range(0, len(good), 1 if provider is HOST else 7):
        bad = bytearray(good)
        bad[at] ^= 1 << at % 8
        assert provider.verify(algorithm, public, b"message", bad) is False
    for bad in (b"", good[:-1], good + b"\0", b"\0" + good, bytes(len(good)), b"\xff" * len(good)):
        assert provider.verify(algorithm, public, b"message", bad) is False


def bad_public_keys():
    n, e = rsa_key()[1:3]
    even = n[:-1] + bytes((n[-1] & 0xFE,))
    yield from ((iana.KEY_RSA, *each) for each in [(n, b"\1"), (n, b"\2"), (n, b""), (n, b"\1\0\0\0\1"), (n[1:], e)])
    yield from (
        (iana.KEY_RSA, *each) for each in [(even, e), (b"\0" + n, e), (b"\x7f" + n[1:], e), (n * 3, e), (b"", e)]
    )
    for kind, size in ((iana.KEY_P256, 32), (iana.KEY_P384, 48), (iana.KEY_P521, 66)):
        yield from ((kind, each) for each in [b"", b"\0", b"\4", b"\4" + bytes(2 * size), b"\4" + b"\xff" * 2 * size])
        yield from (
            (kind, each) for each in [b"\2" + bytes(size), b"\4" + bytes(2 * size - 1), b"\4" + bytes(2 * size + 1)]
        )
    yield from ((iana.KEY_ED25519, each) for each in [b"", bytes(31), bytes(33), b"\xff" * 32, b"\2" + bytes(31)])
    yield from [None, (), (0,), (9, b"")]


@every_provider
def test_bad_public_keys_verify_nothing(provider):
    for key in bad_public_keys():
        for algorithm in ALGORITHMS:
            for size in (0, 64, 96, 132, 256):
                assert provider.verify(algorithm, key, b"", bytes(size)) is False, key


@every_provider
def test_bad_private_keys_are_errors(provider):
    kind, n, e, p, q, dp, dq, qinv = rsa_key()
    odd = bytes(127) + b"\3"
    bad = [(kind, n, e, q, p, dp, dq, qinv), (kind, n, e, p, q, odd, dq, qinv), (kind, n, e, p, q, dp, dq, odd)]
    bad += [(kind, n, e, p, p, dp, dq, qinv), (kind, n[1:], e, p, q, dp, dq, qinv), (kind, n, e, b"", q, dp, dq, qinv)]
    for number, size, order in ((iana.KEY_P256, 32, "ff" * 4 + "00" * 4 + "ff" * 24), (iana.KEY_P384, 48, "ff" * 48)):
        scalars = [bytes(size), bytes.fromhex(order), bytes(size) + b"\1", b"\1" * (size - 1), b""]
        bad += [(number, scalar) for scalar in scalars]
    bad += [(iana.KEY_ED25519, bytes(31)), (iana.KEY_ED25519, bytes(33)), (iana.KEY_P521, b"\0" * 65 + b"\1")]
    schemes = {iana.KEY_RSA: iana.RSASSA_PKCS1 + iana.SHA2_256, iana.KEY_ED25519: iana.EDDSA + iana.HASH_IDENTITY}
    for key in bad:
        with pytest.raises(ValueError) as caught:
            provider.sign(schemes.get(key[0], iana.ECDSA + iana.SHA2_256), key, b"", random.Random(1).randbytes)
        shown = str(caught.value) + repr(caught.value)
        assert p[:4].hex() not in shown and str(int.from_bytes(p, "big")) not in shown


def test_a_fault_in_one_half_of_rsa_does_not_get_out(monkeypatch):
    """What would give the factors away (Boneh, DeMillo and Lipton): the wrong result is noticed before it leaves."""
    private = rsa_key()
    calls = []

    def faulty(base, exponent, modulus):
        calls.append(modulus)
        return pow(base, exponent, modulus) ^ (len(calls) == 3)  # the power modulo q

    monkeypatch.setattr(rsa_sign, "pow", faulty, raising=False)
    with pytest.raises(ValueError):
        SOFT.sign(iana.RSASSA_PKCS1 + iana.SHA2_256, private, b"message", random.Random(1).randbytes)
    assert len(calls) == 3 and calls[2] == int.from_bytes(private[4], "big")


def test_each_signature_is_blinded_anew(monkeypatch):
    """Two signatures of one message with RSA: no secret exponent and no base is the same."""
    seen = []
    monkeypatch.setattr(rsa_sign, "pow", lambda *arguments: seen.append(arguments) or pow(*arguments), raising=False)
    source = random.Random(1).randbytes
    both = [SOFT.sign(iana.RSASSA_PKCS1 + iana.SHA2_256, rsa_key(), b"message", source) for _ in range(2)]
    assert both[0] == both[1] and len(seen) == 6
    for first, second in zip(seen[:3], seen[3:], strict=True):
        assert first[0] != second[0] and first[2] == second[2]
    assert all(first[1] != second[1] for first, second in zip(seen[1:3], seen[4:], strict=True))


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_sizes_of_rsa(bits):
    source = random.Random(1).randbytes
    for scheme in (iana.RSASSA_PKCS1, iana.RSASSA_PSS):
        signature = SOFT.sign(scheme + iana.SHA2_256, rsa_key(bits), b"message", source)
        assert len(signature) == bits // 8
        assert Provider().verify(scheme + iana.SHA2_256, rsa_key(bits)[:3], b"message", signature)


def test_small_keys_are_refused():
    for provider in (HOST, SOFT):
        with pytest.raises(ValueError):
            provider.sign(iana.RSASSA_PKCS1 + iana.SHA2_256, rsa_key(1024), b"", random.Random(1).randbytes)
