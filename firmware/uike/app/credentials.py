"""A private key that is made on this board, and its certificate. For console and provisioning; then dropped.

    make_request    a key from the DRBG, kept in the store, and the request (PKCS #10) that a CA answers
    install         the CA's answer: kept, with the key, if it fits and leads to a CA that we were given

The key leaves the board by no way. Connections with `key = "device"` use what was installed from the next negotiation
on. ValueError, with a text for the user, for whatever is refused. Made for a board without tunnels: it wants memory.
"""

from binascii import a2b_base64

from uike import event, iana, identity
from uike.pki import clock, device, key, name
from uike.pki.certificate import Certificate
from uike.pki.der import Der
from uike.wire.cert import encoding
from uike.wire.refusal import Refusal

# Kind of key: its number, what it signs with, and its private key in DER (RFC 5915, RFC 8410) around 32 random bytes
_KINDS = {
    "p256": (
        iana.KEY_P256,
        iana.ECDSA + iana.SHA2_256,
        b"\x30\x31\x02\x01\x01\x04\x20",
        b"\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
    ),
    "ed25519": (
        iana.KEY_ED25519,
        iana.EDDSA + iana.HASH_IDENTITY,
        b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20",
        b"",
    ),
}
_SIZE = 32
_CHAIN_MAX = 6
_PARTS = "cert.part"  # in the store: what has come of a chain
_PARTS_MAX = 12_000


def csr(appliance, command):
    """{"do": "csr", "subject": "CN=dev", "names": ["dev.example"], "kind": "p256"}: the request, in the trace."""
    appliance.trace(event.CREDENTIALS, 0, request(appliance.endpoint, command))


def request(endpoint, command):
    """The request for what a command names, DER."""
    sans = [identity.parse(str(text)) for text in command.get("names", ())]
    if None in sans:
        raise ValueError("%any is nobody")
    subject, kind = str(command.get("subject", "")), command.get("kind", "p256")
    return make_request(endpoint.store, endpoint.random, endpoint.crypto, subject, sans, kind)


def cert(appliance, command):
    """{"do": "cert", "part": base64, "at": 0, "more": true}: the chain in parts, since a line is short. `at` is what
    came before, in bytes; the last part has no "more"."""
    endpoint = appliance.endpoint
    held = endpoint.store.read(_PARTS) or b"" if command.get("at") else b""
    if len(held) != command.get("at", 0) or len(held) > _PARTS_MAX:
        raise ValueError("cert: a part that does not follow the one before")
    chain = held + a2b_base64(command.get("part", ""))
    if command.get("more"):
        endpoint.store.write(_PARTS, chain)
        return
    try:
        accept(appliance, chain)
    except Refusal as refusal:
        raise ValueError("the certificate is refused, reason %d" % refusal.reason)


def accept(appliance, chain):
    """Installs a chain that leads to a CA of the connections; returns its size. Refusal when it does not."""
    endpoint = appliance.endpoint
    cacerts = [data for connection in endpoint.connections for data in connection.cacerts]
    cacerts = [data for data in cacerts if encoding(data) == iana.CERT_X509_SIGNATURE]
    now, known = clock.read(endpoint, False)
    size = install(endpoint.store, endpoint.random, endpoint.crypto, chain, cacerts, now, known)
    appliance.trace(event.CREDENTIALS, 0, b"")
    return size


def make_request(store, random, crypto, subject, sans, kind="p256"):
    """The request, DER. subject: a name as text, "C=DE, CN=dev"; sans: identities, (ID type, bytes), see uike.identity.

    A key that still waits for its certificate is used again, so that asking twice spoils nothing."""
    if kind not in _KINDS:
        raise ValueError("kind of key: p256 or ed25519")
    number, algorithm, head, tail = _KINDS[kind]
    subject = name.parse(subject)
    kept = device.read(store, device.PENDING)[0]
    private = key.parse_private(kept) if kept else None
    if not private or private[0] != number:
        kept = head + _secret(random, crypto, number) + tail
        private = key.parse_private(kept)
        device.write(store, device.PENDING, kept)
    try:
        from uike.pki.csr import build_request

        return build_request(crypto, algorithm, private, subject, sans, random)
    except KeyError:
        raise ValueError("a name of that type cannot be in a certificate: use a host name, an address, an e-mail")


def _secret(random, crypto, number):
    """Random bytes that are a private key: nearly all are."""
    while True:
        data = random(_SIZE)
        try:
            crypto.public_key((number, data), random)
            return data
        except ValueError:
            pass


def install(store, random, crypto, chain, cacerts, now=None, known=0):
    """Keeps a chain for the key that waits for it, or anew for the one in use. Returns the size of the chain.

    chain: certificates, DER, one after the other, our own first; cacerts: those of the CAs, DER; now and known as in
    `pki.path.validate`. Refusal, with its reason, for what is no sound chain."""
    path = _load_path()
    der, shown = Der(chain), []
    while der.tag():
        shown.append(Certificate(der.whole()))
    if not 0 < len(shown) <= _CHAIN_MAX:
        raise ValueError("not 1 to %d certificates" % _CHAIN_MAX)
    waiting = _fitting(store, random, crypto, shown[0])
    path.validate(crypto, shown[0], shown[1:], [Certificate(each) for each in cacerts], now, known)
    device.write(store, device.PAIR, waiting, bytes(chain))
    if device.read(store, device.PENDING)[0] == waiting:
        store.write(device.PENDING, b"")
    return len(shown)


def _load_path():
    from uike.pki import path  # only here: a request needs the room

    return path


def _fitting(store, random, crypto, certificate):
    """The private key of a certificate, DER."""
    kept = [device.read(store, each)[0] for each in (device.PENDING, device.PAIR)]
    if not any(kept):
        raise ValueError("there is no key on this board: make a request first")
    for each in kept:
        private = key.parse_private(each) if each else None
        if private and key.build_public(crypto.public_key(private, random)) == certificate.spki:
            return each
    raise ValueError("the certificate is not for a key of this board: make a request, and send that one to the CA")
