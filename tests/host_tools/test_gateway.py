"""The other end's configuration: from ours and back again, and what no vendor is told."""

import tomllib

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from host_tools import from_strongswan, swanctl
from host_tools.cli import main
from host_tools.gateway.command import VENDORS
from tests.pki.authority import key
from uike import config

PEM = serialization.Encoding.PEM
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PKCS8 = serialization.PrivateFormat.PKCS8
PSK = 'a "key" that \\nobody guesses #1'
INITIATOR = """
[connection.hq]
role = "initiator"
remote = "192.0.2.1"
local_id = "dev.example"
remote_id = "gw.example"
psk = 'a "key" that \\nobody guesses #1'
"""
RESPONDER = INITIATOR.replace('"initiator"', '"responder"').replace('remote = "192.0.2.1"\n', 'remote = "%any"\n')
SHAPES = {
    "virtual IP": INITIATOR + 'virtual_ip = true\nremote_ts = ["10.1.0.0/16", "10.2.0.0/16"]\n',
    "two networks": INITIATOR + 'local_ts = ["10.8.0.0/24"]\nremote_ts = ["10.1.0.0/16"]\n',
    "transport": INITIATOR + 'mode = "transport"\n',
    "pool": RESPONDER + 'pool = "10.9.0.0/24"\nlocal_ts = ["10.1.0.0/16"]\n',
    "two networks, answering": RESPONDER + 'local_ts = ["10.1.0.0/16"]\nremote_ts = ["10.8.0.0/24"]\n',
    "algorithms": INITIATOR
    + 'virtual_ip = true\nproposals = ["aes256gcm16-prfsha384-ecp256", "aes128-sha256-x25519-modp2048"]\n'
    + 'esp_proposals = ["aes256gcm16", "aes128-sha512"]\nmobike = false\ndpd_delay = 7\nrekey_time = 300\n',
    "ppk": INITIATOR + 'virtual_ip = true\nppk_id = "quantum"\nppk = "0x00112233445566778899aabbccddeeff"\n',
    "children": INITIATOR
    + 'local_ts = ["10.8.0.0/24"]\nremote_ts = ["10.1.0.0/16"]\n[connection.hq.child.more]\n'
    + 'local_ts = ["10.8.0.0/24"]\nremote_ts = ["10.3.0.0/16"]\n',
}


def run(*words):
    return CliRunner().invoke(main, [str(each) for each in words])


def gateway(tmp_path, text, *words):
    path = tmp_path / "board.toml"
    path.write_text(text)
    return run("gateway", "--config", path, *words)


def loaded(text):
    """A connection as the device reads it, without what strongSwan has other words for."""
    made = vars(config.load(tomllib.loads(text))[0])
    more = [vars(each) for each in made.pop("more", ())]
    return {key: value for key, value in made.items() if key != "remote"}, more


@pytest.mark.parametrize("shape", SHAPES)
def test_there_and_back_again(tmp_path, shape):
    text = SHAPES[shape]
    words = ("--board-address", "192.0.2.2") if "responder" in text else ()
    done = gateway(tmp_path, text, "--vendor", "strongswan", "--secrets", "--address", "192.0.2.1", *words)
    assert done.exit_code == 0, done.output
    path = tmp_path / "swanctl.conf"
    path.write_text(done.stdout)
    back = run("from-strongswan", path)
    assert back.exit_code == 0, back.output
    before, after = loaded(text), loaded(back.stdout)
    assert {**before[0], **after[0]} == after[0] and before[1] == after[1]


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_vendor_is_told_the_key_unasked(tmp_path, vendor):
    text = SHAPES["virtual IP"].replace(', "10.2.0.0/16"', "")
    done = gateway(tmp_path, text, "--vendor", vendor)
    assert done.exit_code == 0, done.output
    assert "nobody guesses" not in done.output and "THE-PSK-OF-THE-BOARD" in done.stdout
    assert "nobody guesses" in gateway(tmp_path, text, "--vendor", vendor, "--secrets").stdout
    assert vendor in done.stderr and (
        "not run" in done.stderr or "not connected" in done.stderr or vendor == "strongswan"
    )


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_has_the_facts(tmp_path, vendor):
    text = SHAPES["virtual IP"].replace(', "10.2.0.0/16"', "")
    shown = gateway(tmp_path, text, "--vendor", vendor, "--dns", "10.1.0.53").stdout
    for each in ("gw.example", "dev.example", "10.9.0", "10.1.0.53", "10.1.0.0"):
        assert each in shown, (each, shown)


@pytest.mark.parametrize("vendor", ["cisco", "mikrotik"])
def test_what_a_vendor_does_not_speak_is_left_out_or_refused(tmp_path, vendor):
    text = SHAPES["virtual IP"].replace(', "10.2.0.0/16"', "")
    only = gateway(tmp_path, text + 'proposals = ["aes128-sha256-x25519"]\n', "--vendor", vendor)
    assert only.exit_code == 2 and "speaks none of these proposals" in only.stderr
    both = gateway(tmp_path, text + 'proposals = ["aes128-sha256-x25519-ecp256"]\n', "--vendor", vendor)
    assert both.exit_code == 0 and "25519" not in both.stdout


def test_a_connection_must_be_named_when_there_are_several(tmp_path):
    text = SHAPES["virtual IP"] + SHAPES["virtual IP"].replace("connection.hq", "connection.lab")
    done = gateway(tmp_path, text)
    assert done.exit_code == 2 and "one of hq, lab" in done.stderr
    assert gateway(tmp_path, text, "--connection", "lab").exit_code == 0
    assert gateway(tmp_path, text, "--connection", "other").exit_code == 2


def test_a_ppk_and_several_gateways(tmp_path):
    text = SHAPES["virtual IP"].replace('"192.0.2.1"', '["192.0.2.1", "192.0.2.9"]')
    text += 'ppk_id = "quantum"\nppk = "0x00112233445566778899aabbccddeeff"\n'
    tree = swanctl.parse(gateway(tmp_path, text, "--secrets").stdout)
    assert tree["connections"]["hq"]["local_addrs"] == "192.0.2.1"
    assert tree["connections"]["hq"]["ppk_id"] == "quantum"
    assert tree["secrets"]["ppk-hq"] == {"id": "quantum", "secret": "0x00112233445566778899aabbccddeeff"}
    assert "00112233" not in gateway(tmp_path, text).stdout
    assert gateway(tmp_path, text, "--vendor", "cisco").exit_code == 2


# -- swanctl's format ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", {}),
        ("# only a comment", {}),
        ("a = 1 # b\nc=2", {"a": "1", "c": "2"}),
        ("a {\n b = x\n}\na { c = y }", {"a": {"b": "x", "c": "y"}}),
        ('a = "x # y } \\"z\\" \\\\ \\n" # end', {"a": 'x # y } "z" \\ \n'}),
        ("a\n{\n}\n", {"a": {}}),
        ("a { b { c = } d = 1 }", {"a": {"b": {"c": ""}, "d": "1"}}),
        ("b { x = 1\n y = 2 }\na : b { y = 3 }", {"b": {"x": "1", "y": "2"}, "a": {"x": "1", "y": "3"}}),
    ],
)
def test_the_format(text, tree):
    assert swanctl.parse(text) == tree


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a {\n b = 1\n", "line 3: a section does not end"),
        ("a = 1\n}", "line 2: a brace closes nothing"),
        ('\na = "x', "line 2: a quote does not end"),
        ("a b\n", "neither a value nor a section"),
        ("include /etc/x.conf\n", "include: not followed"),
        ("a : b { }\nb : a { }", "in a circle"),
        ("a : nobody { }", "nobody: no such section"),
    ],
)
def test_what_is_not_in_that_format(text, said):
    with pytest.raises(swanctl.SwanctlError, match=said.replace("(", r"\(")):
        swanctl.parse(text)


@given(st.text(alphabet='ab=:{}#"\\ \n,.', max_size=60))
def test_no_text_breaks_the_parser(text):
    try:
        assert isinstance(swanctl.parse(text), dict)
    except swanctl.SwanctlError:
        pass


@pytest.mark.parametrize(
    ("text", "seconds"), [("4h", 14_400), ("30m", 1_800), ("90s", 90), ("7", 7), ("0s", 0), ("1d", 86_400)]
)
def test_times(text, seconds):
    assert swanctl.seconds(text) == seconds


# -- from strongSwan -------------------------------------------------------------------------------------------------

ROADWARRIORS = """
connections {
  rw {
    local_addrs = 192.0.2.1
    pools = p
    proposals = aes128-sha256-x25519, chacha20poly1305-prfsha256-curve25519, aes256-sha384-ecp384, default
    local { auth = psk
      id = fqdn:gw.example }
    remote { auth = psk
      id = dev.example }
    children { net { local_ts = 10.1.0.0/16
      esp_proposals = aes128gcm16-x25519 } }
  }
}
secrets {
  ike-all { secret = "everybody's" }
  ike-dev { id = dev.example
    secret = "the board's" }
  ike-other { id = other.example
    secret = "another's" }
}
pools { p { addrs = 10.9.0.0/24 } }
"""


def converted(text, same=False, remote=""):
    return from_strongswan.convert(swanctl.parse(text), "rw", same, remote)


def test_a_roadwarriors_gateway():
    table, notes = converted(ROADWARRIORS)
    assert table == {
        "role": "initiator",
        "remote": "192.0.2.1",
        "local_id": "dev.example",
        "remote_id": "gw.example",
        "psk": "the board's",
        "proposals": ["aes128-sha256-x25519", "chacha20poly1305-prfsha256-curve25519"],
        "esp_proposals": ["aes128gcm16-x25519"],
        "virtual_ip": True,
        "remote_ts": ["10.1.0.0/16"],
    }
    assert notes == ["aes256-sha384-ecp384: left out, ecp384: unknown"]


def test_a_board_in_its_place():
    table, _ = converted(ROADWARRIORS.replace("default", "aes128gcm16-prfsha256-ecp256"), same=True)
    assert (table["role"], table["remote"], table["local_id"]) == ("responder", "%any", "gw.example")
    assert (table["pool"], table["local_ts"]) == ("10.9.0.0/24", ["10.1.0.0/16"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("local_addrs = 192.0.2.1", "", "--remote ADDRESS"),
        ("connections {\n  rw {", "connections {\n  rw {\n version = 1", "IKEv2 only"),
        ("remote { auth = psk", "remote { auth = eap-mschapv2", "a board has psk and pubkey"),
        ("proposals = aes128-sha256-x25519", "proposals = 3des-sha1-modp1024\n x = ", "a board speaks none of these"),
        ("secret = ", "secrt = ", "secrets: none is for these two identities"),
        ("rw {", "other {", "no connection rw; there are other"),
        ("local_ts = 10.1.0.0/16", "local_ts = nowhere", "nowhere: not a network"),
    ],
)
def test_what_cannot_be_a_boards(old, new, said):
    assert old in ROADWARRIORS
    with pytest.raises(from_strongswan.ConversionError) as caught:
        converted(ROADWARRIORS.replace(old, new))
    assert said in str(caught.value) and "the board's" not in str(caught.value)


def test_certificates(tmp_path):
    text = ROADWARRIORS.replace("auth = psk", "auth = pubkey")
    table, notes = converted(text)
    assert (table["cert"], table["key"], table["cacerts"]) == (["board.pem"], "board.key", ["ca.pem"])
    assert "psk" not in table and "cert, key: put the board's own beside the file" in notes
    assert 'cacerts = ["ca.pem"]' in from_strongswan.toml("rw", table)


def test_the_file_can_be_read_again():
    table = {"role": "initiator", "remote": "gw.example", "local_id": "a", "psk": PSK + "\x01\t"}
    assert tomllib.loads(from_strongswan.toml("hq", table)) == {"connection": {"hq": table}}


# -- raw public keys ---------------------------------------------------------------------------------------------------


def raw_keys(tmp_path):
    for name, number in (("gw.pem", 100), ("dev.pem", 101)):
        (tmp_path / name).write_bytes(key("p256", number).public_key().public_bytes(PEM, SPKI))
    private = key("p256", 101).private_bytes(PEM, PKCS8, serialization.NoEncryption())
    (tmp_path / "dev.key").write_bytes(private)
    path = tmp_path / "board.toml"
    text = "\n".join(line for line in INITIATOR.split("\n") if not line.startswith("psk"))
    path.write_text(text + 'cert = ["dev.pem"]\nkey = "dev.key"\ncacerts = ["gw.pem"]\nvirtual_ip = true\n')
    return path


def test_raw_public_keys(tmp_path):
    path = raw_keys(tmp_path)
    written = CliRunner().invoke(main, ["gateway", "--config", str(path)])
    assert written.exit_code == 0, written.stderr
    peer = swanctl.parse(written.stdout)["connections"]["hq"]
    assert peer["local"]["pubkeys"] == "gateway.pem" and peer["remote"]["pubkeys"] == "board.pem"
    assert "send_cert" not in peer and "cacerts" not in peer["remote"] and "secrets" not in written.stdout
    refused = CliRunner().invoke(main, ["gateway", "--config", str(path), "--vendor", "libreswan"])
    assert refused.exit_code == 2 and "raw public keys" in refused.stderr


def test_a_raw_public_key_that_is_not_the_private_one_s(tmp_path):
    path = raw_keys(tmp_path)
    (tmp_path / "dev.pem").write_bytes((tmp_path / "gw.pem").read_bytes())
    refused = CliRunner().invoke(main, ["gateway", "--config", str(path)])
    assert refused.exit_code == 2 and "dev.key is not that of the certificate" in refused.stderr
    (tmp_path / "dev.pem").write_text("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    refused = CliRunner().invoke(main, ["gateway", "--config", str(path)])
    assert refused.exit_code == 2 and "no public key in PEM" in refused.stderr
