"""Tunnels that do not come up, the fault made with a real strongSwan, and the verdict that the recording gives."""

import json
import subprocess
import time
from contextlib import contextmanager

import pytest

from host_tools import recording
from host_tools.explain import peer_log
from host_tools.explain.judge import judge
from host_tools.peers.network import BOARD, GATEWAY, INNER, Namespaces
from host_tools.peers.strongswan import Gateway, connection
from tests.interop import board as boards
from tests.interop.test_certificates import DAY, NOW, Party, arrange
from tests.interop.tunnel import TOWARDS_US

FAST = {"retransmit_ms": 100}


@pytest.fixture(scope="module")
def namespaces():
    """Of its own: the strongSwan there must not mind negotiations that are never finished."""
    with Namespaces("e") as made:
        yield made


@pytest.fixture(scope="module")
def charon(namespaces, tmp_path_factory):
    with Gateway(
        namespaces, tmp_path_factory.mktemp("explain"), "block_threshold = 1000\ncookie_threshold = 1000"
    ) as gateway:
        yield gateway


def run(namespaces, tmp_path, text, *words):
    """A board that ends by itself; the path of its recording."""
    path = tmp_path / "board.trace"
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython", "--record", path, *words) as board:
        board.wait_for_end()
    return path


def answered(namespaces, gateway, tmp_path, text):
    """A board that strongSwan connects to."""
    path = tmp_path / "board.trace"
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython", "--record", path) as board:
        board.wait_for("greeting")
        gateway.swanctl("--initiate", "--child", "net", "--timeout", "10", check=False)
        board.finish()
    return path


def up(namespaces, tmp_path, text, target):
    """A board whose tunnel comes up, and that pings; it does not wait for the answers."""
    path = tmp_path / "board.trace"
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython", "--record", path) as board:
        board.wait_for("established")
        board.type(do="ping", to=target, count=2, interval_ms=10)
        time.sleep(0.2)
        board.finish()
    return path


def verdict_of(path, log=None):
    _, verdict = judge(recording.read(path).events)
    if log:
        peer_log.enrich(verdict, log)
    return verdict


def explained(namespaces, path, *words):
    """`uike explain` as a user runs it, beside the board: (exit status, its JSON object)."""
    command = Namespaces.command(namespaces.board, boards.UIKE, "explain", path, "--json", *words)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@contextmanager
def blocked(namespace, link, port):
    """Datagrams to a UDP port that come in by a link are lost: a firewall without a word."""
    rules = (
        ("rule", "add", "pref", "10", "from", "all", "lookup", "local"),
        ("rule", "delete", "pref", "0"),
        ("rule", "add", "pref", "5", "iif", link, "ipproto", "udp", "dport", str(port), "blackhole"),
    )
    undo = (
        ("rule", "delete", "pref", "5"),
        ("rule", "add", "pref", "0", "from", "all", "lookup", "local"),
        ("rule", "delete", "pref", "10"),
    )
    for words in rules:
        subprocess.run(["ip", "-n", namespace, *words], check=True)
    try:
        yield
    finally:
        for words in undo:
            subprocess.run(["ip", "-n", namespace, *words], check=True)


# What differs: at the board, at strongSwan; then what the verdict says by itself, and with strongSwan's log
AS_INITIATOR = {
    "psk": (
        {"psk": "another key"},
        {},
        {"case": "PEER_SAID_AUTH_FAILED", "who": "the gateway", "exchange": "IKE_AUTH", "authenticated": True},
        {"case": "PSK_DIFFERS", "payload": "AUTH", "there": ["secrets { ike-1 { id = dev.example; secret = ... } }"]},
    ),
    "identity": (
        {"local_id": "stranger.example"},
        {},
        {"ours": ["we are stranger.example", "we asked for gw.example"], "payload": "IDi, IDr or AUTH"},
        {"case": "UNKNOWN_IDENTITY", "there": ["local { id = gw.example }", "remote { id = stranger.example }"]},
    ),
    "ike proposal": (
        {"ike": "aes256-sha256-ecp256"},
        {},
        {"case": "PEER_SAID_NO_PROPOSAL", "payload": "SAi1", "authenticated": False, "ours": ["aes256-sha256-ecp256"]},
        {
            "theirs": ["aes128-sha256-x25519"],
            "difference": "cipher (ENCR): here AES_CBC_256, there AES_CBC_128",
            "here": ['proposals = ["aes256-sha256-ecp256", "aes128-sha256-x25519"]'],
        },
    ),
    "esp proposal": (
        {"esp": "aes256gcm16"},
        {},
        {"case": "PEER_SAID_NO_ESP_PROPOSAL", "payload": "SAi2", "there": ["esp_proposals = aes256gcm16"]},
        {"theirs": ["aes128-sha256"], "here": ['esp_proposals = ["aes256gcm16", "aes128-sha256"]']},
    ),
    "selectors": (
        {"remote_ts": "10.77.0.0/16"},
        {},
        {"case": "TS_REFUSED_BY_PEER", "payload": "TSi, TSr", "ours": ["local 0.0.0.0/0", "remote 10.77.0.0/16"]},
        {"there": ["local_ts = 10.77.0.0/16", "remote_ts = dynamic"]},
    ),
    "address": (
        {},
        {"pool": False},
        {"case": "PEER_SAID_ADDRESS_FAILURE", "payload": "CP", "notify": "INTERNAL_ADDRESS_FAILURE"},
        {"case": "NO_ADDRESS_ASSIGNED", "text": "the gateway has no address for dev.example"},
    ),
}
AS_RESPONDER = {
    "psk": ({"psk": "another key"}, {}, {"case": "PSK_DIFFERS", "who": "this board", "payload": "AUTH"}),
    "identity": (
        {"remote_id": "dev.example"},
        {"local_id": "stranger.example"},
        {"case": "UNKNOWN_PEER_ID", "payload": "IDi", "here": ['remote_id = "stranger.example"']},
    ),
    "ike proposal": (
        {"ike": "aes128-sha256-ecp256"},
        {"ike": "aes128-sha256-modp1024, aes128-sha256-x25519"},
        {
            "case": "NO_COMMON_PROPOSAL",
            "difference": "key exchange group (KE_METHOD): here ECP_256, there MODP_1024",
            "here": ['proposals = ["aes128-sha256-ecp256", "aes128-sha256-x25519"]'],
            "there": ["proposals = aes128-sha256-modp1024, aes128-sha256-x25519, aes128-sha256-ecp256"],
        },
    ),
    "esp proposal": (
        {"esp": "aes128-sha512"},
        {"esp": "aes128-sha256"},
        {
            "case": "NO_COMMON_ESP_PROPOSAL",
            "difference": "integrity (INTEG): here HMAC_SHA2_512_256, there HMAC_SHA2_256_128",
            "here": ['esp_proposals = ["aes128-sha512", "aes128-sha256"]'],
        },
    ),
    "selectors": (
        {},
        {"remote_ts": "10.77.0.0/16"},
        {"case": "TS_REFUSED", "theirs": ["it asks for local 10.77.0.0/16, remote 0.0.0.0/0, in our words"]},
    ),
}


def says(verdict, wanted):
    found = verdict.as_dict()
    assert {key: found[key] for key in wanted} == wanted, found
    assert found["text"] and found["remedy"] and not found["up"]


@pytest.mark.parametrize("case", AS_INITIATOR)
def test_strongswan_refuses(namespaces, gateway, tmp_path, case):
    ours, theirs, alone, with_log = AS_INITIATOR[case]
    gateway.configure(connection(**theirs))
    path = run(namespaces, tmp_path, boards.initiator(**FAST, **ours))
    says(verdict_of(path), alone)
    says(verdict_of(path, gateway.log()), with_log)


@pytest.mark.parametrize("case", AS_RESPONDER)
def test_we_refuse(namespaces, gateway, tmp_path, case):
    ours, theirs, wanted = AS_RESPONDER[case]
    gateway.configure(connection(**{**TOWARDS_US, **theirs}))
    says(verdict_of(answered(namespaces, gateway, tmp_path, boards.responder(**FAST, **ours))), wanted)


def test_strongswan_has_no_key(namespaces, gateway, tmp_path):
    text = connection()
    gateway.configure(text[: text.index("secrets")] + text[text.index("pools {") :])
    path = run(namespaces, tmp_path, boards.initiator(**FAST))
    says(verdict_of(path), {"case": "PEER_SAID_AUTH_FAILED"})
    says(verdict_of(path, gateway.log()), {"case": "PSK_MISSING"})


def test_another_group_costs_a_round_trip(namespaces, gateway, tmp_path):
    gateway.configure(connection(ike="aes128-sha256-ecp256"))
    path = up(namespaces, tmp_path, boards.initiator(ike="aes128-sha256-x25519-ecp256", **FAST), INNER)
    status, verdict = explained(namespaces, path)
    assert status == 0 and verdict["case"] == "UP"
    assert verdict["also"] == ["a round trip more: the gateway wanted the group ECP_256; put it first in proposals"]


# -- no answer -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lonely():
    """A gateway's host without a gateway."""
    with Namespaces("l") as made:
        yield made


def silent(namespaces, tmp_path, **changes):
    text = boards.initiator("retransmit_tries = 2\n", **FAST, **changes)
    return run(namespaces, tmp_path, text.replace("retransmit_tries = 4\n", ""))


def test_no_host_at_that_address(lonely, tmp_path):
    path = silent(lonely, tmp_path, gateway="192.0.2.77")
    says(verdict_of(path), {"case": "NO_ANSWER", "who": "nobody", "here": ['remote = "192.0.2.77"']})
    status, verdict = explained(lonely, path, "--probe")
    assert status == 1 and verdict["case"] == "HOST_UNREACHABLE"


def test_no_gateway_on_that_host(lonely, tmp_path):
    path = silent(lonely, tmp_path)
    status, verdict = explained(lonely, path, "--probe")
    assert (status, verdict["case"], verdict["who"]) == (1, "NO_IKE_SERVICE", "the gateway's host")


def test_port_500_is_blocked(namespaces, gateway, tmp_path):
    with blocked(namespaces.gateway, "gw0", 500), blocked_too(namespaces.gateway, "gw0", 4500):
        path = silent(namespaces, tmp_path)
        status, verdict = explained(namespaces, path, "--probe")
    assert (status, verdict["case"], verdict["who"]) == (1, "PORT_500_BLOCKED", "the network")


def test_port_4500_is_blocked(namespaces, gateway, tmp_path):
    gateway.configure(connection())
    with blocked(namespaces.gateway, "gw0", 4500):
        path = silent(namespaces, tmp_path)
        says(verdict_of(path), {"case": "PORT_4500_BLOCKED", "exchange": "IKE_AUTH", "who": "the network"})
        status, verdict = explained(namespaces, path, "--probe")
    assert (status, verdict["case"]) == (1, "PORT_4500_BLOCKED")
    assert verdict["text"] == f"UDP 500 of {GATEWAY} answers this PC, UDP 4500 is silent"


@contextmanager
def blocked_too(namespace, link, port):
    subprocess.run(
        [
            "ip",
            "-n",
            namespace,
            "rule",
            "add",
            "pref",
            "6",
            "iif",
            link,
            "ipproto",
            "udp",
            "dport",
            str(port),
            "blackhole",
        ],
        check=True,
    )
    try:
        yield
    finally:
        subprocess.run(["ip", "-n", namespace, "rule", "delete", "pref", "6"], check=True)


def test_only_ikev1(namespaces, gateway, tmp_path):
    text = connection(ike="aes128-sha256-modp2048").replace("version = 2", "version = 1")
    gateway.configure(text)
    path = silent(namespaces, tmp_path)
    log = gateway.log()
    status, verdict = explained(namespaces, path, "--probe")
    assert (status, verdict["case"], verdict["there"]) == (1, "ONLY_IKEV1", ["version = 2"])
    says(verdict_of(path, log), {"case": "NO_CONNECTION_AT_PEER"})


def test_a_gateway_that_knows_another_address(namespaces, gateway, tmp_path):
    gateway.configure(connection(remote="198.51.100.7"))
    path = silent(namespaces, tmp_path)
    log = gateway.log()
    status, verdict = explained(namespaces, path, "--probe")
    assert (status, verdict["case"], verdict["there"][1]) == (1, "NO_CONNECTION_AT_PEER", f"remote_addrs = {BOARD}")
    says(verdict_of(path, log), {"case": "NO_CONNECTION_AT_PEER"})


def test_what_the_gateway_takes_is_found_by_asking(namespaces, gateway, tmp_path):
    gateway.configure(connection(ike="aes256gcm16-prfsha384-x25519"))
    path = run(namespaces, tmp_path, boards.initiator(ike="aes256-sha256-x25519", **FAST))
    _, verdict = explained(namespaces, path, "--probe")
    assert verdict["theirs"] == ["aes256gcm16-prfsha384-x25519"]
    assert verdict["difference"] == "cipher (ENCR): here AES_CBC_256, there AES_GCM_16_256"
    assert verdict["here"] == ['proposals = ["aes256-sha256-x25519", "aes256gcm16-prfsha384-x25519"]']


def test_large_messages_are_lost(namespaces, gateway, tmp_path):
    text = arrange(gateway, tmp_path, "p256") + "fragmentation = false\nretransmit_tries = 2\n"
    text = text.replace("retransmit_tries = 4\n", "").replace("retransmit_ms = 500", "retransmit_ms = 100")
    subprocess.run(["ip", "-n", namespaces.gateway, "link", "set", "gw0", "mtu", "700"], check=True)
    try:
        path = run(namespaces, tmp_path, text)
        says(verdict_of(path), {"case": "LARGE_MESSAGES_LOST", "exchange": "IKE_AUTH", "who": "the network"})
        status, verdict = explained(namespaces, path, "--probe")
    finally:
        subprocess.run(["ip", "-n", namespaces.gateway, "link", "set", "gw0", "mtu", "1500"], check=True)
    assert status == 1 and verdict["case"] == "LARGE_MESSAGES_LOST"
    assert "IP datagrams of 1280 bytes get no answer" in verdict["text"] and "576" in verdict["here"][1]


# -- certificates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "theirs"),
    [
        ("CERTIFICATE_EXPIRED", {"start": NOW - 3 * DAY, "end": NOW - DAY}),
        ("CERTIFICATE_NOT_YET_VALID", {"start": NOW + DAY, "end": NOW + 3 * DAY}),
        ("CERTIFICATE_IDENTITY", {"san": "other.example"}),
        ("MISSING_ISSUER", None),
    ],
)
def test_certificates(namespaces, gateway, tmp_path, case, theirs):
    ca = Party("p256", "A CA")
    text = arrange(gateway, tmp_path, "p256", theirs=Party("p256", "gw.example", ca, **(theirs or {})), ca=ca)
    if theirs is None:
        other = Party("p256", "Another CA")
        (tmp_path / "ca.pem").write_bytes(other.pem())
    verdict = verdict_of(run(namespaces, tmp_path, text.replace("retransmit_ms = 500", "retransmit_ms = 100")))
    says(verdict, {"case": case, "who": "this board", "payload": "CERT", "exchange": "IKE_AUTH"})
    assert verdict.there
    if case == "CERTIFICATE_IDENTITY":
        assert verdict.here == ['remote_id = "other.example"']


def test_our_certificate_is_not_trusted(namespaces, gateway, tmp_path):
    ca = Party("p256", "A CA")
    stranger = Party("p256", "dev.example", Party("p256", "Another CA"))
    text = arrange(gateway, tmp_path, "p256", ours=stranger, ca=ca)
    path = run(namespaces, tmp_path, text.replace("retransmit_ms = 500", "retransmit_ms = 100"))
    says(verdict_of(path), {"case": "PEER_SAID_AUTH_FAILED"})
    says(verdict_of(path, gateway.log()), {"case": "CERTIFICATE_NOT_TRUSTED", "payload": "CERT"})


# -- tunnels that are up ---------------------------------------------------------------------------------------------


def test_less_than_was_asked_for(namespaces, gateway, tmp_path):
    gateway.configure(connection(local_ts="10.1.0.0/24"))
    status, verdict = explained(namespaces, up(namespaces, tmp_path, boards.initiator(**FAST), INNER))
    assert (status, verdict["case"]) == (0, "NARROWED")
    assert "remote_ts: asked for 10.1.0.0/16, got 10.1.0.0/24" in verdict["text"]


def test_nothing_comes_back(namespaces, gateway, tmp_path):
    gateway.configure(connection())
    status, verdict = explained(namespaces, up(namespaces, tmp_path, boards.initiator(**FAST), "10.1.0.99"))
    assert (status, verdict["case"]) == (0, "NO_TRAFFIC")
    assert verdict["text"].endswith("2 packets went into the tunnel and none came out of it")


def test_a_peer_that_is_lost(namespaces, gateway, tmp_path):
    gateway.configure(connection())
    path = tmp_path / "board.trace"
    text = boards.initiator("dpd_delay = 1\n", **FAST)
    with boards.Board(namespaces, tmp_path, text, "--runtime", "cpython", "--record", path) as board:
        board.wait_for("established")
        with blocked(namespaces.gateway, "gw0", 4500):
            board.wait_for("closed")
        board.finish()
    status, verdict = explained(namespaces, path)
    assert (status, verdict["case"], verdict["who"]) == (1, "PEER_DEAD", "nobody")
    assert verdict["text"].startswith("the peer was there, and has not answered for")


def test_the_heap_is_used_up(namespaces, gateway, tmp_path):
    gateway.configure(connection())
    path = tmp_path / "board.trace"
    words = ("--runtime", "vm", "--heap", "74k", "--record", path, "--timeout", "15")
    with boards.Board(namespaces, tmp_path, boards.initiator(**FAST), *words) as board:
        board.wait_for_end()
    verdict = verdict_of(path)
    says(verdict, {"case": "NO_MEMORY", "who": "this board"})
