"""Revocation lists taken apart: what `cryptography` has put into them."""

import pytest
from cryptography import x509

from tests.pki.authority import DAY, T0, Authority
from uike import reason
from uike.pki.crl import Crl
from uike.wire.refusal import Refusal


def serial(number):
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def test_entries():
    numbers = [1, 127, 128, 2**63, 2**158 + 1]
    crl = Crl(Authority().revoke(*numbers))
    assert crl.issuer == Authority().certificate.subject
    assert (crl.this_update, crl.next_update) == (T0, T0 + 30 * DAY)
    for number in numbers:
        assert crl.revoked_at(serial(number)) == T0 - DAY
    for number in (2, 126, 129, 2**63 + 1):
        assert crl.revoked_at(serial(number)) is None


def test_an_empty_list():
    assert Crl(Authority().revoke()).revoked_at(b"\1") is None


def test_extensions():
    """A number and a reason are known to be harmless; an indirect, partial or delta list says so critically."""
    number, why = (x509.CRLNumber(7), False), (x509.CRLReason(x509.ReasonFlags.certificate_hold), False)
    crl = Crl(Authority().revoke(4, extensions=[number], entry_extensions=[why]))
    assert crl.revoked_at(b"\4") == T0 - DAY and crl.revoked_at(b"\5") is None
    delta = (x509.DeltaCRLIndicator(3), True)
    with pytest.raises(Refusal) as caught:
        Crl(Authority().revoke(4, extensions=[delta]))
    assert (caught.value.reason, caught.value.data) == (reason.BAD_CRL, bytes.fromhex("551d1b"))
    indirect = (x509.CertificateIssuer([x509.DNSName("example.org")]), True)
    crl = Crl(Authority().revoke(4, entry_extensions=[indirect]))
    with pytest.raises(Refusal) as caught:
        crl.revoked_at(b"\5")
    assert (caught.value.reason, caught.value.data) == (reason.BAD_CRL, bytes.fromhex("551d1d"))


def test_a_certificate_is_no_list():
    with pytest.raises(Refusal):
        Crl(Authority().der)
