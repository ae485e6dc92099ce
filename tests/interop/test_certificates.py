"""Certificates on both sides, with a real strongSwan: every kind of key, both roles, and why one is refused."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from host_tools.peers.network import INNER
from host_tools.peers.strongswan import connection
from tests.interop import board as boards
from tests.interop.test_suites import check_counters
from tests.interop.tunnel import TOWARDS_US

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
PEM = serialization.Encoding.PEM
KEYS = {
    "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
RUNS = [("cpython", kind) for kind in KEYS] + [("vm", "p256"), ("vm", "rsa2048")]


class Party:
    """A key and its certificate, issued by `above`, or by itself if that is None."""

    def __init__(self, kind, name, above=None, start=NOW - DAY, end=NOW + 30 * DAY, san=None, ca=None, eku=None):
        self.key = KEYS[kind]()
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = above or self
        builder = x509.CertificateBuilder(issuer.name, self.name, self.key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(start).not_valid_after(end)
        builder = builder.add_extension(x509.BasicConstraints(above is None if ca is None else ca, None), True)
        if san or above:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(san or name)]), False)
        if eku:
            builder = builder.add_extension(x509.ExtendedKeyUsage([eku]), False)
        algorithm = None if isinstance(issuer.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        self.certificate = builder.sign(issuer.key, algorithm)

    def pem(self):
        return self.certificate.public_bytes(PEM)

    def revoke(self, party, end=NOW + 30 * DAY):
        """A list with one certificate."""
        serial = party.certificate.serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY).build()
        builder = x509.CertificateRevocationListBuilder(self.name, NOW - 20 * DAY, end).add_revoked_certificate(entry)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(PEM)

    def private(self):
        return self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def files(directory, ca, party):
    """Lines of the board's file, whose certificates lie beside it."""
    for name, data in (("ca.pem", ca.pem()), ("dev.pem", party.pem()), ("dev.key", party.private())):
        (directory / name).write_bytes(data)
    return 'cert = ["dev.pem"]\nkey = "dev.key"\ncacerts = ["ca.pem"]\n'


def without_psk(text):
    return "\n".join(line for line in text.split("\n") if not line.startswith("psk"))


def arrange(gateway, tmp_path, kind, ours=None, theirs=None, role="initiator", ca=None):
    """Configures both; returns the text of the board's file."""
    ca = ca or Party(kind, "A CA")
    ours, theirs = ours or Party(kind, "dev.example", ca), theirs or Party(kind, "gw.example", ca)
    gateway.credentials(x509=theirs.pem(), x509ca=ca.pem(), private=theirs.private())
    gateway.configure(connection(auth="pubkey", **(TOWARDS_US if role == "responder" else {})))
    make = {"initiator": boards.initiator, "responder": boards.responder}[role]
    return without_psk(make(files(tmp_path, ca, ours)))


@pytest.mark.parametrize(("runtime", "kind"), RUNS)
def test_board_as_initiator(namespaces, gateway, tmp_path, runtime, kind):
    text = arrange(gateway, tmp_path, kind)
    words = ("--runtime", runtime, "--heap", "111k", "--ping", INNER, "--count", 3, "--interval", 0.1)
    with boards.Board(namespaces, tmp_path, text, *words) as board:
        board.wait_for("ping", 3)
        check_counters(gateway, 3)
        result = board.finish()
    assert result["status"] == 0 and result["pings"] == {"sent": 3, "answered": 3}
    assert "with RSA" in gateway.log() or "with ECDSA" in gateway.log() or "with ED25519" in gateway.log()


@pytest.mark.parametrize(("runtime", "kind"), RUNS)
def test_board_as_responder(namespaces, gateway, tmp_path, runtime, kind):
    text = arrange(gateway, tmp_path, kind, role="responder")
    with boards.Board(namespaces, tmp_path, text, "--runtime", runtime, "--heap", "111k") as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        board.wait_for("child_up")
        result = board.finish()
    assert result["established"] and result["failure"] is None, result


def refused(namespaces, tmp_path, text):
    """What a board that does not take the gateway's certificate says of it."""
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython") as board:
        result = board.wait_for_end()
    assert result["status"] == 1 and not result["established"]
    return result["failure"]


def test_an_expired_certificate(namespaces, gateway, tmp_path):
    ca = Party("p256", "A CA")
    theirs = Party("p256", "gw.example", ca, NOW - 20 * DAY, NOW - 3 * DAY)
    failure = refused(namespaces, tmp_path, arrange(gateway, tmp_path, "p256", theirs=theirs, ca=ca))
    assert failure["reason"] == "CERTIFICATE_EXPIRED" and "by 3 days: CN=gw.example" in failure["text"]


def test_a_certificate_that_is_not_valid_yet(namespaces, gateway, tmp_path):
    ca = Party("p256", "A CA")
    theirs = Party("p256", "gw.example", ca, NOW + 3 * DAY)
    failure = refused(namespaces, tmp_path, arrange(gateway, tmp_path, "p256", theirs=theirs, ca=ca))
    assert failure["reason"] == "CERTIFICATE_NOT_YET_VALID"


def revoked(tmp_path, text, listed, policy):
    (tmp_path / "ca.crl").write_bytes(listed)
    return text + f'crls = ["ca.crl"]\nrevocation = "{policy}"\n'


@pytest.mark.parametrize(
    ("stale", "policy", "why"),
    [(False, "ifcrl", "CERTIFICATE_REVOKED"), (True, "strict", "CRL_STALE"), (True, "relaxed", "CERTIFICATE_REVOKED")],
)
def test_a_revoked_certificate(namespaces, gateway, tmp_path, stale, policy, why):
    ca = Party("p256", "A CA")
    theirs = Party("p256", "gw.example", ca)
    text = arrange(gateway, tmp_path, "p256", theirs=theirs, ca=ca)
    listed = ca.revoke(theirs, NOW - DAY if stale else NOW + DAY)
    failure = refused(namespaces, tmp_path, revoked(tmp_path, text, listed, policy))
    whose = "CN=A CA" if why == "CRL_STALE" else "CN=gw.example"
    assert failure["reason"] == why and failure["text"].endswith(whose), failure


def test_a_certificate_for_another_purpose(namespaces, gateway, tmp_path):
    ca = Party("p256", "A CA")
    theirs = Party("p256", "gw.example", ca, eku=ExtendedKeyUsageOID.CODE_SIGNING)
    failure = refused(namespaces, tmp_path, arrange(gateway, tmp_path, "p256", theirs=theirs, ca=ca))
    assert failure["reason"] == "EXTENDED_KEY_USAGE" and "CN=gw.example" in failure["text"], failure


@pytest.mark.parametrize("sent", [True, False])
def test_an_intermediate_of_the_gateway(namespaces, gateway, tmp_path, sent):
    """It is issued below one, which it sends or not; if it does we are too, and send it as well."""
    ca = Party("p256", "A CA")
    below = Party("p256", "Middle CA", ca, ca=True)
    ours, theirs = Party("p256", "dev.example", below if sent else ca), Party("p256", "gw.example", below)
    text = arrange(gateway, tmp_path, "p256", ours, theirs, ca=ca)
    if sent:
        (tmp_path / "dev.pem").write_bytes(ours.pem() + below.pem())
        gateway.credentials(x509=theirs.pem(), x509ca=ca.pem(), private=theirs.private())
        (gateway.directory / "x509ca" / "below.pem").write_bytes(below.pem())
        gateway.configure(connection(auth="pubkey"))
        with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython") as board:
            board.wait_for("child_up")
            assert board.finish()["failure"] is None
        return
    failure = refused(namespaces, tmp_path, text)
    assert failure["reason"] == "MISSING_ISSUER" and failure["text"].endswith("CN=Middle CA"), failure


def test_pss(namespaces, gateway, tmp_path):
    """strongSwan signs with PSS when it is told to; we always do."""
    ca = Party("rsa2048", "A CA")
    text = arrange(gateway, tmp_path, "rsa2048", ca=ca)
    gateway.configure(connection(auth="pubkey").replace("auth = pubkey", "auth = rsa/pss-sha384", 1))
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython") as board:
        board.wait_for("child_up")
        assert board.finish()["failure"] is None
    assert gateway.log().count("RSA_EMSA_PSS_SHA2") >= 2


CA, ANOTHER = Party("p256", "A CA"), Party("p256", "Another CA")
BELOW = Party("p256", "Middle CA", CA, ca=True)


def theirs(name="gw.example", ca=CA, **options):
    return Party("p256", name, ca, **options)


# What strongSwan shows as an initiator, and why the board, who answers, refuses it
REFUSED_AS_RESPONDER = {
    "expired": ("CERTIFICATE_EXPIRED", theirs(start=NOW - 20 * DAY, end=NOW - 3 * DAY)),
    "not valid yet": ("CERTIFICATE_NOT_YET_VALID", theirs(start=NOW + 3 * DAY)),
    "revoked": ("CERTIFICATE_REVOKED", theirs()),
    "for another purpose": ("EXTENDED_KEY_USAGE", theirs(eku=ExtendedKeyUsageOID.CODE_SIGNING)),
    "of another CA": ("MISSING_ISSUER", theirs(ca=ANOTHER)),
    "below a CA that is not sent": ("MISSING_ISSUER", theirs(ca=BELOW)),
    "its own CA": ("UNTRUSTED_ROOT", theirs(ca=None, san="gw.example")),
    "of another name": ("UNKNOWN_PEER_ID", theirs("other.example")),
}


@pytest.mark.parametrize("shown", REFUSED_AS_RESPONDER)
def test_what_a_responder_refuses(namespaces, gateway, tmp_path, shown):
    why, party = REFUSED_AS_RESPONDER[shown]
    text = arrange(gateway, tmp_path, "p256", theirs=party, role="responder", ca=CA)
    if shown == "of another name":
        gateway.configure(connection(auth="pubkey", **{**TOWARDS_US, "local_id": "other.example"}))
    if shown == "revoked":
        text = revoked(tmp_path, text, CA.revoke(party), "ifcrl")
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython") as board:
        board.wait_for("greeting")
        said = gateway.swanctl("--initiate", "--child", "net", "--timeout", "20", check=False)
        board.wait_for("closed")
        result = board.finish()
    assert "completed successfully" not in said and "AUTHENTICATION_FAILED" in gateway.log()
    assert not result["established"] and result["failure"]["reason"] == why, result["failure"]


def test_a_certificate_of_another_name(namespaces, gateway, tmp_path):
    ca = Party("p256", "A CA")
    theirs = Party("p256", "gw.example", ca, san="other.example")
    gateway.credentials(x509=theirs.pem(), x509ca=ca.pem(), private=theirs.private())
    gateway.configure(connection(auth="pubkey", local_id="other.example"))
    ours = Party("p256", "dev.example", ca)
    text = without_psk(boards.initiator(files(tmp_path, ca, ours)))
    failure = refused(namespaces, tmp_path, text)  # it is asked for gw.example, and is not that
    assert failure["reason"] == "PEER_SAID_AUTH_FAILED"


def test_a_certificate_of_another_ca(namespaces, gateway, tmp_path):
    ca, other = Party("p256", "A CA"), Party("p256", "Another CA")
    theirs = Party("p256", "gw.example", other)
    failure = refused(namespaces, tmp_path, arrange(gateway, tmp_path, "p256", theirs=theirs, ca=ca))
    assert failure["reason"] == "MISSING_ISSUER" and "Another CA" in failure["text"]


def test_the_gateway_does_not_trust_ours(namespaces, gateway, tmp_path):
    ca, other = Party("p256", "A CA"), Party("p256", "Another CA")
    ours = Party("p256", "dev.example", other)
    failure = refused(namespaces, tmp_path, arrange(gateway, tmp_path, "p256", ours=ours, ca=ca))
    assert failure["reason"] == "PEER_SAID_AUTH_FAILED" and failure["notify"]
