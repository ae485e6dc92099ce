"""Certificates, lists and keys that were tampered with: nothing but a `Refusal` comes out, and nothing gets through."""

import functools
import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pki.authority import DAY, T0, Authority, key
from uike import iana
from uike.hal.cpython.crypto import Provider
from uike.pki import identity, name, path
from uike.pki import key as keys
from uike.pki import signature as signatures
from uike.pki.certificate import Certificate
from uike.pki.crl import Crl
from uike.pki.der import Der, build
from uike.wire.refusal import Refusal

PROVIDER = Provider()
NAMES = ("gw.example.org", "user@example.org", "192.0.2.1")


@functools.cache
def seeds():
    root = Authority(number=1)
    purposes = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")])
    found = {
        "certificate": root.issue(names=NAMES),
        "purposes": root.issue(extensions=[purposes]),
        "root": root.der,
        "rsa": Authority(kind="rsa2048").issue(pss=True),
        "crl": root.revoke(3, 4, 5, extensions=[(x509.CRLNumber(7), False)]),
        "name": bytes(root.certificate.subject),
        "pss": signatures.build_identifier(iana.RSASSA_PSS + iana.SHA2_384),
    }
    for kind in ("p256", "rsa2048", "ed25519"):
        found["key " + kind] = key(kind).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return found


def look(data):
    """Everything that is done with bytes of a stranger."""
    for parse in (Certificate, Crl, keys.parse_public, keys.parse_private, signatures.parse):
        try:
            found = parse(data)
            if parse is Certificate:
                list(identity.borne(found))
                identity.match(iana.ID_DER_ASN1_DN, found.subject, iana.ID_DER_ASN1_DN, found.issuer)
                found.key()
            elif parse is Crl:
                found.revoked_at(b"\5")
        except Refusal as refusal:
            assert len(refusal.data) <= 512
    try:
        list(name.attributes(data))
    except Refusal:
        pass


def headers(data):
    """(offset, size of tag and length, size of the value) of every element at any depth of what is sound DER."""
    found, places = [], [(0, len(data))]
    while places:
        at, end = places.pop()
        each = Der(data, at, end)
        while each.at < end:
            start = each.at
            try:
                value = each.value()
            except Refusal:
                break
            found.append((start, each.at - start - len(value), len(value)))
            if data[start] & 0x20 or data[start] in (iana.DER_OCTET_STRING, iana.DER_BIT_STRING):
                skip = 1 if data[start] == iana.DER_BIT_STRING else 0
                places.append((each.at - len(value) + skip, each.at))
    return found


def mutate(data, chance):
    """One of the ways in which DER goes wrong, or stays right with another content."""
    at, head, size = chance.choice(headers(data))
    value = data[at + head : at + head + size]
    kind = chance.randrange(8)
    if kind == 0:
        data = bytearray(data)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return bytes(data)
    if kind == 1:
        return data[: chance.randrange(len(data))]
    if kind == 2:
        return data[:at] + bytes((chance.randrange(256),)) + data[at + 1 :]
    if kind == 3:
        return data[: at + 1] + bytes((chance.choice((0, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0xFF)),)) + data[at + 2 :]
    changed = {
        4: b"",
        5: value + value,
        6: bytes(size),
        7: bytes(chance.randrange(256) for _ in range(size)),
    }[kind]
    return rebuild(data, at, changed)


def rebuild(data, at, value):
    """The same with another value in the element at an offset: all lengths around it are right again."""
    each = Der(data)
    parts = []
    while each.at < len(data):
        start = each.at
        try:
            old = each.value()
        except Refusal:
            return data
        inner = each.at - len(old)
        if start == at:
            parts.append(build(data[start], value))
        elif inner <= at < each.at and data[start] & 0x20:
            parts.append(build(data[start], rebuild(bytes(old), at - inner, value)))
        else:
            parts.append(data[start : each.at])
    return b"".join(parts)


@pytest.mark.parametrize("name", seeds())
def test_mutations(name):
    for seed in range(400):
        chance = random.Random(f"{name} {seed}")
        data = seeds()[name]
        for _ in range(chance.randrange(1, 4)):
            data = mutate(data, chance) or b"\0"
            if not headers(data):
                break
        look(data)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_noise(data):
    look(data)


@pytest.mark.parametrize("name", ["certificate", "crl"])
def test_every_truncation_and_every_byte(name):
    data = seeds()[name]
    for at in range(len(data)):
        look(data[:at])
        look(data[:at] + bytes((data[at] ^ 0x80,)) + data[at + 1 :])


def test_no_bit_of_a_certificate_can_be_changed():
    """Whichever bit of a sound chain's leaf is wrong, there is no path, or it leads by a wrong name."""
    root = Authority(number=1)
    good = root.issue(names=NAMES)
    assert path.validate(PROVIDER, Certificate(good), [], [root.certificate], T0 + DAY)
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1 << at % 8
        with pytest.raises(Refusal):
            path.validate(PROVIDER, Certificate(bad), [], [root.certificate], T0 + DAY)
