"""The configuration: what each key becomes, and what is refused in which words."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uike import config, iana
from uike.wire.selectors import make

INITIATOR = {
    "role": "initiator",
    "remote": "192.0.2.1",
    "local_id": "dev.example",
    "psk": "a key that nobody guesses",
    "remote_ts": ["10.1.0.0/16"],
}
RESPONDER = {"role": "responder", "local_id": "gw.example", "psk": "a key", "local_ts": ["10.1.0.0/16"]}


def load(table, **changes):
    """The connection of one table; a change to None takes the key away."""
    table = {key: value for key, value in {**table, **changes}.items() if value is not None}
    return config.load({"connection": {"hq": table}})[0]


def refused(table, **changes):
    with pytest.raises(config.ConfigError) as caught:
        load(table, **changes)
    error = caught.value
    assert error.key.startswith("[connection.hq]")
    return error.key.removeprefix("[connection.hq]").strip(), error.problem, error.allowed


def test_the_example_of_an_initiator():
    connection = load(
        INITIATOR,
        local="0.0.0.0",
        remote_id="gw.example",
        proposals=["aes128-sha256-x25519", "aes256gcm16-prfsha256-ecp256"],
        esp_proposals=["aes128-sha256", "aes128gcm16"],
        virtual_ip=True,
        local_ts=[],
    )
    assert connection.initiator and connection.virtual_ip
    assert (connection.name, connection.local, connection.remote) == ("hq", "0.0.0.0", "192.0.2.1")
    assert connection.local_id == (iana.ID_FQDN, b"dev.example")
    assert connection.remote_id == (iana.ID_FQDN, b"gw.example")
    assert connection.psk == b"a key that nobody guesses"
    assert connection.proposals == (
        ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0)),
        ((1, 20, 256), (2, 5, 0), (4, 19, 0)),
    )
    assert connection.esp_proposals == (((1, 12, 128), (3, 12, 0), (5, 0, 0)), ((1, 20, 128), (5, 0, 0)))
    assert connection.remote_ts == (make(0, 0, 65535, bytes((10, 1, 0, 0)), bytes((10, 1, 255, 255))),)


def test_the_example_of_a_responder():
    connection = load(RESPONDER, pool="10.9.0.0/24", dns=["10.1.0.53"])
    assert not connection.initiator
    assert connection.remote == "%any" and connection.remote_id is None
    assert connection.pool == (bytes((10, 9, 0, 1)), bytes((10, 9, 0, 254)), bytes((255, 255, 255, 0)))
    assert connection.dns == (bytes((10, 1, 0, 53)),)


def test_defaults():
    connection = load(INITIATOR, remote_ts=None)
    assert connection.remote_ts == (make(0, 0, 65535, bytes(4), b"\xff" * 4),)
    assert [len(proposal) for proposal in connection.proposals] == [7, 7]
    assert [len(proposal) for proposal in connection.esp_proposals] == [4, 4]
    assert (connection.dpd_delay_ms, connection.nat_keepalive_ms) == (30_000, 20_000)


V6_NET = tuple(bytes.fromhex("20010db8000100000000000000000000"))


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("gw.example", (2, b"gw.example")),
        ("@gw.example", (2, b"gw.example")),
        ("user@example", (3, b"user@example")),
        ("@@user@example", (3, b"user@example")),
        ("192.0.2.1", (1, bytes((192, 0, 2, 1)))),
        ("192.0.2.256", (2, b"192.0.2.256")),
        ("2001:db8::1", (5, b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01")),
        ("::1", (5, bytes(15) + b"\x01")),
        ("1:2:3:4:5:6:7:8", (5, bytes((0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8)))),
        ("serial:00-11", (11, b"serial:00-11")),
        ("@#c0ffee", (11, b"\xc0\xff\xee")),
        ("keyid:board 7", (11, b"board 7")),
        ("fqdn:192.0.2.1", (2, b"192.0.2.1")),
        ("email:someone", (3, b"someone")),
    ],
)
def test_identities_are_told_apart_as_strongswan_does(text, identity):
    assert load(INITIATOR, local_id=text).local_id == identity
    assert load(INITIATOR, remote_id=text).remote_id == identity


def test_moving_and_authenticating_anew():
    initiator, responder = load(INITIATOR), load(RESPONDER)
    assert initiator.mobike and responder.mobike
    assert (initiator.reauth_ms, responder.auth_lifetime_ms) == (0, 0)
    assert not load(INITIATOR, mobike=False).mobike
    assert load(INITIATOR, reauth_time=3_600).reauth_ms == 3_600_000
    assert load(RESPONDER, auth_lifetime=10).auth_lifetime_ms == 10_000
    assert load(RESPONDER, auth_lifetime=0).auth_lifetime_ms == 0


def test_redirection():
    assert not load(INITIATOR).redirect and load(INITIATOR, redirect=True).redirect
    assert load(RESPONDER).redirect_to is None
    assert load(RESPONDER, redirect_to="203.0.113.9").redirect_to == bytes((203, 0, 113, 9))
    for value in ("gw.example", "2001:db8::1", "0.0.0.0", "", 7):
        assert refused(RESPONDER, redirect_to=value)[0] == "redirect_to"
    assert refused(RESPONDER, redirect=True) == ("redirect", "not for this role", 'role = "initiator"')
    assert refused(INITIATOR, redirect_to="203.0.113.9")[0] == "redirect_to"


def test_transport_mode():
    for table in ({**INITIATOR, "remote_ts": None}, {**RESPONDER, "local_ts": None}):
        assert not load(table).transport and not load(table, mode="tunnel").transport
        connection = load(table, mode="transport")
        assert connection.transport and connection.local_ts == connection.remote_ts == ()
        assert refused(table, mode="beet") == ("mode", "bad value", '"tunnel" or "transport"')
    for key, value in (("remote_ts", ["10.1.0.0/16"]), ("local_ts", ["10.1.0.1"]), ("virtual_ip", True)):
        said = refused(INITIATOR, mode="transport", **{"remote_ts": None, key: value})
        assert said[:2] == (key, "given beside transport mode")
    assert refused(RESPONDER, mode="transport", local_ts=None, pool="10.9.0.0/24")[0] == "pool"
    child = {"one": {"remote_ts": ["10.1.0.0/16"]}}
    assert refused(INITIATOR, mode="transport", remote_ts=None, child=child)[0] == "child"
    assert refused(INITIATOR, mode="transport", remote_ts=None, childless=True)[0] == "childless"


def test_crash_detection():
    for table in (INITIATOR, RESPONDER):
        assert not load(table).crash_detection and load(table, crash_detection=True).crash_detection
    assert refused(RESPONDER, crash_detection=1) == ("crash_detection", "bad value", "true or false")


def test_childless_is_for_an_initiator():
    assert not load(INITIATOR).childless and load(INITIATOR, childless=True).childless
    assert refused(RESPONDER, childless=True) == ("childless", "not for this role", 'role = "initiator"')
    assert refused(INITIATOR, childless="yes") == ("childless", "bad value", "true or false")


def test_any_identity():
    assert load(INITIATOR, remote_id="%any").remote_id is None
    assert refused(INITIATOR, local_id="%any")[0] == "local_id"


@pytest.mark.parametrize("text", ["C=CH, XY=gw", "@#c0f", "@#xy", "ipv4:gw", "ipv6:1::2::3", "@", "", "x" * 193])
def test_identities_that_are_refused(text):
    assert refused(INITIATOR, local_id=text)[0] == "local_id"


@pytest.mark.parametrize(
    ("text", "transforms"),
    [
        ("aes128-sha256-x25519", ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0))),
        ("aes256-sha512-modp2048", ((1, 12, 256), (2, 7, 0), (3, 14, 0), (4, 14, 0))),
        ("aes128-sha256-prfsha384-ecp256", ((1, 12, 128), (2, 6, 0), (3, 12, 0), (4, 19, 0))),
        ("aes256gcm16-sha384-curve25519", ((1, 20, 256), (2, 6, 0), (4, 31, 0))),
        ("chacha20poly1305-prfsha512-x25519", ((1, 28, 0), (2, 7, 0), (4, 31, 0))),
        (
            "aes128-aes256-sha256-x25519-ecp256",
            ((1, 12, 128), (1, 12, 256), (2, 5, 0), (3, 12, 0), (4, 31, 0), (4, 19, 0)),
        ),
    ],
)
def test_ike_keywords(text, transforms):
    assert load(INITIATOR, proposals=[text]).proposals == (transforms,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("aes128-x25519", "no hash"),
        ("aes128gcm16-x25519", "no prf"),
        ("sha256-x25519", "no cipher"),
        ("aes128-sha256", "no group"),
        ("aes128-aes128gcm16-sha256-x25519", "AEAD and other ciphers"),
        ("aes128-sha256-modp1024", "modp1024: unknown"),
        ("aes128-aes128-sha256-x25519", "given twice"),
        ("aes128--sha256-x25519", "an empty word"),
        ("3des-sha1-modp1024", "3des: unknown"),
    ],
)
def test_ike_keywords_that_are_refused(text, problem):
    key, said, allowed = refused(INITIATOR, proposals=[text])
    assert key == "proposals" and problem in said and "x25519" in allowed


@pytest.mark.parametrize(
    ("text", "problem"), [("aes128gcm16-sha256", "takes no hash"), ("aes128", "no hash"), ("esn", "no cipher")]
)
def test_esp_keywords_that_are_refused(text, problem):
    key, said, _ = refused(INITIATOR, esp_proposals=[text])
    assert key == "esp_proposals" and problem in said


def test_secrets():
    assert load(INITIATOR, psk=None, psk_hex="00ff10").psk == b"\x00\xff\x10"
    assert load(INITIATOR, psk="0x00ff10").psk == b"\x00\xff\x10"
    assert load(INITIATOR, psk="0sAP8Q").psk == b"\x00\xff\x10"
    assert load(INITIATOR, psk="schlüssel").psk == "schlüssel".encode()
    assert load(INITIATOR, psk=None, psk_hex="00:0f:F1").psk == load(INITIATOR, psk="0X00Ff1").psk == b"\x00\x0f\xf1"
    assert load(INITIATOR, psk="0SAP8Q").psk == b"\x00\xff\x10"
    assert load(INITIATOR, psk='  0x00 " ').psk == b'  0x00 " '


def test_secrets_of_several_peers():
    rows = {"alice@example": "one", "*@example": "0x02", "%any": "three"}
    connection = load(RESPONDER, psk=None, psks=rows)
    assert connection.psks == ((None, b"three"), ((3, b"*@example"), b"\x02"), ((3, b"alice@example"), b"one"))
    assert connection.psk == b"" and load(RESPONDER, psks=rows).psk == b"a key"


@pytest.mark.parametrize("table", [INITIATOR, RESPONDER])
def test_a_postquantum_preshared_key(table):
    connection = load(table, ppk="0x" + "5a" * 32, ppk_id="ppk@example", ppk_required=True)
    assert (connection.ppk, connection.ppk_id, connection.ppk_required) == (b"\x5a" * 32, b"ppk@example", True)
    assert load(table, ppk="a key", ppk_id="@#c0ffee").ppk_id == b"\xc0\xff\xee"
    assert (load(table).ppk, load(table).ppk_required) == (b"", False)


@pytest.mark.parametrize(
    "changes",
    [
        {"psk": "0xhunter2"},
        {"psk": "0shunter2hunter2!"},
        {"psk": "0shunter2hunter2x"},
        {"psk": None, "psk_hex": "hunter2"},
        {"psk": "hunter2" * 40},
        {"psk": ["hunter2"]},
        {"psk": "0X"},
        {"psk": "0xhunter2:00"},
        {"psk_hex": "0:0f:f1", "psk": None},
        {"psk_hex": "000:0ff:1a", "psk": None},
        {"psk": "hunter2", "psk_hex": "00"},
    ],
)
def test_a_refused_secret_is_not_in_the_message(changes):
    said = refused(INITIATOR, **changes)
    assert said[0] in ("psk", "psk_hex")
    assert "hunter2" not in repr(said)


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("10.1.0.0/16", (0, 0, 65535, (10, 1, 0, 0), (10, 1, 255, 255))),
        ("10.1.0.7", (0, 0, 65535, (10, 1, 0, 7), (10, 1, 0, 7))),
        ("10.1.0.5-10.1.0.9", (0, 0, 65535, (10, 1, 0, 5), (10, 1, 0, 9))),
        ("0.0.0.0/0", (0, 0, 65535, (0, 0, 0, 0), (255, 255, 255, 255))),
        ("10.1.0.7[tcp/443]", (6, 443, 443, (10, 1, 0, 7), (10, 1, 0, 7))),
        ("10.1.0.7[udp/1000-2000]", (17, 1000, 2000, (10, 1, 0, 7), (10, 1, 0, 7))),
        ("2001:db8:1::/48", (0, 0, 65535, V6_NET, V6_NET[:6] + (255,) * 10)),
        ("2001:db8:1::-2001:db8:1:ffff:ffff:ffff:ffff:ffff[tcp/443]", (6, 443, 443, V6_NET, V6_NET[:6] + (255,) * 10)),
        ("10.1.0.7[icmp]", (1, 0, 65535, (10, 1, 0, 7), (10, 1, 0, 7))),
        ("10.1.0.7[89]", (89, 0, 65535, (10, 1, 0, 7), (10, 1, 0, 7))),
    ],
)
def test_selectors(text, selector):
    expected = make(*selector[:3], bytes(selector[3]), bytes(selector[4]))
    assert load(INITIATOR, remote_ts=[text]).remote_ts == (expected,)


@pytest.mark.parametrize(
    "text",
    ["10.1.0.5/16", "10.1.0.0/33", "10.1.0.0/", "10.1.0", "10.1.0.9-10.1.0.5", "10.1.0.7[tcp/443",
     "10.1.0.7[tcp/70000]", "10.1.0.7[]", "10.1.0.7[tcp/9-5]", "2001:db8::1/32", ""],
)  # fmt: skip
def test_selectors_that_are_refused(text):
    assert refused(INITIATOR, remote_ts=[text])[0] == "remote_ts"


@pytest.mark.parametrize(
    ("table", "changes", "key"),
    [
        (INITIATOR, {"role": None}, "role"),
        (INITIATOR, {"role": "client"}, "role"),
        (INITIATOR, {"remote": None}, "remote"),
        (INITIATOR, {"remote": "%any"}, "remote"),
        (INITIATOR, {"remote": "192.0.2.300"}, "remote"),
        (INITIATOR, {"remote": "192.0.2.\u00b2"}, "remote"),  # a digit for str.isdigit, none for int
        (INITIATOR, {"remote": "gw example"}, "remote"),
        (INITIATOR, {"remote": 7}, "remote"),
        (INITIATOR, {"local": "eth0"}, "local"),
        (INITIATOR, {"local_id": None}, "local_id"),
        (INITIATOR, {"psk": None}, "psk"),
        (INITIATOR, {"psks": {"alice@example": "one"}}, "psks"),
        (RESPONDER, {"psks": {}}, "psks"),
        (RESPONDER, {"psks": ["one"]}, "psks"),
        (RESPONDER, {"psks": {"alice@example": ""}}, "psks"),
        (RESPONDER, {"psks": {"keyid:#x": "one"}}, "psks"),
        (RESPONDER, {"psks": {f"{n}@example": "one" for n in range(17)}}, "psks"),
        (INITIATOR, {"ppk": "a key"}, "ppk_id"),
        (INITIATOR, {"ppk_id": "ppk@example"}, "ppk"),
        (INITIATOR, {"ppk_required": True}, "ppk"),
        (INITIATOR, {"ppk": "a key", "ppk_id": "%any"}, "ppk_id"),
        (INITIATOR, {"ppk": "0xno", "ppk_id": "ppk@example"}, "ppk"),
        (INITIATOR, {"ppk": "a key", "ppk_id": "ppk@example", "ppk_required": 1}, "ppk_required"),
        (INITIATOR, {"pool": "10.9.0.0/24"}, "pool"),
        (INITIATOR, {"dns": ["10.1.0.53"]}, "dns"),
        (RESPONDER, {"virtual_ip": True}, "virtual_ip"),
        (RESPONDER, {"dns": ["10.1.0.53"]}, "dns"),
        (RESPONDER, {"dns": ["ns"], "pool": "10.9.0.0/24"}, "dns"),
        (RESPONDER, {"pool": "10.9.0.0/31"}, "pool"),
        (RESPONDER, {"pool": "10.0.0.0/15"}, "pool"),
        (RESPONDER, {"pool": "10.9.0.1/24"}, "pool"),
        (RESPONDER, {"pool": "10.9.0.0/24", "remote_ts": ["10.2.0.0/16"]}, "remote_ts"),
        (INITIATOR, {"virtual_ip": 1}, "virtual_ip"),
        (INITIATOR, {"virtual_ip": True, "local_ts": ["10.2.0.0/16"]}, "local_ts"),
        (INITIATOR, {"mobike": 1}, "mobike"),
        (INITIATOR, {"reauth_time": 604_801}, "reauth_time"),
        (INITIATOR, {"auth_lifetime": 600}, "auth_lifetime"),
        (RESPONDER, {"reauth_time": 600}, "reauth_time"),
        (RESPONDER, {"auth_lifetime": 9}, "auth_lifetime"),
        (RESPONDER, {"auth_lifetime": False}, "auth_lifetime"),
        (RESPONDER, {"auth_lifetime": 604_801}, "auth_lifetime"),
        (INITIATOR, {"dpd_delay": -1}, "dpd_delay"),
        (INITIATOR, {"dpd_delay": True}, "dpd_delay"),
        (INITIATOR, {"dpd_delay": 1.5}, "dpd_delay"),
        (INITIATOR, {"nat_keepalive": 3601}, "nat_keepalive"),
        (INITIATOR, {"retransmit_ms": 99}, "retransmit_ms"),
        (INITIATOR, {"retransmit_tries": 13}, "retransmit_tries"),
        (INITIATOR, {"proposals": []}, "proposals"),
        (INITIATOR, {"proposals": "aes128-sha256-x25519"}, "proposals"),
        (INITIATOR, {"proposals": ["aes128-sha256-x25519"] * 9}, "proposals"),
        (INITIATOR, {"remote_ts": ["10.1.0.0/16"] * 9}, "remote_ts"),
        (INITIATOR, {"remote_subnet": "10.1.0.0/16"}, "remote_subnet"),
    ],
)
def test_refused_with_the_key_and_what_is_allowed(table, changes, key):
    said, problem, allowed = refused(table, **changes)
    assert said == key and problem and allowed


@pytest.mark.parametrize(
    "tree",
    [[], {}, {"connection": {}}, {"connection": []}, {"connections": {}}, {"connection": {"hq": 7}},
     {"connection": {"a b": INITIATOR}}, {"connection": {"x" * 33: INITIATOR}},
     {"connection": {f"c{i}": INITIATOR for i in range(9)}}],
)  # fmt: skip
def test_trees_that_are_refused(tree):
    with pytest.raises(config.ConfigError):
        config.load(tree)


def test_connections_come_in_the_order_of_their_names():
    tree = {"connection": {"z": INITIATOR, "a": RESPONDER, "m": INITIATOR}}
    assert [connection.name for connection in config.load(tree)] == ["a", "m", "z"]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=600, derandomize=True)
@given(st.sampled_from(sorted(config._KEYS)), values)
def test_any_value_of_any_key_is_taken_or_refused(key, value):
    tree = {"connection": {"hq": {**INITIATOR, key: value}}}
    tree = json.loads(json.dumps(tree))  # what the device stores
    try:
        connections = config.load(tree)
    except config.ConfigError as error:
        assert error.problem and error.allowed
    else:
        assert len(connections) == 1


def test_pool_of_ipv6_and_what_goes_with_it():
    connection = load(
        RESPONDER, pool6="2001:db8:9::/112", dns=["2001:db8:1::53"], domains=["corp.example"], require_cp=True
    )
    base = bytes.fromhex("20010db8000900000000000000000000")
    assert connection.pool6 == (base[:15] + b"\1", base[:14] + b"\xff\xff", b"\x70")
    assert connection.dns == (bytes.fromhex("20010db8000100000000000000000053"),)
    assert connection.domains == (b"corp.example",) and connection.require_cp is True


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"pool6": "10.9.0.0/24"}, "pool6"),
        ({"pool": "2001:db8::/28"}, "pool"),
        ({"pool6": "2001:db8:9::1/112"}, "pool6"),
        ({"pool6": "2001:db8:9::/63"}, "pool6"),
        ({"pool6": "2001:db8:9::/127"}, "pool6"),
        ({"pool6": "2001:db8:9::/112", "domains": ["no name"]}, "domains"),
        ({"domains": ["corp.example"]}, "domains"),
        ({"require_cp": True}, "require_cp"),
        *(
            ({"local_ts": [text]}, "local_ts")
            for text in ("2001:db8::/129", "2001::db8::/48", ":::/0", "1:2:3:4:5:6:7/128", "1:2:3:4:5:6:7:8:9/128",
                         "12345::/16", "2001:db8::1/64", "10.1.0.1-2001:db8::1", "::1-::", "g::/16", "1:2:3:4:5:6:7:8::")
        ),
    ],
)  # fmt: skip
def test_ipv6_that_is_refused(changes, key):
    assert refused(RESPONDER, **changes)[0] == key


def test_several_gateways_of_an_initiator():
    assert load(INITIATOR, remote=["gw.example", "192.0.2.9"]).remote == ("gw.example", "192.0.2.9")
    assert load(INITIATOR, remote=["gw.example"]).remote == "gw.example"
    for wrong in ([], ["%any", "gw.example"], ["gw.example", 7], ["a", "b", "c", "d", "e"], ["not a name", "b"]):
        assert refused(INITIATOR, remote=wrong)[0] == "remote"
    assert refused(RESPONDER, remote=["192.0.2.1", "192.0.2.9"])[0] == "remote"
