"""EAP's old primitives and MS-CHAPv2 against published vectors, and against hashlib."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uike.eap import des, digest, mschapv2

USER, PASSWORD = b"User", b"clientPass"  # RFC 2759 section 9.2
SERVERS = bytes.fromhex("5b5d7c7d7b3f2f3e3c2c602132262628")
PEERS = bytes.fromhex("21402324255e262a28295f2b3a337c7e")
RESPONSE = bytes.fromhex("82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df")
MD4 = (  # RFC 1320, appendix A.5
    (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
    (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
    (b"message digest", "d9130a8164549fe818874806e1c7014b"),
    (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
)


def sha1(data):
    return hashlib.sha1(data).digest()


@pytest.mark.parametrize(("data", "expected"), MD4)
def test_md4(data, expected):
    assert digest.md4(data).hex() == expected


@given(st.binary(max_size=200))
def test_md5(data):
    assert digest.md5(data) == hashlib.md5(data).digest()


def test_des():
    key = int("133457799bbcdff1", 16)  # with its parity, which goes
    short = 0
    for i in range(8):
        short = short << 7 | (key >> (57 - 8 * i)) & 0x7F
    assert des.encrypt(short.to_bytes(7, "big"), bytes.fromhex("0123456789abcdef")).hex() == "85e813540f0ab405"


def test_the_vectors_of_rfc_2759():
    hashed = mschapv2.password_hash(PASSWORD)
    assert hashed.hex() == "44ebba8d5312b8d611474411f56989ae"
    assert mschapv2.nt_response(sha1, hashed, SERVERS, PEERS, USER) == RESPONSE
    assert mschapv2.nt_response(sha1, hashed, SERVERS, PEERS, b"DOMAIN\\User") == RESPONSE
    proof = mschapv2.authenticator(sha1, hashed, RESPONSE, SERVERS, PEERS, USER)
    assert proof == b"S=407A5589115FD0D6209F510FE9C04566932CDA56"


def test_the_vectors_of_rfc_3079():
    made = mschapv2.session_key(sha1, mschapv2.password_hash(PASSWORD), RESPONSE)
    master = bytes.fromhex("fdece3717a8c838cb388e527ae3cdd31")
    assert made[:16] == sha1(master + bytes(40) + mschapv2._KEYS[0] + b"\xf2" * 40)[:16]
    assert made[16:32].hex() == "8b7cdc149b993a1ba118cb153f56dccb"  # the server's SendStartKey128
    assert made[32:] == bytes(32)


def test_characters_beyond_the_first_plane():
    assert mschapv2.password_hash("a\U0001f511".encode()) == digest.md4("a\U0001f511".encode("utf-16-le"))
