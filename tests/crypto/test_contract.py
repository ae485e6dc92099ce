"""The crypto contract (uike/crypto/__init__.py) beyond its numbers: buffers, errors, refusals, wiping, silence."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crypto import guest_vectors
from uike import crypto, iana
from uike.crypto import suites

MODULES = ("uike.hal.cpython.crypto", "uike.crypto.soft")
KEY = bytes(range(0x41, 0x41 + 36))
CIPHERS = {
    f"{name}-{integ}": (encr, KEY[:size], integ, bytes(range(0x80, 0x80 + suites.integ_key_size(integ))))
    for name, encr, size, integs in (
        ("cbc128", iana.ENCR_AES_CBC, 16, suites.INTEG),
        ("cbc256", iana.ENCR_AES_CBC, 32, suites.INTEG),
        ("gcm128", iana.ENCR_AES_GCM_16, 20, (0,)),
        ("gcm256", iana.ENCR_AES_GCM_16, 36, (0,)),
        ("chacha20poly1305", iana.ENCR_CHACHA20_POLY1305, 36, (0,)),
    )
    for integ in integs
}
AAD = 8
every_cipher = pytest.mark.parametrize("name", CIPHERS)


@pytest.fixture(scope="module", params=MODULES)
def provider(request):
    return guest_vectors.load(request.param)


def private(group):
    return guest_vectors.Fixed(bytes(range(1, 41))[: 40 if group == iana.ECP_256 else 32])


def sealed(cipher, plain=b"sixteen bytes, 1" * 2):
    """(buffer, end) of a sealed packet."""
    start = AAD + cipher.iv_size
    buf = bytearray(bytes(range(start)) + plain + bytes(cipher.icv_size))
    cipher.seal(buf, AAD, start + len(plain))
    return buf, start + len(plain)


@every_cipher
def test_sizes_are_those_of_the_suites(provider, name):
    encr, key, integ, integ_key = CIPHERS[name]
    cipher = provider.cipher(encr, key, integ, integ_key)
    assert cipher.iv_size == suites.iv_size(encr)
    assert cipher.icv_size == suites.icv_size(encr, integ)
    assert cipher.block_size == suites.block_size(encr)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@every_cipher
def test_keys_may_be_any_buffer(provider, name, kind):
    encr, key, integ, integ_key = CIPHERS[name]
    expected, _ = sealed(provider.cipher(encr, key, integ, integ_key))
    assert sealed(provider.cipher(encr, kind(key), integ, kind(integ_key)))[0] == expected


@every_cipher
def test_a_packet_may_lie_in_a_memoryview(provider, name):
    cipher = provider.cipher(*CIPHERS[name])
    expected, end = sealed(cipher)
    whole = bytearray(b"\xee" * 7 + bytes(expected[: AAD + cipher.iv_size]) + b"sixteen bytes, 1" * 2)
    whole += bytes(cipher.icv_size) + b"\xee" * 5
    view = memoryview(whole)[7:-5]
    cipher.seal(view, AAD, end)
    assert view == expected
    assert cipher.open(view, AAD, end) is True
    assert bytes(view[AAD + cipher.iv_size : end]) == b"sixteen bytes, 1" * 2
    assert whole[:7] == b"\xee" * 7 and whole[-5:] == b"\xee" * 5


@every_cipher
def test_room_behind_the_icv_is_left_alone(provider, name):
    cipher = provider.cipher(*CIPHERS[name])
    expected, end = sealed(cipher)
    buf = bytearray(bytes(expected) + b"behind")
    assert cipher.open(buf, AAD, end) is True
    cipher.seal(buf, AAD, end)
    assert buf == expected + b"behind"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_prf_sha1_and_public_values_take_any_buffer(provider, kind):
    for number, size in suites.PRF.items():
        for length in (0, 20, 200):
            key, data = b"k" * length, b"d" * length
            out = provider.prf(number, kind(key), kind(data))
            assert len(out) == size and out == provider.prf(number, key, data)
    assert provider.sha1(kind(b"abc")).hex() == "a9993e364706816aba3e25717850c26c9cd0d89d"
    for group in suites.KE:
        peer = provider.key_exchange(group, private(group)).public
        ours = provider.key_exchange(group, private(group))
        assert ours.shared(kind(peer)) == provider.key_exchange(group, private(group)).shared(peer)


def test_exchanges_have_the_sizes_of_the_suites(provider):
    for group, (public_size, shared_size) in suites.KE.items():
        ours = provider.key_exchange(group, private(group))
        assert len(ours.public) == public_size == suites.ke_size(group)
        assert len(ours.shared(bytes(ours.public))) == shared_size


@every_cipher
def test_seal_refuses_its_callers_mistakes(provider, name):
    cipher = provider.cipher(*CIPHERS[name])
    start, icv = AAD + cipher.iv_size, cipher.icv_size
    mistakes = [(start + 16 + icv - 1, start + 16), (start + 16, start + 16), (200, start - 1), (0, start)]
    if cipher.block_size > 1:
        mistakes += [(200, start + 16 + extra) for extra in range(1, 16)]
    for size, end in mistakes:
        buf = bytearray(b"\x55" * size)
        with pytest.raises(ValueError):
            cipher.seal(buf, AAD, end)
        assert buf == b"\x55" * size, "touched"


@every_cipher
@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=120), st.integers(0, 150), st.integers(-40, 150))
def test_open_never_raises(name, data, aad, end):
    for module in MODULES:
        cipher = guest_vectors.load(module).cipher(*CIPHERS[name])
        buf = bytearray(data)
        assert cipher.open(buf, aad, end) is False
        assert buf == data


@every_cipher
def test_each_bit_of_a_packet_counts(provider, name):
    cipher = provider.cipher(*CIPHERS[name])
    good, end = sealed(cipher)
    for at in range(len(good)):
        buf = bytearray(good)
        buf[at] ^= 1 << at % 8
        changed = bytes(buf)
        assert cipher.open(buf, AAD, end) is False and buf == changed, at
    for other in (end - 16, end - 1, end + 1, end + 16):
        buf = bytearray(bytes(good) + bytes(16))
        assert cipher.open(buf, AAD, other) is False
    assert cipher.open(good, AAD, end) is True


BAD_CIPHERS = [
    *[(iana.ENCR_AES_CBC, bytes(n), iana.AUTH_HMAC_SHA2_256_128, bytes(32)) for n in (0, 15, 17, 20, 24, 31, 33)],
    *[(iana.ENCR_AES_GCM_16, bytes(n), 0, b"") for n in (0, 16, 19, 21, 28, 32, 35, 37)],
    *[(iana.ENCR_CHACHA20_POLY1305, bytes(n), 0, b"") for n in (0, 20, 32, 35, 37)],
    *[(iana.ENCR_AES_CBC, bytes(16), iana.AUTH_HMAC_SHA2_256_128, bytes(n)) for n in (0, 31, 33, 48, 64)],
    *[(iana.ENCR_AES_CBC, bytes(16), integ, bytes(n)) for integ in (0, 1, 2, 11, 15, 16) for n in (0, 20, 32, 80)],
    (iana.ENCR_AES_GCM_16, bytes(20), iana.AUTH_HMAC_SHA2_256_128, bytes(32)),
    (iana.ENCR_AES_GCM_16, bytes(20), 0, bytes(32)),
    (iana.ENCR_CHACHA20_POLY1305, bytes(36), iana.AUTH_HMAC_SHA2_256_128, b""),
    *[(encr, bytes(16), 0, b"") for encr in (0, 3, 11, 13, 18, 19, 99)],
]


def test_unknown_numbers_and_wrong_keys_are_errors(provider):
    for arguments in BAD_CIPHERS:
        with pytest.raises(ValueError):
            provider.cipher(*arguments)
            pytest.fail(f"made {arguments}")
    for number in (0, 1, 2, 4, 8, 99):
        with pytest.raises(ValueError):
            provider.prf(number, b"key", b"data")
        with pytest.raises(ValueError):
            provider.key_exchange(number, private(number))


def reachable(thing, seen=None):
    """Every buffer and integer that an object of ours leads to; OpenSSL's objects are closed to us."""
    seen = {} if seen is None else seen
    if id(thing) in seen:
        return
    seen[id(thing)] = thing
    if isinstance(thing, (bytes, bytearray, memoryview, array)):
        yield bytes(thing)
    elif isinstance(thing, int):
        yield thing.to_bytes((thing.bit_length() + 7) // 8 or 1, "big")
    elif isinstance(thing, (list, tuple)):
        for each in thing:
            yield from reachable(each, seen)
    elif type(thing).__module__.startswith("uike."):
        for name, each in vars(thing).items():
            if name != "_random":  # the source is its owner's
                yield from reachable(each, seen)


@every_cipher
def test_a_wiped_cipher_holds_no_key(provider, name):
    encr, key, integ, integ_key = CIPHERS[name]
    cipher = provider.cipher(encr, key, integ, integ_key)
    buffers = [value for value in reachable(cipher) if len(value) > 2]
    assert any(any(value) for value in buffers)
    cipher.wipe()
    left = [value for value in reachable(cipher) if len(value) > 2]
    assert not any(any(value) for value in left), left
    cipher.wipe()  # twice does no harm


def test_a_wiped_exchange_holds_no_private_value(provider):
    for group in suites.KE:
        exchange = provider.key_exchange(group, private(group))
        exchange.wipe()
        left = [value for value in reachable(exchange) if value != exchange.public and any(value)]
        assert not left, (group, left)


def secrets_in(text):
    forms = [KEY[:4].decode(), KEY[:4].hex(), repr(KEY[:4])[2:-1], str(int.from_bytes(KEY[:8], "big"))]
    return [form for form in forms if form in text]


@every_cipher
def test_nothing_shows_a_key(provider, name):
    encr, key, integ, integ_key = CIPHERS[name]
    cipher = provider.cipher(encr, key, integ, integ_key)
    assert not secrets_in(repr(cipher) + str(cipher) + repr(provider))
    for call in (
        lambda: cipher.seal(bytearray(key), 0, 500),
        lambda: provider.cipher(encr, key + b"x", integ, integ_key),
        lambda: provider.cipher(encr, key, 99, key),
        lambda: provider.prf(99, key, key),
        lambda: provider.key_exchange(99, lambda n: key),
        lambda: provider.key_exchange(iana.CURVE25519, lambda n: (key * 2)[:n]).shared(key * 3),
    ):
        with pytest.raises(ValueError) as caught:
            call()
        assert not secrets_in(str(caught.value) + repr(caught.value))


def test_an_exchange_shows_no_private_value(provider):
    for group in suites.KE:
        exchange = provider.key_exchange(group, lambda n: (KEY * 2)[:n])
        assert not secrets_in(repr(exchange) + str(exchange))


class Watched:
    """A buffer that counts how often it is read."""

    def __init__(self, data):
        self.data, self.reads = data, 0

    def __len__(self):
        return len(self.data)

    def __getitem__(self, at):
        self.reads += 1
        return self.data[at]


def test_equal_reads_everything_wherever_the_difference_is():
    for at in (None, 0, 7, 15):
        other = bytearray(16)
        if at is not None:
            other[at] = 0x80
        left, right = Watched(bytes(16)), Watched(other)
        assert crypto.equal(left, right) is (at is None)
        assert (left.reads, right.reads) == (16, 16)


def test_equal_and_wipe():
    assert crypto.equal(b"", bytearray()) and crypto.equal(memoryview(b"ab"), b"ab")
    assert not crypto.equal(b"ab", b"abc") and not crypto.equal(b"", b"a")
    for buf in (bytearray(b"secret"), array("H", [1, 65535]), memoryview(bytearray(b"secret"))):
        crypto.wipe(buf)
        assert not any(buf) and len(buf)


def test_suites_refuse_what_they_do_not_have():
    assert suites.encr_key_size(iana.ENCR_AES_CBC, 256) == 32
    assert suites.encr_key_size(iana.ENCR_AES_GCM_16, 128) == 20
    assert suites.encr_key_size(iana.ENCR_CHACHA20_POLY1305, 0) == 36
    assert suites.integ_key_size(0) == 0
    for encr, bits in ((iana.ENCR_AES_CBC, 192), (iana.ENCR_AES_GCM_16, 0), (iana.ENCR_CHACHA20_POLY1305, 256)):
        with pytest.raises(ValueError):
            suites.encr_key_size(encr, bits)
    for function in (suites.prf_size, suites.is_aead, suites.iv_size, suites.block_size, suites.ke_size):
        with pytest.raises(KeyError):
            function(99)
