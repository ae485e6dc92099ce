"""Raw public keys between two engines (RFC 7670): the peer's key is known, no certificate is."""

import pytest
from cryptography.hazmat.primitives import serialization

from tests.ike.test_certificates import CA, KINDS, private, shown, up, world
from tests.pki.authority import key
from uike import config, iana
from uike.identity import parse
from uike.wire import cert
from uike.wire.message import Message

GATEWAY = parse("gw.example")


def public(kind, number):
    return (
        key(kind, number)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def raw(kind, number, peer, **more):
    """One side: its own key, and the number of the peer's."""
    return {"cert": (public(kind, number),), "key": private(kind, number), "cacerts": (public(kind, peer),), **more}


def keyed(kind="p256", board=None, gateway=None):
    # no clock: a key has no dates
    return world({**raw(kind, 101, 100), **(board or {})}, {**raw(kind, 100, 101), **(gateway or {})}, now=None)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key(kind):
    wire = keyed(kind)
    assert up(wire) and not wire.internal_errors()


def test_a_peer_that_shows_nothing_and_one_that_shows_a_certificate():
    assert up(keyed(gateway={"cert": ()}))
    assert up(keyed(gateway=shown(number=100)))  # of the same key: whose signature counts


def test_a_raw_key_on_one_side_and_a_certificate_on_the_other():
    gateway = {**shown(number=100), "cacerts": (public("p256", 101),), "remote_id": parse("dev.example")}
    wire = world({**raw("p256", 101, 100), "cacerts": (CA.der,)}, gateway)
    assert up(wire)


REFUSED = {
    "another key": ("SIGNATURE_DIFFERS", {"gateway": {"key": private("p256", 7), "cert": (public("p256", 7),)}}),
    "a key of another kind": ("SIGNATURE_DIFFERS", {"gateway": {"key": private("ed25519", 7), "cert": ()}}),
    "a sound certificate of another key": ("SIGNATURE_DIFFERS", {"gateway": shown(number=7)}),
    "a raw key where a certificate is asked for": ("CERTIFICATE_MISSING", {"board": {"cacerts": (CA.der,)}}),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused(why):
    expected, changes = REFUSED[why]
    wire = keyed(**changes)
    assert not up(wire) and wire.board.closed() == [expected]
    assert not wire.internal_errors() and not wire.board.endpoint.sad.outbound


def test_what_the_payloads_say():
    """RFC 7670 section 3: encoding 15, the SubjectPublicKeyInfo, and a CERTREQ without authorities."""
    wire = keyed()
    seen = []
    plain = Message.body

    def body(message, kind):
        seen.extend((k, bytes(message.buffer[start:end])) for k, start, end in message.payloads)
        return plain(message, kind)

    Message.body = body
    try:
        assert up(wire)
    finally:
        Message.body = plain
    assert (iana.CERT, b"\x0f" + public("p256", 100)) in seen and (iana.CERT, b"\x0f" + public("p256", 101)) in seen
    assert {data for kind, data in seen if kind == iana.CERTREQ} == {b"\x0f"}


@pytest.mark.parametrize("kind", [*KINDS, "p521", "rsa4096"])
def test_which_is_which(kind):
    assert cert.encoding(public(kind, 3)) == iana.CERT_RAW_PUBLIC_KEY
    assert cert.encoding(CA.issue(kind="p256", number=3)) == cert.encoding(CA.der) == iana.CERT_X509_SIGNATURE


def test_which_is_which_of_any_bytes():
    for size in (1_536, 1_537, 1_600, 6, 7, 3):  # a TBSCertificate of 0x06.. bytes is no key
        data = b"\x30\x82" + (size + 4).to_bytes(2, "big") + b"\x30\x82" + size.to_bytes(2, "big") + bytes(size)
        assert cert.encoding(data) == iana.CERT_X509_SIGNATURE
    for data in (b"\x30\x00", b"\x30\xff", b"\x30\x82\x01", b"\x30\x03abc"):
        assert cert.encoding(data) == iana.CERT_X509_SIGNATURE


def test_a_configuration_that_is_refused():
    from base64 import b64encode

    def load(**more):
        text = {
            name: [b64encode(data).decode() for data in more.pop(name)] for name in ("cert", "cacerts") if name in more
        }
        table = {"role": "initiator", "remote": "192.0.2.1", "local_id": "dev.example", **text, **more}
        table["key"] = b64encode(private("p256", 101)).decode()
        return config.load({"connection": {"hq": table}})

    own, peer = public("p256", 101), public("p256", 100)
    assert load(cert=[own], cacerts=[peer], remote_id="gw.example")[0].cacerts == (peer,)
    for changes, key_of_it in (
        ({}, "remote_id"),
        ({"remote_id": "%any"}, "remote_id"),
        ({"cacerts": [peer, CA.der], "remote_id": "gw.example"}, "cacerts"),
        ({"cert": [own, CA.der], "remote_id": "gw.example"}, "cert"),
    ):
        with pytest.raises(config.ConfigError) as refused:
            load(**{"cert": [own], "cacerts": [peer], **changes})
        assert refused.value.key == f"[connection.hq] {key_of_it}"
