"""What the refusal of a certificate says: whose, by how much, and what was wanted; also when the event cut it off."""

import pytest

from host_tools import distinguished_name, names, reasons
from host_tools.records import Event
from tests.pki.authority import Authority
from uike import event, iana, reason
from uike.pki import identity
from uike.pki import name as pki_names
from uike.wire.refusal import Refusal

TEXT = "C=DE, O=Example, CN=gw.example.org"
NAME = pki_names.parse(TEXT)


def said(number, detail):
    fields = {"reason": number, "notify": 0, "exchange": 0, "message_id": 1, "authenticated": False, "detail": detail}
    return reasons.explain(Event(event.CLOSED, "closed", 1, 0, fields))[0]


def test_names():
    assert distinguished_name.text(NAME) == names.id_text(iana.ID_DER_ASN1_DN, NAME) == TEXT
    every = "C=DE, ST=a, L=b, O=c, OU=d, CN=\u00e4, SN=e, serialNumber=f, G=g, T=h, UID=i, DC=j, E=k@l"
    assert distinguished_name.text(pki_names.parse(every)) == every
    assert distinguished_name.text(b"\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x63\x0c\x01\x07") == "2.5.4.99=?"


def test_names_that_were_cut_off():
    shown = [distinguished_name.text(NAME[:size]) for size in range(len(NAME))]
    assert all(each.endswith("...") for each in shown), shown
    assert shown[-1] == "C=DE, O=Example, CN=gw.example.or..." and shown[0] == "..."


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("551d13", "2.5.29.19"),
        ("2b06010401868d1f01", "1.3.6.1.4.1.99999.1"),
        ("2a864886f70d01010b", "1.2.840.113549.1.1.11"),
        ("883703", "2.999.3"),
        ("", ""),
    ],
)
def test_object_identifiers(data, text):
    assert distinguished_name.oid_text(bytes.fromhex(data)) == text


@pytest.mark.parametrize(
    ("number", "detail", "end"),
    [
        (reason.MISSING_ISSUER, NAME, f": {TEXT}"),
        (reason.CERTIFICATE_EXPIRED, (3 * 86_400 + 5).to_bytes(4, "big") + NAME, f": by 3 days: {TEXT}"),
        (reason.CERTIFICATE_EXPIRED, (7_300).to_bytes(4, "big") + NAME, f": by 2 hours: {TEXT}"),
        (reason.CERTIFICATE_NOT_YET_VALID, (120).to_bytes(4, "big") + NAME, f": by 2 minutes: {TEXT}"),
        (reason.CERTIFICATE_NOT_YET_VALID, (90).to_bytes(4, "big") + NAME, f": by 90 seconds: {TEXT}"),
        (reason.UNKNOWN_CRITICAL_EXTENSION, bytes.fromhex("551d24"), ": 2.5.29.36"),
        (reason.BAD_DER, b"\1\2", ": at byte 258"),
    ],
)
def test_details(number, detail, end):
    assert said(number, detail).endswith(end)


def test_an_identity_that_is_not_there():
    certificate = Authority().certify(names=("a.example", "192.0.2.1"))
    with pytest.raises(Refusal) as caught:
        identity.check(certificate, iana.ID_FQDN, b"b.example")
    end = ": b.example is not among C=DE, O=Example, CN=gw; a.example; 192.0.2.1"
    assert said(reason.CERTIFICATE_IDENTITY, caught.value.data).endswith(end)
    cut = said(reason.CERTIFICATE_IDENTITY, caught.value.data[:30])
    assert "b.example is not among C=DE" in cut and cut.endswith("...")
