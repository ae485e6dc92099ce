"""A key that is made on the board: its request as OpenSSL reads it, and which certificates are taken for it."""

import json
import random
from base64 import b64encode
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.ike.test_certificates import Store, shown, up, world
from tests.pki.authority import DAY, DER, T0, Authority, alt_names, issue, key, usage
from uike import iana, reason
from uike.app import console, credentials
from uike.crypto.soft import Provider as Soft
from uike.hal.cpython.crypto import Provider as Host
from uike.pki import device
from uike.wire.refusal import Refusal

CA = Authority()
BELOW = Authority("C=DE, O=Example, CN=Middle", CA, number=2)
NOW = T0 + DAY
SANS = [
    (iana.ID_FQDN, b"dev.example"),
    (iana.ID_IPV4_ADDR, bytes((192, 0, 2, 2))),
    (iana.ID_RFC822_ADDR, b"a@b.example"),
]
SUBJECT = "C=DE, O=Example, CN=dev"
KINDS = ["p256", "ed25519"]


def drbg(seed=1):
    return random.Random(seed).randbytes


def ask(store, kind="p256", crypto=None, seed=1):
    made = credentials.make_request(store, drbg(seed), crypto or Host(), SUBJECT, SANS, kind)
    return x509.load_der_x509_csr(made)


def answer(request, ca=CA, names=("dev.example",), **options):
    """What a CA makes of a request."""
    options = {"critical": [usage("digital_signature")], "extensions": [alt_names(*names)], **options}
    return issue(SUBJECT, request.public_key(), ca.text, ca.private, **options)


def install(store, chain, cacerts=(CA.der,), now=NOW):
    try:
        return credentials.install(store, drbg(), Host(), chain, cacerts, now)
    except Refusal as refusal:
        raise ValueError(f"reason {refusal.reason}") from refusal


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("crypto", [Host(), Soft()], ids=["host", "soft"])
def test_a_request(kind, crypto):
    store = Store()
    request = ask(store, kind, crypto)
    assert request.is_signature_valid and request.subject.rfc4514_string() == "CN=dev,O=Example,C=DE"
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names == alt_names("dev.example", "192.0.2.2", "a@b.example").__class__(list(names))
    assert [str(each.value) for each in names] == ["dev.example", "192.0.2.2", "a@b.example"]
    private = serialization.load_der_private_key(device.read(store, device.PENDING)[0], None)
    assert private.public_key() == request.public_key()
    again = ask(store, kind, crypto, seed=2)
    assert again.public_key() == request.public_key(), "a key that waits is used again"
    other = ask(store, KINDS[kind == KINDS[0]], crypto, seed=2)
    assert other.public_key() != request.public_key()


def test_a_secret_that_is_no_key_is_not_taken():
    stream = iter([b"\xff" * 32, bytes(32), b"\7" * 32])
    taken = credentials._secret(lambda n: next(stream) if n == 32 else bytes(range(n)), Soft(), iana.KEY_P256)
    assert taken == b"\7" * 32


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_that_fits(kind):
    store = Store()
    mine, below = answer(ask(store, kind), BELOW), BELOW.der
    assert install(store, mine + below) == 2
    private, found = device.read(store)
    assert found == [mine, below] and private and device.read(store, device.PENDING) == (b"", [])
    renewed = answer(x509.load_der_x509_csr(credentials.make_request(store, drbg(9), Host(), SUBJECT, SANS)))
    assert install(store, renewed) == 1 and device.read(store)[0] != private
    longer = issue(SUBJECT, serialization.load_der_private_key(device.read(store)[0], None).public_key(),
                   CA.text, CA.private, critical=[usage("digital_signature")], days=700)  # fmt: skip
    assert install(store, longer) == 1, "another certificate for the key in use"


REFUSED = {
    "not for its key": (CA.issue(), "not for a key of this board"),
    "no certificate": (b"", "not 1 to 6"),
    "no DER": (b"\x30\3abc", f"reason {reason.BAD_DER}"),
    "another CA": (Authority("CN=Other", number=7), f"reason {reason.MISSING_ISSUER}"),
    "no issuer": (BELOW, f"reason {reason.MISSING_ISSUER}"),
    "expired": ({"days": 0}, f"reason {reason.CERTIFICATE_EXPIRED}"),
    "for another purpose": ({"critical": [usage("key_agreement")]}, f"reason {reason.KEY_USAGE}"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_certificate_that_is_refused(why):
    what, text = REFUSED[why]
    store = Store()
    request = ask(store)
    if not isinstance(what, bytes):
        what = answer(request, what) if isinstance(what, Authority) else answer(request, **what)
    before = dict(store.blobs)
    with pytest.raises(ValueError, match=text):
        install(store, what)
    assert store.blobs == before


def test_nothing_is_installed_without_a_request_or_without_a_ca():
    with pytest.raises(ValueError, match="make a request first"):
        install(Store(), CA.issue())
    store = Store()
    with pytest.raises(ValueError, match=f"reason {reason.MISSING_ISSUER}"):
        install(store, answer(ask(store)), ())
    with pytest.raises(ValueError, match="p256 or ed25519"):
        ask(store, "rsa2048")
    with pytest.raises(ValueError, match="cannot be in a certificate"):
        credentials.make_request(store, drbg(), Host(), SUBJECT, [(iana.ID_KEY_ID, b"x")])


@pytest.mark.parametrize("cut", range(3))
def test_the_power_may_go_at_any_write(cut):
    """What is in use is the old pair or the new one, and what was asked for can still be installed."""
    store = Store()
    install(store, answer(ask(store)))
    old = device.read(store)
    chain = answer(ask(store, seed=5))
    left = [cut]
    write = store.write

    def failing(name, data):
        if not left[0]:
            raise OSError(5)
        left[0] -= 1
        write(name, data)

    store.write = failing
    try:
        install(store, chain)
    except OSError:
        pass
    store.write = write
    now = device.read(store)
    assert now == old if not cut else now[1] == [chain]
    install(store, chain)
    assert device.read(store)[1] == [chain]


def own(store, chain=None):
    wire = world({"cert": (), "key": b"device"}, shown())
    wire.board.endpoint.store = store
    return wire


def test_a_connection_uses_it():
    store = Store()
    install(store, answer(ask(store), BELOW) + BELOW.der)
    wire = own(store)
    assert up(wire) and not wire.internal_errors()


@pytest.mark.parametrize("initiator", [True, False])
def test_a_connection_says_so_when_there_is_none_yet(initiator):
    wire = own(Store()) if initiator else world(theirs={"cert": (), "key": b"device"})
    assert not up(wire)
    assert (wire.board if initiator else wire.gateway).closed() == ["OWN_CERTIFICATE_MISSING"]


def test_by_the_console():
    wire = own(Store())
    said = []
    board = wire.board.endpoint
    appliance = SimpleNamespace(endpoint=board, trace=lambda code, sa, body: said.append(bytes(body)))
    do = {"do": "csr", "subject": SUBJECT, "names": ["dev.example"]}
    console.run(appliance, json.dumps(do))
    chain = answer(x509.load_der_x509_csr(said.pop()))
    half = len(chain) // 2
    for at, part in ((0, chain[:half]), (half, chain[half:])):
        line = {"do": "cert", "part": b64encode(part).decode(), "at": at, "more": not at}
        console.run(appliance, json.dumps(line))
    assert said == [b""] and up(wire)
    secret = device.read(board.store)[0][7:39]
    assert not [body for _, _, body in wire.board.log if secret in body]
    with pytest.raises(ValueError, match="does not follow"):
        console.run(appliance, json.dumps({"do": "cert", "part": "", "at": 7}))
    with pytest.raises(ValueError, match="nobody"):
        console.run(appliance, json.dumps({**do, "names": ["%any"]}))


def test_openssl_s_form_of_the_private_keys():
    """The heads and tails are those of RFC 5915 and RFC 8410."""
    for kind, form in (
        ("p256", serialization.PrivateFormat.TraditionalOpenSSL),
        ("ed25519", serialization.PrivateFormat.PKCS8),
    ):
        _, _, head, tail = credentials._KINDS[kind]
        plain = key(kind, 3).private_bytes(DER, form, serialization.NoEncryption())
        mine = serialization.load_der_private_key(head + plain[len(head) : len(head) + 32] + tail, None)
        assert mine.public_key() == key(kind, 3).public_key()
