"""Certificates of a lab: what they say, and that OpenSSL and two engines believe them."""

from base64 import b64decode

import pytest
from cryptography import x509

from host_tools import authority, demo
from tests.world import World
from uike import config


@pytest.mark.parametrize("kind", authority.KINDS)
def test_openssl_knows_the_issuer(kind):
    root = authority.Authority(kind)
    leaf = root.issue("gw.example.org", authority.private_key(kind).public_key())
    leaf.verify_directly_issued_by(root.certificate)
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["gw.example.org"]
    assert root.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_identities_by_their_kind():
    root, public = authority.Authority(), authority.private_key("p256").public_key()
    kinds = {"192.0.2.1": x509.IPAddress, "dev@example.org": x509.RFC822Name, "dev.example": x509.DNSName}
    for identity, kind in kinds.items():
        names = root.issue(identity, public).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert [str(name) for name in names.get_values_for_type(kind)] == [identity]


def test_a_root_from_its_files():
    first = authority.Authority("ed25519")
    again = authority.Authority(certificate=first.certificate, private=first._private)
    again.issue("a", authority.private_key("p256").public_key()).verify_directly_issued_by(first.certificate)


@pytest.mark.parametrize("kind", authority.KINDS)
def test_two_boards_believe_them(kind):
    trees = demo.configurations("00", kind=kind)
    assert not [table for tree in trees for table in tree["connection"].values() if "psk_hex" in table]
    wire = World(*[config.load(tree)[0] for tree in trees])
    wire.connect()
    assert [len(side.endpoint.sad.outbound) for side in (wire.board, wire.gateway)] == [1, 1]


def test_each_has_its_own_key():
    ours, theirs = authority.credentials("p256", "a.example", "b.example")
    assert ours["key"] != theirs["key"] and ours["cacerts"] == theirs["cacerts"]
    assert b64decode(ours["cert"][0]) != b64decode(theirs["cert"][0])
