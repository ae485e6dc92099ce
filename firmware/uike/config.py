"""The configuration: a tree of plain values (the device's JSON, the host's TOML) to a list of `Connection`.

    {"connection": {"hq": {"role": "initiator", "remote": "192.0.2.1", ...}}}

Loaded at power-on and dropped; the host uses the same code to refuse a file before it reaches a device. Each key has
one row in `_KEYS`: its reader, and the role that it is for.
"""

from uike import iana, transient
from uike import readers as read
from uike.connection import Connection, Policy
from uike.readers import ID_ALLOWED, NAME_LETTERS, REMOTES_ALLOWED, TS_ALLOWED, Problem
from uike.wire import cert, selectors

CONNECTIONS_MAX = 8
CHILDREN_MAX = 8
NAME_MAX = 32

_SWITCHES = ("trace_datagrams", "trace_keys")  # of the whole board, read by app/boot

_IKE_DEFAULT = (
    "aes128-aes256-sha256-x25519-ecp256-modp2048",
    "aes128gcm16-aes256gcm16-chacha20poly1305-prfsha256-x25519-ecp256-modp2048",
)
_ESP_DEFAULT = ("aes128-aes256-sha256", "aes128gcm16-aes256gcm16-chacha20poly1305")


class ConfigError(ValueError):
    """The configuration is refused: where, what is wrong, and what is allowed ("" when the problem says it)."""

    def __init__(self, key, problem, allowed=""):
        super().__init__(key, problem, allowed)
        self.key = key
        self.problem = problem
        self.allowed = allowed


def load(tree):
    """List of Connection, in the order of their names. Raises ConfigError."""
    if type(tree) is not dict:
        raise ConfigError("", "not a table", "[connection.NAME]")
    for key in tree:
        if key in _SWITCHES:
            if type(tree[key]) is not bool:
                raise ConfigError(key, "bad value", "true or false")
        elif key not in ("connection", "relay"):
            raise ConfigError(str(key), "unknown", "[connection.NAME], [[relay]], " + ", ".join(_SWITCHES))
    tables = tree.get("connection", {})
    if type(tables) is not dict or not tables:
        raise ConfigError("connection", "no connection in the file", "[connection.NAME]")
    if len(tables) > CONNECTIONS_MAX:
        raise ConfigError("connection", "%d connections" % len(tables), "at most %d" % CONNECTIONS_MAX)
    if "relay" in tree:
        transient.load("uike.relays").load(tree["relay"])
    return [_connection(name, tables[name]) for name in sorted(tables)]


def _connection(name, table):
    where = "[connection.%s]" % name
    if not 0 < len(name) <= NAME_MAX or [c for c in name if c not in NAME_LETTERS]:
        raise ConfigError(where, "bad name", "1 to %d letters, digits, '-', '_', '.'" % NAME_MAX)
    if type(table) is not dict:
        raise ConfigError(where, "not a table", "[connection.NAME]")
    connection = Connection(name)
    try:
        connection.initiator = _role(table.get("role"))
        for key in sorted(table):
            if key not in _KEYS:
                raise ConfigError(key, "unknown", ", ".join(sorted(_KEYS)))
            attribute, reader, initiator, arguments = _KEYS[key]
            if initiator is not None and initiator != connection.initiator:
                raise ConfigError(key, "not for this role", "role = %s" % _ROLES[initiator])
            if attribute:
                setattr(connection, attribute, reader(table[key], *arguments))
        _check(connection, table)
    except ConfigError as error:
        raise ConfigError((where + " " + error.key).strip(), error.problem, error.allowed)
    except Problem as problem:
        raise ConfigError((where + " " + key).strip(), problem.args[0], problem.args[1])
    return connection


def _policies(value):
    allowed = "tables [connection.NAME.child.CHILD] with " + ", ".join(sorted(_CHILD_KEYS))
    if type(value) is not dict or len(value) > CHILDREN_MAX:
        raise Problem("bad value", "at most %d %s" % (CHILDREN_MAX, allowed))
    found = []
    for name in sorted(value):
        policy = Policy(name)
        if type(value[name]) is not dict or [key for key in value[name] if key not in _CHILD_KEYS]:
            raise Problem("%s: not a table, or with an unknown key" % name, allowed)
        for key in sorted(value[name]):
            attribute, reader, _, arguments = _KEYS[key]
            setattr(policy, attribute, reader(value[name][key], *arguments))
        found.append(policy)
    return tuple(found)


def _check(connection, table):
    """What one key cannot know: that others are there, and fit."""
    _check_secrets(connection, table)
    for key in ("local_id",) + (("remote",) if connection.initiator else ()):
        if key not in table:
            raise ConfigError(key, "missing", ID_ALLOWED if key == "local_id" else "address or name of the gateway")
    if connection.local_id is None:
        raise ConfigError("local_id", "%any is nobody", ID_ALLOWED)
    if connection.initiator and connection.remote == "%any":
        raise ConfigError("remote", "an initiator must know its gateway", "an address or a name")
    if type(connection.remote) is tuple and not connection.initiator:
        raise ConfigError("remote", "several of a responder", REMOTES_ALLOWED)
    if connection.virtual_ip and connection.local_ts:
        raise ConfigError("local_ts", "given beside virtual_ip", "one of them: the virtual IP is the local selector")
    pools = connection.pool or connection.pool6
    if pools and connection.remote_ts:
        raise ConfigError("remote_ts", "given beside pool", "one of them: the assigned address is the remote selector")
    for key in ("dns", "domains", "require_cp"):
        if getattr(connection, key) and not pools:
            raise ConfigError(key, "given without pool", "both or none")
    for key in ("local_ts", "remote_ts", "virtual_ip", "pool", "pool6", "child", "childless"):
        if connection.transport and table.get(key):
            raise ConfigError(key, "given beside transport mode", "none: that is for the two ends themselves")
    if not connection.proposals:
        connection.proposals = read.proposals(_IKE_DEFAULT, True)
    if not connection.esp_proposals:
        connection.esp_proposals = read.proposals(_ESP_DEFAULT, False)
    if connection.initiator and not connection.remote_ts and not connection.transport:
        connection.remote_ts = (selectors.make(0, 0, 65535, bytes(4), b"\xff\xff\xff\xff"),)
    for policy in connection.more:
        if not policy.remote_ts and not pools:
            raise ConfigError("child", "%s: no remote_ts" % policy.name, TS_ALLOWED)
        policy.esp_proposals = policy.esp_proposals or connection.esp_proposals


_FITTING = (
    ("missing", "cert and key, or none of them"),
    ("given beside the device's own key", 'key = "device" alone, or cert and key'),
)


def _check_secrets(connection, table):
    """Each side proves itself with a certificate or with the pre-shared key."""
    if "psk" in table and "psk_hex" in table:
        raise ConfigError("psk", "given twice", "one of psk, psk_hex")
    for key, other in (("ppk", "ppk_id"), ("ppk_id", "ppk"), ("ppk_required", "ppk")):
        if table.get(key) and other not in table:
            raise ConfigError(other, "missing", "%s and %s, or none of them" % (key, other))
    _check_raw_keys(connection)
    for key, other in (("cert", "key"), ("key", "cert")):
        if key in table and (connection.key == b"device" if other in table else table[key] != "device"):
            raise ConfigError(other, *_FITTING[other in table])
    if connection.eap_password:
        _check_eap(connection)
        return
    if "eap_users" in table:
        _check_eap_users(connection)
        return
    for key in ("eap_id", "eap_methods", "eap_only"):
        if key in table:
            other = "eap_password" if connection.initiator else "eap_users"
            raise ConfigError(other, "missing", "the password that goes with " + key)
    if not connection.psk and not connection.psks and not (connection.key and connection.cacerts):
        raise ConfigError("psk", "missing", "one of psk, psk_hex; or cert, key and cacerts")


def _check_raw_keys(connection):
    """A raw public key (RFC 7670) stands alone, and the peer's is bound to the identity that we know (section 3)."""
    for key in ("cert", "cacerts"):
        found = getattr(connection, key)
        if len(found) > 1 and [data for data in found if cert.encoding(data) == iana.CERT_RAW_PUBLIC_KEY]:
            raise ConfigError(key, "a public key beside others", "certificates, or one public key")
    found = connection.cacerts
    if found and cert.encoding(found[0]) == iana.CERT_RAW_PUBLIC_KEY and not connection.remote_id:
        raise ConfigError("remote_id", "missing", "whose public key that in cacerts is: " + ID_ALLOWED)


def _check_eap(connection):
    """The gateway proves itself with a certificate or the pre-shared key, before the password is of use; or by EAP."""
    for key in ("key", "ppk"):
        if getattr(connection, key):
            raise ConfigError(key, "given beside eap_password", "one of them")
    if connection.eap_only and iana.EAP_MSCHAPV2 not in getattr(connection, "eap_methods", (iana.EAP_MSCHAPV2,)):
        raise ConfigError("eap_methods", "no mschapv2", "mschapv2: no other proves the gateway, as eap_only needs")
    if not (connection.psk or connection.cacerts or connection.eap_only):
        raise ConfigError("cacerts", "missing", "cacerts or psk, by which the gateway proves itself; or eap_only")


def _check_eap_users(connection):
    """We prove ourselves first, by what is ours; the users then do by their passwords alone."""
    if connection.ppk:
        raise ConfigError("ppk", "given beside eap_users", "one of them")
    if iana.EAP_GTC in getattr(connection, "eap_methods", ()):
        raise ConfigError("eap_methods", "gtc of a responder", 'a list of "mschapv2", "md5"')
    if not (connection.psk or connection.psks or connection.key):
        raise ConfigError("psk", "missing", "cert and key, or a psk, by which this side proves itself")


_ROLES = {True: '"initiator"', False: '"responder"'}


def _role(value):
    if value not in ("initiator", "responder"):
        problem = "missing" if value is None else "bad value"
        raise ConfigError("role", problem, '"initiator" or "responder"')
    return value == "initiator"


# key: (attribute of the connection, reader, role it is for or None, further arguments of the reader)
_KEYS = {
    "role": (None, None, None, ()),
    "local": ("local", read.local, None, ()),
    "remote": ("remote", read.remotes, None, ()),
    "local_id": ("local_id", read.identity, None, ()),
    "remote_id": ("remote_id", read.identity, None, ()),
    "psk": ("psk", read.psk, None, ()),
    "psk_hex": ("psk", read.psk_hex, None, ()),
    "psks": ("psks", read.psks, False, ()),
    "ppk": ("ppk", read.psk, None, ()),
    "ppk_id": ("ppk_id", read.ppk_id, None, ()),
    "ppk_required": ("ppk_required", read.flag, None, ()),
    "cert": ("cert", read.certificates, None, ()),
    "key": ("key", read.private_key, None, ()),
    "cacerts": ("cacerts", read.certificates, None, ()),
    "eap_id": ("eap_id", read.eap_id, True, ()),
    "eap_password": ("eap_password", read.eap_password, True, ()),
    "eap_methods": ("eap_methods", read.eap_methods, None, ()),
    "eap_users": ("eap_users", read.eap_users, False, ()),
    "eap_only": ("eap_only", read.flag, True, ()),
    "crls": ("crls", read.certificates, None, ()),
    "revocation": ("revocation", read.revocation, None, ()),
    "require_time": ("require_time", read.flag, None, ()),
    "proposals": ("proposals", read.proposals, None, (True,)),
    "esp_proposals": ("esp_proposals", read.proposals, None, (False,)),
    "virtual_ip": ("virtual_ip", read.flag, True, ()),
    "pool": ("pool", read.pool, False, ()),
    "pool6": ("pool6", read.pool6, False, ()),
    "require_cp": ("require_cp", read.flag, False, ()),
    "dns": ("dns", read.addresses, False, ()),
    "domains": ("domains", read.domains, False, ()),
    "local_ts": ("local_ts", read.selectors, None, ()),
    "remote_ts": ("remote_ts", read.selectors, None, ()),
    "dpd_delay": ("dpd_delay_ms", read.count, None, (0, 86_400, "seconds, 0 for never", 1_000)),
    "nat_keepalive": ("nat_keepalive_ms", read.count, None, (0, 3_600, "seconds, 0 for never", 1_000)),
    "retransmit_ms": ("retransmit_ms", read.count, None, (100, 60_000, "milliseconds", 1)),
    "reconnect_max": (
        "reconnect_ms",
        read.count,
        True,
        (0, 86_400, "seconds between attempts, 0 for one attempt", 1_000),
    ),
    "rekey_time": ("rekey_ms", read.count, None, (0, 604_800, "seconds, 0 for never", 1_000)),
    "esp_rekey_time": ("esp_rekey_ms", read.count, None, (0, 604_800, "seconds, 0 for never", 1_000)),
    "esp_rekey_packets": ("esp_rekey_packets", read.count, None, (0, 1 << 31, "packets, 0 for no limit", 1)),
    "esp_rekey_bytes": ("esp_rekey_bytes", read.count, None, (0, 1 << 40, "bytes, 0 for no limit", 1)),
    "mobike": ("mobike", read.flag, None, ()),
    "crash_detection": ("crash_detection", read.flag, None, ()),
    "redirect": ("redirect", read.flag, True, ()),
    "redirect_to": ("redirect_to", read.redirect_to, False, ()),
    "mode": ("transport", read.mode, None, ()),
    "childless": ("childless", read.flag, True, ()),
    "reauth_time": ("reauth_ms", read.count, True, (0, 604_800, "seconds, 0 for never", 1_000)),
    "auth_lifetime": ("auth_lifetime_ms", read.lifetime, False, (10, 604_800)),
    "child": ("more", _policies, None, ()),
    "retransmit_tries": ("retransmit_tries", read.count, None, (1, 12, "times", 1)),
    "fragmentation": ("fragmentation", read.flag, None, ()),
    "fragment_size": ("fragment_size", read.count, None, (200, 1_500, "bytes of an IP datagram", 1)),
    "cookie_threshold": ("cookie_threshold", read.count, False, (0, 5, "half-open SAs, 0 for always", 1)),
}
_CHILD_KEYS = ("esp_proposals", "local_ts", "remote_ts")
