"""Keying material in the order of RFC 7296 sections 2.14 and 2.17, and the DRBG's life."""

import hmac

import pytest

from tests.crypto import cases, guest_vectors
from uike import iana
from uike.crypto.drbg import Drbg
from uike.ike import keys

HOST = guest_vectors.load("uike.hal.cpython.crypto")


class Recorder:
    """The host's PRF; a cipher is the keys that it was asked for with."""

    prf = HOST.prf

    def cipher(self, encr, key, integ, integ_key):
        return encr, bytes(key), integ, bytes(integ_key)


class Thing:
    def __init__(self, **values):
        self.__dict__.update(values)


def make_sa(row, initiator, transforms):
    setup = Thing(nonce_i=bytes.fromhex(row["nonce_i"]), nonce_r=bytes.fromhex(row["nonce_r"]))
    return Thing(
        endpoint=Thing(crypto=Recorder()),
        transforms=transforms,
        setup=setup,
        initiator=initiator,
        spi_i=bytes.fromhex(row["spi_i"]),
        spi_r=bytes.fromhex(row["spi_r"]),
    )


@pytest.fixture(params=[True, False], ids=["initiator", "responder"])
def made(request, monkeypatch):
    """(sa, NIST's 132 bytes) after `make_ike_keys` with AES-GCM-128, whose keys take 136 with this PRF."""
    row = cases.own("ikev2_kdf.json")[0]
    chosen = {iana.ENCR: (iana.ENCR_AES_GCM_16, 128), iana.INTEG: (0, 0), iana.PRF: (iana.PRF_HMAC_SHA2_256, 0)}
    monkeypatch.setattr(keys, "get", lambda transforms, kind: transforms.get(kind, (0, 0)))
    sa = make_sa(row, request.param, chosen)
    nonces = sa.setup.nonce_i + sa.setup.nonce_r
    skeyseed = HOST.prf(iana.PRF_HMAC_SHA2_256, nonces, bytes.fromhex(row["shared"]))
    keys.make_ike_keys(sa, skeyseed, nonces)
    return sa, bytes.fromhex(row["dkm"])


def test_the_keys_of_an_ike_sa_are_cut_in_order(made):
    sa, material = made
    assert sa.sk_d == material[:32]
    to_responder = (iana.ENCR_AES_GCM_16, material[32:52], 0, b"")
    to_initiator = (iana.ENCR_AES_GCM_16, material[52:72], 0, b"")
    assert (sa.seal, sa.open) == ((to_responder, to_initiator) if sa.initiator else (to_initiator, to_responder))
    assert sa.sk_pi == material[72:104]
    assert sa.sk_pr[:28] == material[104:] and len(sa.sk_pr) == 32


def stream(key, seed, size):
    """prf+ of RFC 7296 section 2.13, by the standard library."""
    out, block = b"", b""
    for counter in range(1, 256):
        block = hmac.digest(key, block + seed + bytes([counter]), "sha256")
        out += block
    return out[:size]


def test_the_keys_of_a_child_sa_are_cut_in_order(made):
    sa, _ = made
    nonces = bytes(range(64))
    chosen = {iana.ENCR: (iana.ENCR_AES_CBC, 256), iana.INTEG: (iana.AUTH_HMAC_SHA2_512_256, 0)}
    material = stream(bytes(sa.sk_d), nonces, 2 * (32 + 64))
    numbers = iana.ENCR_AES_CBC, iana.AUTH_HMAC_SHA2_512_256
    to_responder = numbers[0], material[:32], numbers[1], material[32:96]
    to_initiator = numbers[0], material[96:128], numbers[1], material[128:]
    found = keys.child_ciphers(sa, chosen, nonces, sa.initiator)
    assert found == ((to_responder, to_initiator) if sa.initiator else (to_initiator, to_responder))


def test_prf_plus_of_every_size():
    whole = stream(b"key", b"seed", 200)
    for size in range(201):
        assert keys.prf_plus(HOST, iana.PRF_HMAC_SHA2_256, b"key", b"seed", size) == whole[:size]


class Model:
    """HMAC_DRBG as SP 800-90A section 10.1.2 has it, by the standard library."""

    def __init__(self, seed):
        self.key, self.value = bytes(32), b"\x01" * 32
        self.update(seed)

    def mac(self, data):
        return hmac.digest(self.key, data, "sha256")

    def update(self, data):
        for mark in (b"\x00", b"\x01") if data else (b"\x00",):
            self.key = self.mac(self.value + mark + data)
            self.value = self.mac(self.value)

    def draw(self, n):
        out = b""
        while len(out) < n:
            self.value = self.mac(self.value)
            out += self.value
        self.update(b"")
        return out[:n]


def test_the_drbg_reseeds_itself_after_a_thousand_requests():
    asked = []

    def entropy(n):
        asked.append(n)
        return bytes([len(asked)]) * n

    drbg = Drbg(entropy, HOST.prf)
    model = Model(b"\x01" * 48)
    for request in range(2_001):
        if request in (1_000, 2_000):
            model.update(bytes([request // 1_000 + 1]) * 48)
        size = request % 70
        assert drbg(size) == model.draw(size)
        assert asked == [48] * (1 + request // 1_000)


def test_the_drbg_refuses_bad_requests_and_bad_entropy():
    drbg = Drbg(lambda n: b"\x07" * n, HOST.prf)
    for n in (-1, 65_537):
        with pytest.raises(ValueError):
            drbg(n)
    assert len(drbg(65_536)) == 65_536 and drbg(0) == b""
    with pytest.raises(ValueError):
        Drbg(lambda n: b"\x07" * (n - 1), HOST.prf)
