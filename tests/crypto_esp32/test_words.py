"""The kernels on words of 32 bits, against OpenSSL and big integers: random numbers, and those that carry most."""

import hashlib
import os
import struct
from array import array
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import ciphers, poly1305

from tests.crypto_esp32 import words
from uike.crypto.soft import sha512 as soft_sha512

KERNELS = Path(__file__).parent.parent.parent / "firmware" / "uike" / "crypto" / "esp32" / "kernels"
P25519 = (1 << 255) - 19
P256 = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
ONES = b"\xff" * 64
MIXED = hashlib.sha512(b"uike").digest() * 2


@pytest.fixture(scope="module")
def kernel():
    return {path.stem: words.load(path) for path in KERNELS.glob("*.py")}


def test_words_are_cut(tmp_path):
    (tmp_path / "k.py").write_text(
        "@micropython.viper\ndef f(p: ptr32, a: int, b: int) -> int:\n    p[0] = a * b\n    a += b\n    return a >> 1\n"
    )
    f, out = words.load(tmp_path / "k.py")["f"], array("I", [7])
    assert f(out, 0x7FFFFFFF, 3) == -0x3FFFFFFF  # with wider words it would be 0x40000001
    assert out[0] == 0x7FFFFFFD


def test_pointers_stay_in_their_buffers(tmp_path):
    (tmp_path / "k.py").write_text("@micropython.viper\ndef f(p: ptr32, n: int) -> int:\n    return p[n]\n")
    f = words.load(tmp_path / "k.py")["f"]
    assert f(array("I", [1, 2]), 1) == 2
    with pytest.raises(AssertionError, match="outside"):
        f(array("I", [1, 2]), -1)


@pytest.mark.parametrize("prime", [P25519, P256], ids=["25519", "P-256"])
def test_field(kernel, prime):
    field = kernel["field"]
    kind = field["P25519"] if prime == P25519 else field["P256"]
    scale = 121665 if prime == P25519 else 2
    inverse = pow(1 << 260, -1, prime) if prime == P256 else 1
    r = array("I", bytes(4 * field["size"](3)))
    field["prepare"](r, prime)
    top = (1 << prime.bit_length()) - 1
    edges = [0, 1, prime - 1, prime, top, int("5" * 64, 16) & top, (1 << 247) - 1]
    pairs = [(a, b) for a in edges for b in edges[-3:]] + [(int.from_bytes(os.urandom(31), "big"), prime - 1)]
    for a, b in pairs:
        field["store"](r, 0, a)
        field["store"](r, 1, b)
        # The first result is an operand of the next step, as it is: not reduced to the last bit.
        program = bytes((field["SUBTRACT"], 2, 0, 1, field["MULTIPLY"], 2, 2, 0, field["ADD"], 2, 2, 1))
        program += bytes((field["SCALE"], 2, 2, 0, field["MULTIPLY"], 2, 2, 2))
        field["run"](r, 0, r, program, 5, kind, 0)
        expected = scale * ((a - b) * a * inverse + b) + a
        assert field["load"](r, 2, prime) == expected * expected * inverse % prime, (a, b)
        assert max(r[60:]) < 1 << 13


def test_field_swap_and_pick(kernel):
    field = kernel["field"]
    r = array("I", bytes(4 * field["size"](51)))
    for index in range(48):
        field["store"](r, index, index + 1 << 240 | index)
    for choice in range(16):
        field["run"](r, 0, r, bytes((field["PICK"], 48, 0, 0)), 1, 0, choice)
        assert r[60 + 48 * 20 : 60 + 51 * 20] == r[60 + 60 * choice : 60 + 60 * choice + 60]
    before = r[:]
    field["run"](r, 0, r, bytes((field["SWAP"], 0, 3, 5)), 1, 0, 0)
    assert r == before
    field["run"](r, 0, r, bytes((field["SWAP"], 0, 3, 5)), 1, 0, 1)
    assert r[120:140] == before[160:180] and r[160:180] == before[120:140] and r[180:] == before[180:]


def ghash(h, data):
    """Section 6.4 of SP 800-38D, bit by bit; bit 127 is the first coefficient."""
    h, total = int.from_bytes(h, "big"), 0
    for at in range(0, len(data), 16):
        x, total, v = total ^ int.from_bytes(data[at : at + 16], "big"), 0, h
        for i in range(127, -1, -1):
            total ^= v * (x >> i & 1)
            v = v >> 1 ^ (0xE1 << 120) * (v & 1)
    return total.to_bytes(16, "big")


@pytest.mark.parametrize("h", [bytes(16), ONES[:16], b"\x80" + bytes(15), bytes(15) + b"\1", MIXED[:16]], ids=bytes.hex)
def test_ghash(kernel, h):
    work = array("I", bytes(4 * kernel["ghash"]["SIZE"]))
    kernel["ghash"]["start"](work, h)
    for data in (ONES, bytes(15) + b"\1" + b"\x80" + bytes(15), os.urandom(48)):
        out = bytearray(16)
        kernel["ghash"]["update"](work, data, len(data) // 16)
        kernel["ghash"]["finish"](work, out)
        assert out == ghash(h, data)


@pytest.mark.parametrize("key", [bytes(32), ONES[:32], MIXED[:32]], ids=bytes.hex)
@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
def test_chacha20(kernel, key, size):
    nonce = os.urandom(12)
    state = array("I", struct.unpack("<4I8I", b"expand 32-byte k" + key) + (7,) + struct.unpack("<3I", nonce))
    state.extend([0] * 16)
    data = bytearray(os.urandom(size))
    algorithm = ciphers.algorithms.ChaCha20(key, (7).to_bytes(4, "little") + nonce)
    expected = ciphers.Cipher(algorithm, None).encryptor().update(bytes(data))
    kernel["chacha20"]["crypt"](0, 0, state, kernel["chacha20"]["ORDER"], data, size)
    assert data == expected and state[12] == 7 + (size + 63) // 64 and not any(state[16:])


@pytest.mark.parametrize(
    "key", [ONES[:32], b"\2" + bytes(31), b"\2" + bytes(15) + ONES[:16], MIXED[:32]], ids=bytes.hex
)
def test_poly1305(kernel, key):
    names = kernel["poly1305"]
    five = b"\xfb" + b"\xff" * 15  # with r = 2 the hash ends at p and just above it (RFC 8439 appendix A.3)
    messages = (b"", ONES, ONES[:16], five, ONES[:16] + five, b"\x02" + bytes(15), bytes(64), os.urandom(96))
    for message in messages:
        work, out = array("I", bytes(4 * names["SIZE"])), bytearray(16)
        names["start"](work, key)
        names["update"](work, work, message, len(message) // 16)
        names["finish"](work, key[16:], out)
        assert out == poly1305.Poly1305.generate_tag(key, message), message
        assert not any(work)


@pytest.mark.parametrize("data", [bytes(111), ONES + ONES[:47], MIXED[:111]])
def test_sha512(kernel, data):
    work = array("I", bytes(4 * kernel["sha512"]["SIZE"]))
    for i, word in enumerate(soft_sha512._ROUNDS):
        work[160 + 2 * i : 162 + 2 * i] = array("I", [word >> 32, word & 0xFFFFFFFF])
    start = soft_sha512._START_512
    state = array("I", [int(start[at : at + 8], 16) for at in range(0, 128, 8)])
    kernel["sha512"]["block"](work, state, data + b"\x80" + (8 * 111).to_bytes(16, "big"))
    assert struct.pack(">16I", *state) == hashlib.sha512(data).digest()


def test_blocks(kernel):
    names = kernel["blocks"]
    data = os.urandom(40)
    assert names["equal"](data, bytes(data)) and names["equal"](b"", b"") and not names["equal"](data, data[:39])
    for i in range(320):
        other = bytearray(data)
        other[i >> 3] ^= 1 << (i & 7)
        assert not names["equal"](data, other)
        other[0] ^= 1 << (i & 7)
        assert names["equal"](data, other) == (i < 8)
    mixed = bytearray(data)
    names["xor"](mixed, ONES, 39)
    assert mixed == bytes(byte ^ 0xFF for byte in data[:39]) + data[39:]
    out = bytearray(48)
    names["counters"](out, 0x7FFF, 3, b"salt", b"12345678")
    assert out == b"".join([b"salt12345678" + n.to_bytes(4, "big") for n in (0x7FFF, 0x8000, 0x8001)])
