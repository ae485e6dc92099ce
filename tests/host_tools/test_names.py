"""Names of what is on the wire: the registry's words, held against scapy's where it has the number too."""

import pytest
from scapy.contrib import ikev2 as scapy_ikev2

from host_tools import names
from uike import event, iana


def test_each_table_is_a_whole_stretch_of_the_registry():
    assert names.EXCHANGES == {34: "IKE_SA_INIT", 35: "IKE_AUTH", 36: "CREATE_CHILD_SA", 37: "INFORMATIONAL"}
    assert names.NOTIFIES[iana.TS_UNACCEPTABLE] == "TS_UNACCEPTABLE" and names.NOTIFIES[iana.COOKIE] == "COOKIE"
    assert names.TRANSFORMS[iana.KE_METHOD] == {0: "KE_NONE", 14: "MODP_2048", 19: "ECP_256", 31: "CURVE25519"}
    assert [vars(event)[f"STATE_{name}"] for name in names.STATES] == list(range(len(names.STATES)))


@pytest.mark.parametrize("table", ["EXCHANGES", "NOTIFIES"])
def test_scapy_has_the_same_names(table):
    theirs = {"EXCHANGES": scapy_ikev2.IKEv2ExchangeTypes, "NOTIFIES": scapy_ikev2.IKEv2NotifyMessageTypes}[table]
    ours = getattr(names, table)
    both = [number for number in ours if number in theirs]
    assert len(both) > len(ours) * 3 // 4
    assert {number: ours[number] for number in both} == {
        number: theirs[number].removeprefix("IV2_NOTIFY_") for number in both
    }


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        ((1, 12, 256), "AES_CBC_256"),
        ((1, 28, 0), "CHACHA20_POLY1305"),
        ((2, 5, 0), "PRF_HMAC_SHA2_256"),
        ((3, 12, 0), "HMAC_SHA2_256_128"),
        ((4, 19, 0), "ECP_256"),
        ((4, 999, 0), "KE_METHOD:999"),
        ((77, 1, 0), "77:1"),
    ],
)
def test_transforms(transform, text):
    assert names.transform_text(transform) == text


def selector(protocol, low, high, first, last):
    return bytes((7, protocol, 0, 16)) + low.to_bytes(2, "big") + high.to_bytes(2, "big") + bytes(first + last)


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (selector(0, 0, 65535, (10, 1, 0, 0), (10, 1, 255, 255)), "10.1.0.0/16"),
        (selector(0, 0, 65535, (10, 1, 0, 5), (10, 1, 0, 9)), "10.1.0.5..10.1.0.9"),
        (selector(17, 53, 53, (10, 1, 0, 7), (10, 1, 0, 7)), "10.1.0.7/32[udp/53]"),
        (selector(6, 1, 1024, (0, 0, 0, 0), (255, 255, 255, 255)), "0.0.0.0/0[tcp/1-1024]"),
        (selector(0, 443, 443, (10, 1, 0, 7), (10, 1, 0, 7)), "10.1.0.7/32[/443]"),
        (selector(0, 0, 65535, (10, 1, 0, 9), (10, 1, 0, 5)), "10.1.0.9..10.1.0.5"),
    ],
)
def test_selectors(wire, text):
    assert names.selector_text(wire) == text


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (iana.ID_FQDN, b"gw.example", "gw.example"),
        (iana.ID_IPV4_ADDR, bytes((192, 0, 2, 1)), "192.0.2.1"),
        (iana.ID_IPV4_ADDR, b"abc", "ID_IPV4_ADDR 616263"),
        (iana.ID_KEY_ID, b"\xc0\xff\xee", "@#c0ffee"),
        (iana.ID_FQDN, b"\x1b[2J", "\\x1b[2J"),
        (iana.ID_FQDN, b"\xff\xfe", "fffe"),
        (99, b"", "99 -"),
    ],
)
def test_identities(kind, data, text):
    assert names.id_text(kind, data) == text


def test_long_texts_end():
    assert len(names.printable(b"a" * 5000)) == 99 and names.hex_text(bytes(17)) == "00" * 16 + "..."
