"""Identities: distinguished names from text, and what a certificate bears."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.pki.authority import Authority
from uike import iana, reason
from uike.pki import identity
from uike.pki import name as names
from uike.pki.certificate import Certificate
from uike.wire.refusal import Refusal

DN, FQDN, MAIL, IP4, IP6 = (
    iana.ID_DER_ASN1_DN,
    iana.ID_FQDN,
    iana.ID_RFC822_ADDR,
    iana.ID_IPV4_ADDR,
    iana.ID_IPV6_ADDR,
)


@pytest.mark.parametrize(
    "text",
    [
        "C=DE, O=Example, CN=gw.example.org",
        "c=DE,o=Example,cn=gw.example.org",
        "/C=DE/O=Example/CN=gw.example.org",
        "  C = DE ,  O =Example , CN= gw.example.org ",
        "C=DE, O=Example, CN=gw.example.org, ",
        "/C=DE/O=Example/CN=gw.example.org/",
    ],
)
def test_text_as_strongswan_reads_it(text):
    parts = "310b3009060355040613024445 3110300e060355040a13074578616d706c65 3117301506035504 03130e"
    assert names.parse(text) == bytes.fromhex("3038" + parts) + b"gw.example.org"


def test_types_of_strings():
    """Printable where it can be; UTF-8 elsewhere; IA5 for e-mail: the very bytes."""
    assert names.parse("C=DE, CN=a b").hex() == "301b310b3009060355040613024445310c300a06035504031303612062"
    assert names.parse("CN=a*").hex() == "300d310b300906035504030c02612a"
    assert names.parse("CN=\u00e4").hex() == "300d310b300906035504030c02c3a4"
    assert names.parse("E=a@b").hex() == "30143112301006092a864886f70d0109011603614062"


def test_every_keyword():
    oids = {
        "C": NameOID.COUNTRY_NAME,
        "ST": NameOID.STATE_OR_PROVINCE_NAME,
        "L": NameOID.LOCALITY_NAME,
        "O": NameOID.ORGANIZATION_NAME,
        "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "CN": NameOID.COMMON_NAME,
        "SN": NameOID.SURNAME,
        "serialNumber": NameOID.SERIAL_NUMBER,
        "G": NameOID.GIVEN_NAME,
        "T": NameOID.TITLE,
        "UID": NameOID.USER_ID,
        "DC": NameOID.DOMAIN_COMPONENT,
        "E": NameOID.EMAIL_ADDRESS,
        "Email": NameOID.EMAIL_ADDRESS,
        "emailAddress": NameOID.EMAIL_ADDRESS,
    }
    assert {word.lower() for word in oids} == set(names._KEYWORDS)
    for word, oid in oids.items():
        ((found, _, value),) = names.attributes(names.parse(f"{word}=DE"))
        theirs = x509.Name([x509.NameAttribute(oid, "DE")]).public_bytes()
        assert found == next(names.attributes(theirs))[0] and value == b"DE"


@pytest.mark.parametrize("text", ["", "gw", "C=DE, gw", "X=1", "C=DE,,O=a", "=a", ",", "S=a", ", ".join(["O=a"] * 21)])
def test_no_distinguished_names(text):
    with pytest.raises(ValueError):
        names.parse(text)


def printable(value, oid=NameOID.COMMON_NAME, kind=x509.name._ASN1Type.PrintableString):
    return x509.Name([x509.NameAttribute(oid, value, _type=kind)]).public_bytes()


UTF8 = x509.name._ASN1Type.UTF8String
IA5 = x509.name._ASN1Type.IA5String


def test_names_are_compared_as_strongswan_does():
    assert names.match(printable("Gw"), printable("gW"))
    assert not names.match(printable("Gw", kind=UTF8), printable("gW", kind=UTF8))
    assert names.match(printable("gw", kind=UTF8), printable("gw")) and not names.match(
        printable("Gw", kind=UTF8), printable("gw")
    )
    mail = NameOID.EMAIL_ADDRESS
    assert names.match(printable("A@b", mail, IA5), printable("a@B", mail, IA5))
    assert not names.match(printable("gw"), printable("gw2")) and not names.match(
        printable("gw"), printable("gw", mail)
    )
    assert not names.match(names.parse("C=DE, CN=gw"), names.parse("CN=gw, C=DE"))
    assert not names.match(names.parse("C=DE, CN=gw"), names.parse("C=DE"))


def test_wildcards_are_the_pattern_s_alone():
    real = names.parse("C=DE, O=Example, CN=gw")
    assert identity.match(DN, names.parse("C=DE, O=*, CN=gw"), DN, real)
    assert not identity.match(DN, real, DN, names.parse("C=DE, O=*, CN=gw"))
    assert not identity.match(DN, names.parse("C=DE, O=*, CN=gx"), DN, real)
    assert not identity.match(DN, names.parse("C=DE, O=*, CN=gw"), DN, real, wild=False)
    assert identity.match(FQDN, b"*.example.org", FQDN, b"GW.Example.org")
    assert not identity.match(FQDN, b"*.example.org", FQDN, b"example.org")
    assert not identity.match(FQDN, b"gw.example.org", FQDN, b"*.example.org")
    assert identity.match(MAIL, b"*@example.org", MAIL, b"user@EXAMPLE.org")
    assert not identity.match(IP4, b"*\0\0\1", IP4, b"\1\0\0\1")


def test_what_is_no_name_matches_nothing():
    assert not identity.match(DN, names.parse("CN=*"), DN, b"\x30\x80\0\0")
    assert not identity.match(DN, b"", DN, names.parse("CN=a"))


CERTIFICATE = Authority().certify(
    names=("gw.example.org", "*.example.net", "user@example.org", "192.0.2.1", "2001:db8::1")
)
SUBJECT = bytes(CERTIFICATE.subject)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (FQDN, b"gw.example.org"),
        (FQDN, b"GW.EXAMPLE.ORG"),
        (FQDN, b"*.example.net"),
        (MAIL, b"user@example.org"),
        (IP4, bytes([192, 0, 2, 1])),
        (IP6, bytes.fromhex("20010db8" + "00" * 11 + "01")),
        (DN, SUBJECT),
        (DN, names.parse("C=DE, O=Example, CN=gw")),
    ],
)
def test_a_certificate_bears(kind, data):
    assert identity.check(CERTIFICATE, kind, data) is None
    assert identity.check(CERTIFICATE, kind, memoryview(data)) is None


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (FQDN, b"example.org"),
        (FQDN, b"*"),
        (FQDN, b"a.example.net"),  # the star in a certificate is for TLS
        (FQDN, b"gw.example.org\0"),
        (FQDN, b"gw"),  # the common name
        (FQDN, b"user@example.org"),
        (MAIL, b"gw.example.org"),
        (IP4, bytes([192, 0, 2, 2])),
        (IP6, bytes(16)),
        (DN, names.parse("C=DE, O=*, CN=gw")),
        (DN, names.parse("CN=gw")),
        (DN, b""),
        (iana.ID_KEY_ID, b"gw.example.org"),
        (iana.ID_DER_ASN1_GN, SUBJECT),
    ],
)
def test_a_certificate_does_not_bear(kind, data):
    with pytest.raises(Refusal) as caught:
        identity.check(CERTIFICATE, kind, data)
    assert (caught.value.reason, caught.value.notify) == (reason.CERTIFICATE_IDENTITY, iana.AUTHENTICATION_FAILED)
    told, rows = caught.value.data, []
    while told:
        size = int.from_bytes(told[1:3], "big")
        rows.append((told[0], told[3 : 3 + size]))
        told = told[3 + size :]
    assert rows[0] == (kind, data), "what was wanted"
    assert rows[1:] == [(found, bytes(each)) for found, each in identity.borne(CERTIFICATE)]


def test_what_is_told_has_a_limit():
    many = Certificate(Authority().issue(names=[f"{'x' * 50}{i}.example.org" for i in range(40)]))
    with pytest.raises(Refusal) as caught:
        identity.check(many, FQDN, b"gw")
    assert 400 < len(caught.value.data) <= 512
