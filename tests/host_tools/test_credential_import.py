"""`uike from-pem` and `from-pkcs12`: what people have becomes what a configuration names, and nothing is lost or shown."""

import stat
import tomllib

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from host_tools import config_file
from host_tools.cli import main
from tests.pki.authority import Authority, key

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
ROOT = Authority()
BELOW = Authority("C=DE, O=Example, CN=Middle", ROOT, number=2)
DER = BELOW.issue(kind="p256", number=101, names=("dev.example",))
SECRET = b"correct horse"


def certificate(der):
    return x509.load_der_x509_certificate(der)


def pem(*ders):
    return b"".join(certificate(der).public_bytes(PEM) for der in ders)


def private(encryption=None, number=101):
    encryption = encryption or serialization.NoEncryption()
    return key("p256", number).private_bytes(PEM, PKCS8, encryption)


def run(*words, **environment):
    return CliRunner(env=environment).invoke(main, [str(word) for word in words])


def check(folder, result):
    """A configuration with the lines that were printed is taken, and the files are what they should be."""
    assert result.exit_code == 0, result.stderr
    head = '[connection.hq]\nrole = "initiator"\nremote = "192.0.2.1"\n'
    (folder / "board.toml").write_text(head + result.stdout)
    table = tomllib.loads(result.stdout)
    assert table == {"local_id": "dev.example", "cert": ["gw.pem"], "key": "gw.key", "cacerts": ["gw-ca.pem"]}
    connection = config_file.read(folder / "board.toml")["connection"]["hq"]
    assert len(connection["cert"]) == 2 and len(connection["cacerts"]) == 1
    assert (folder / "gw.pem").read_bytes() == pem(DER, BELOW.der)
    assert stat.S_IMODE((folder / "gw.key").stat().st_mode) == 0o600
    assert "PRIVATE" not in result.output and "CN=" in result.stderr


@pytest.mark.parametrize("encrypted", [False, True])
def test_pem_in_whatever_order(tmp_path, encrypted):
    encryption = serialization.BestAvailableEncryption(SECRET) if encrypted else None
    (tmp_path / "all.pem").write_bytes(b"# a comment\n" + pem(ROOT.der, BELOW.der) + private(encryption) + pem(DER))
    result = run("from-pem", tmp_path / "all.pem", "-d", tmp_path, "--name", "gw", UIKE_PASSWORD=SECRET.decode())
    check(tmp_path, result)


def test_pkcs12(tmp_path):
    others = [certificate(ROOT.der), certificate(BELOW.der)]
    encryption = serialization.BestAvailableEncryption(SECRET)
    data = pkcs12.serialize_key_and_certificates(b"gw", key("p256", 101), certificate(DER), others, encryption)
    (tmp_path / "gw.p12").write_bytes(data)
    words = ("from-pkcs12", tmp_path / "gw.p12", "-d", tmp_path, "--name", "gw")
    check(tmp_path, run(*words, "--password", SECRET.decode()))
    again = run(*words, "--password", SECRET.decode())
    assert again.exit_code == 2 and "is there already" in again.stderr
    wrong = run(*words, "--password", "battery")
    assert wrong.exit_code == 2 and "another --password" in wrong.stderr and "battery" not in wrong.output


def test_without_a_root(tmp_path):
    (tmp_path / "some.pem").write_bytes(private() + pem(DER))
    result = run("from-pem", tmp_path / "some.pem", "-d", tmp_path)
    assert result.exit_code == 0 and "cacerts" not in result.stdout and "CA of the gateway" in result.stderr


REFUSED = {
    "no private key": pem(DER),
    "none of 1 certificates": private(number=7) + pem(DER),
    "2 private keys": private() + private(number=7) + pem(DER),
    "encrypted: --password": private(serialization.BestAvailableEncryption(SECRET)) + pem(DER),
    "no certificate": private() + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "none of 0 certificates": private(),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused(tmp_path, why):
    (tmp_path / "some.pem").write_bytes(REFUSED[why])
    result = run("from-pem", tmp_path / "some.pem", "-d", tmp_path)
    assert result.exit_code == 2 and why in result.stderr and not result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["some.pem"]
