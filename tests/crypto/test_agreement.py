"""The two providers agree with each other wherever no publication goes: every size, every key, every exchange."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crypto import guest_vectors
from tests.crypto.test_contract import CIPHERS, MODULES, every_cipher
from uike.crypto import suites

HOST, SOFT = [guest_vectors.load(module) for module in MODULES]


def both_ways(one, other, aad, iv, plain):
    """What `one` seals, `other` seals as well, and opens."""
    head = aad + iv
    end = len(head) + len(plain)
    buf = bytearray(head + plain + bytes(one.icv_size))
    same = bytearray(buf)
    one.seal(buf, len(aad), end)
    other.seal(same, len(aad), end)
    assert buf == same
    assert other.open(buf, len(aad), end) is True and one.open(same, len(aad), end) is True
    assert buf[:end] == same[:end] == head + plain


@every_cipher
def test_every_size(name):
    source = random.Random(name)
    encr, key, integ, integ_key = CIPHERS[name]
    key, integ_key = source.randbytes(len(key)), source.randbytes(len(integ_key))
    host, soft = (provider.cipher(encr, key, integ, integ_key) for provider in (HOST, SOFT))
    for size in (*range(209), *range(1376, 1409)):
        if size % host.block_size == 0:
            aad = source.randbytes(source.choice((0, 8, 12, 32)))
            both_ways(host, soft, aad, source.randbytes(host.iv_size), source.randbytes(size))


@every_cipher
@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.binary(max_size=64), st.binary(min_size=16, max_size=16), st.binary(max_size=300), st.randoms())
def test_arbitrary_packets(name, aad, iv, plain, source):
    encr, key, integ, integ_key = CIPHERS[name]
    key, integ_key = source.randbytes(len(key)), source.randbytes(len(integ_key))
    host, soft = (provider.cipher(encr, key, integ, integ_key) for provider in (HOST, SOFT))
    plain = plain[: len(plain) - len(plain) % host.block_size]
    both_ways(soft, host, aad, iv[: host.iv_size], plain)


@pytest.mark.parametrize("number", suites.PRF)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_prf(number, key, data):
    assert HOST.prf(number, key, data) == SOFT.prf(number, key, data)


@pytest.mark.parametrize("number", suites.PRF)
def test_prf_of_every_key_size(number):
    for size in range(140):
        assert HOST.prf(number, bytes(range(size)), b"data") == SOFT.prf(number, bytes(range(size)), b"data"), size


@pytest.mark.parametrize("first, second", [(HOST, SOFT), (SOFT, HOST)], ids=["host-soft", "soft-host"])
@pytest.mark.parametrize("group", suites.KE)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.binary(min_size=40, max_size=40), st.binary(min_size=40, max_size=40))
def test_key_exchange(first, second, group, here, there):
    size = {guest_vectors.P256: 40}.get(group, 32)
    one = first.key_exchange(group, guest_vectors.Fixed(here[:size]))
    other = second.key_exchange(group, guest_vectors.Fixed(there[:size]))
    assert first.key_exchange(group, guest_vectors.Fixed(there[:size])).public == other.public
    secret = one.shared(other.public)
    assert secret == other.shared(one.public) and len(secret) == suites.KE[group][1]


@pytest.mark.parametrize("group", suites.KE)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_what_one_refuses_the_other_refuses(group, peer):
    """Arbitrary public values of arbitrary length; those of the right one too."""
    size = suites.ke_size(group)
    for value in (peer, (peer + bytes(size))[:size]):
        answers = []
        for provider in (HOST, SOFT):
            exchange = provider.key_exchange(
                group, guest_vectors.Fixed(bytes(range(40 if group == guest_vectors.P256 else 32)))
            )
            try:
                answers.append(exchange.shared(value))
            except ValueError:
                answers.append(None)
        assert answers[0] == answers[1]
