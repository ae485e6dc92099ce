"""The configuration: a tree of plain values (the device's JSON, the host's TOML) to a list of `Connection`.

    {"connection": {"hq": {"role": "initiator", "remote": "192.0.2.1", ...}}}

Loaded at power-on and dropped; the host uses the same code to refuse a file before it reaches a device. Each key has
one row in `_KEYS`: its reader, and the role that it is for.
"""

from binascii import a2b_base64, unhexlify

from uike import identity, keywords
from uike.connection import Connection, Policy
from uike.wire import address, address6, selectors

CONNECTIONS_MAX = 8
PROPOSALS_MAX = 8
SELECTORS_MAX = 8
CHILDREN_MAX = 8
NAME_MAX = 32
PSK_MAX = 256  # bytes
CERTIFICATES_MAX = 6
DNS_MAX = 4
DOMAINS_MAX = 4

_IKE_DEFAULT = (
    "aes128-aes256-sha256-x25519-ecp256-modp2048",
    "aes128gcm16-aes256gcm16-chacha20poly1305-prfsha256-x25519-ecp256-modp2048",
)
_ESP_DEFAULT = ("aes128-aes256-sha256", "aes128gcm16-aes256gcm16-chacha20poly1305")
_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
_ID_ALLOWED = "gw.example, user@example, 192.0.2.1, @#c0ffee (key id)"
_TS_ALLOWED = 'a list of "10.1.0.0/16", "10.1.0.7", "10.1.0.5-10.1.0.9", "2001:db8::/32", each with [tcp/443] behind'


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
        if key != "connection":
            raise ConfigError(str(key), "unknown", "[connection.NAME]")
    tables = tree.get("connection", {})
    if type(tables) is not dict or not tables:
        raise ConfigError("connection", "no connection in the file", "[connection.NAME]")
    if len(tables) > CONNECTIONS_MAX:
        raise ConfigError("connection", "%d connections" % len(tables), "at most %d" % CONNECTIONS_MAX)
    return [_connection(name, tables[name]) for name in sorted(tables)]


def _connection(name, table):
    where = "[connection.%s]" % name
    if not 0 < len(name) <= NAME_MAX or [c for c in name if c not in _NAME]:
        raise ConfigError(where, "bad name", "1 to %d letters, digits, '-', '_', '.'" % NAME_MAX)
    if type(table) is not dict:
        raise ConfigError(where, "not a table", "[connection.NAME]")
    connection = Connection(name)
    try:
        connection.initiator = _role(table.get("role"))
        for key in sorted(table):
            if key not in _KEYS:
                raise ConfigError(key, "unknown", ", ".join(sorted(_KEYS)))
            attribute, read, initiator, arguments = _KEYS[key]
            if initiator is not None and initiator != connection.initiator:
                raise ConfigError(key, "not for this role", "role = %s" % _ROLES[initiator])
            if attribute:
                setattr(connection, attribute, read(table[key], *arguments))
        _check(connection, table)
    except ConfigError as error:
        raise ConfigError((where + " " + error.key).strip(), error.problem, error.allowed)
    except _Problem as problem:
        raise ConfigError((where + " " + key).strip(), problem.args[0], problem.args[1])
    return connection


def _policies(value):
    allowed = "tables [connection.NAME.child.CHILD] with " + ", ".join(sorted(_CHILD_KEYS))
    if type(value) is not dict or len(value) > CHILDREN_MAX:
        raise _Problem("bad value", "at most %d %s" % (CHILDREN_MAX, allowed))
    found = []
    for name in sorted(value):
        policy = Policy(name)
        if type(value[name]) is not dict or [key for key in value[name] if key not in _CHILD_KEYS]:
            raise _Problem("%s: not a table, or with an unknown key" % name, allowed)
        for key in sorted(value[name]):
            attribute, read, _, arguments = _KEYS[key]
            setattr(policy, attribute, read(value[name][key], *arguments))
        found.append(policy)
    return tuple(found)


def _check(connection, table):
    """What one key cannot know: that others are there, and fit."""
    _check_secrets(connection, table)
    for key in ("local_id",) + (("remote",) if connection.initiator else ()):
        if key not in table:
            raise ConfigError(key, "missing", _ID_ALLOWED if key == "local_id" else "address or name of the gateway")
    if connection.local_id is None:
        raise ConfigError("local_id", "%any is nobody", _ID_ALLOWED)
    if connection.initiator and connection.remote == "%any":
        raise ConfigError("remote", "an initiator must know its gateway", "an address or a name")
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
        connection.proposals = _proposals(_IKE_DEFAULT, True)
    if not connection.esp_proposals:
        connection.esp_proposals = _proposals(_ESP_DEFAULT, False)
    if connection.initiator and not connection.remote_ts and not connection.transport:
        connection.remote_ts = (selectors.make(0, 0, 65535, bytes(4), b"\xff\xff\xff\xff"),)
    for policy in connection.more:
        if not policy.remote_ts and not pools:
            raise ConfigError("child", "%s: no remote_ts" % policy.name, _TS_ALLOWED)
        policy.esp_proposals = policy.esp_proposals or connection.esp_proposals


def _check_secrets(connection, table):
    """Each side proves itself with a certificate or with the pre-shared key."""
    if "psk" in table and "psk_hex" in table:
        raise ConfigError("psk", "given twice", "one of psk, psk_hex")
    for key, other in (("cert", "key"), ("key", "cert")):
        if key in table and other not in table:
            raise ConfigError(other, "missing", "cert and key, or none of them")
    for key in ("eap_id", "eap_methods", "eap_only"):
        if key in table and not connection.eap_password:
            raise ConfigError("eap_password", "missing", "the password that goes with " + key)
    if connection.eap_only and 26 not in getattr(connection, "eap_methods", (26,)):
        raise ConfigError("eap_methods", "no mschapv2", "mschapv2: no other proves the gateway, as eap_only needs")
    if connection.eap_password:
        if connection.cert:
            raise ConfigError("cert", "given beside eap_password", "one of them")
        if not (connection.psk or connection.cacerts or connection.eap_only):
            raise ConfigError("cacerts", "missing", "cacerts or psk, by which the gateway proves itself; or eap_only")
    elif not connection.psk and not (connection.cert and connection.cacerts):
        raise ConfigError("psk", "missing", "one of psk, psk_hex; or cert, key and cacerts")


# -- readers: a value in, the attribute out; _Problem(what is wrong, what is allowed) otherwise -----------------------


class _Problem(Exception):
    pass


_ROLES = {True: '"initiator"', False: '"responder"'}


def _role(value):
    if value not in ("initiator", "responder"):
        problem = "missing" if value is None else "bad value"
        raise ConfigError("role", problem, '"initiator" or "responder"')
    return value == "initiator"


def _text(value, allowed):
    if type(value) is not str or not value:
        raise _Problem("bad value", "text: " + allowed)
    return value


def _local(value):
    value = _text(value, "an IPv4 address of this device")
    if value != "%any" and not address.parse(value):
        raise _Problem("not an IPv4 address", "an IPv4 address of this device, 0.0.0.0 for any")
    return "0.0.0.0" if value == "%any" else value


def _remote(value):
    allowed = "an IPv4 address or a name, %any for a responder"
    value = _text(value, allowed)
    if value in ("%any", "0.0.0.0"):
        return "%any"
    numeric = not [c for c in value if c not in "0123456789."]
    if len(value) > 253 or [c for c in value if c not in _NAME] or numeric and not address.parse(value):
        raise _Problem("not an IPv4 address or a name", allowed)
    return value


def _redirect_to(value):
    found = address.parse(_text(value, "the IPv4 address of another gateway"))
    if not found or not any(found):
        raise _Problem("not an IPv4 address", "the IPv4 address of another gateway")
    return found


def _mode(value):
    if value not in ("tunnel", "transport"):
        raise _Problem("bad value", '"tunnel" or "transport"')
    return value == "transport"


def _identity(value):
    try:
        return identity.parse(_text(value, _ID_ALLOWED))
    except ValueError as error:
        raise _Problem(str(error), _ID_ALLOWED)


def _psk(value):
    value = _text(value, "the secret, 0x and hexadecimal, or 0s and base64")
    if value[:2] == "0x":
        return _psk_hex(value[2:])
    if value[:2] == "0s":
        return _sized(_decoded(a2b_base64, value[2:], _BASE64, "base64"))
    return _sized(value.encode())


def _eap_id(value):
    return _text(value, "the name of the user").encode()[:256]


def _eap_password(value):
    data = _psk(value)
    try:
        bytes(data).decode()
        return data
    except ValueError:
        pass  # the secret stays out of the context of what is raised
    raise _Problem("not UTF-8", "text in UTF-8, or 0x and 0s forms of it")


_EAP = {"mschapv2": 26, "md5": 4, "gtc": 6}


def _eap_methods(value):
    allowed = 'a list of "mschapv2", "md5", "gtc"'
    found = [_EAP.get(word) for word in _list(value, 3, allowed)]
    if not found or None in found:
        raise _Problem("bad value", allowed)
    return tuple(found)


def _psk_hex(value):
    return _sized(_decoded(unhexlify, _text(value, "hexadecimal"), _HEX, "hexadecimal"))


def _certificates(value):
    """DER, in base64 here; a file on the host may name files instead."""
    allowed = "base64 of DER; in a file on the host: names of PEM or DER files"
    return tuple([_der(item, allowed) for item in _list(value, CERTIFICATES_MAX, allowed)])


def _private_key(value):
    return _der(_text(value, "base64 of DER"), "base64 of DER; in a file on the host: the name of a PEM or DER file")


def _der(text, allowed):
    data = _decoded(a2b_base64, text, _BASE64, "base64")
    if len(data) < 16 or data[0] != 0x30:
        raise _Problem("not DER", allowed)
    return data


_HEX = "0123456789abcdefABCDEF"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="


def _decoded(decode, value, alphabet, kind):
    # The secret itself is in no message, and not in the context of an exception either.
    good = not [c for c in value if c not in alphabet]
    data = None
    if good:
        try:
            data = decode(value)
        except ValueError:
            good = False
    if not good:
        raise _Problem("not " + kind, kind)
    return data


def _sized(data):
    if not 0 < len(data) <= PSK_MAX:
        raise _Problem("%d bytes" % len(data), "1 to %d bytes" % PSK_MAX)
    return bytearray(data)


def _flag(value):
    if type(value) is not bool:
        raise _Problem("bad value", "true or false")
    return value


def _list(value, size_max, allowed):
    if type(value) not in (list, tuple) or [item for item in value if type(item) is not str]:
        raise _Problem("bad value", allowed)
    if len(value) > size_max:
        raise _Problem("%d entries" % len(value), "at most %d" % size_max)
    return value


def _proposals(value, ike):
    allowed = keywords.IKE_ALLOWED if ike else keywords.ESP_ALLOWED
    found = []
    for text in _list(value, PROPOSALS_MAX, allowed):
        try:
            found.append(keywords.parse(text, ike))
        except ValueError as error:
            raise _Problem('"%s": %s' % (text, error), allowed)
    if not found:
        raise _Problem("an empty list", allowed)
    return tuple(found)


def _pool(value):
    allowed = '"10.9.0.0/24"; /16 to /30'
    network = _network(_text(value, allowed), 16, 30)
    if not network or len(network[0]) != 4:
        raise _Problem("not a network, or not of that size", allowed)
    first, last = [int.from_bytes(end, "big") for end in network]
    mask = 0xFFFFFFFF ^ (last - first)  # the addresses of the network and of its broadcast stay free
    return (first + 1).to_bytes(4, "big"), (last - 1).to_bytes(4, "big"), mask.to_bytes(4, "big")


def _pool6(value):
    allowed = '"2001:db8:9::/112"; /64 to /126'
    network = _network(_text(value, allowed), 64, 126)
    if not network or len(network[0]) != 16:
        raise _Problem("not a network, or not of that size", allowed)
    first, last = [int.from_bytes(end, "big") for end in network]
    bits = address.number(value.partition("/")[2], 128)
    return (first + 1).to_bytes(16, "big"), last.to_bytes(16, "big"), bytes((bits,))


def _addresses(value):
    allowed = 'a list of addresses: ["10.1.0.53", "2001:db8:1::53"]'
    found = [_address(item) for item in _list(value, DNS_MAX, allowed)]
    if None in found:
        raise _Problem("not an IP address", allowed)
    return tuple(found)


def _domains(value):
    allowed = 'a list of names: ["corp.example"]'
    for item in _list(value, DOMAINS_MAX, allowed):
        if not 0 < len(item) <= 253 or [c for c in item if c not in _NAME]:
            raise _Problem("not a name", allowed)
    return tuple([item.encode() for item in value])


def _address(text):
    return address6.parse(text) if ":" in text else address.parse(text)


def _selectors(value):
    return tuple([_selector(item) for item in _list(value, SELECTORS_MAX, _TS_ALLOWED)])


def _selector(text):
    text, _, tail = text.partition("[")
    protocol, low, high = _protocol(tail) if tail or _ else (0, 0, 65535)
    if "-" in text:
        first, last = [_address(part.strip()) for part in text.split("-", 1)]
        network = (first, last) if first and last and len(first) == len(last) and first <= last else None
    else:
        network = _network(text, 0, 128)
    if not network:
        raise _Problem('"%s": not a network or range (a network has no host bits)' % text, _TS_ALLOWED)
    return selectors.make(protocol, low, high, network[0], network[1])


_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58}


def _protocol(tail):
    name, _, ports = tail[:-1].partition("/")
    low, _, high = ports.partition("-")
    protocol = _PROTOCOLS.get(name) or address.number(name, 255)
    low = address.number(low, 65535) if low else 0
    high = address.number(high, 65535) if high else low if ports else 65535
    if tail[-1:] != "]" or not protocol or low is None or high is None or low > high:
        raise _Problem('"[%s": not a protocol and port' % tail, _TS_ALLOWED)
    return protocol, low, high


def _network(text, shortest, longest):
    """(first, last) address of a network, None when it is none: host bits must be zero."""
    base, slash, bits = text.partition("/")
    base = _address(base)
    most = 8 * len(base or b"")
    bits = address.number(bits, most) if slash else most
    if base is None or bits is None or not shortest <= bits <= longest:
        return None
    span = (1 << (most - bits)) - 1
    first = int.from_bytes(base, "big")
    return None if first & span else (base, (first + span).to_bytes(len(base), "big"))


def _count(value, low, high, unit, factor):
    if type(value) is not int or not low <= value <= high:
        raise _Problem("bad value", "%d to %d %s" % (low, high, unit))
    return value * factor


def _lifetime(value, low, high):
    return 0 if value == 0 and type(value) is int else _count(value, low, high, "seconds, or 0 for ever", 1_000)


# key: (attribute of the connection, reader, role it is for or None, further arguments of the reader)
_KEYS = {
    "role": (None, None, None, ()),
    "local": ("local", _local, None, ()),
    "remote": ("remote", _remote, None, ()),
    "local_id": ("local_id", _identity, None, ()),
    "remote_id": ("remote_id", _identity, None, ()),
    "psk": ("psk", _psk, None, ()),
    "psk_hex": ("psk", _psk_hex, None, ()),
    "cert": ("cert", _certificates, None, ()),
    "key": ("key", _private_key, None, ()),
    "cacerts": ("cacerts", _certificates, None, ()),
    "eap_id": ("eap_id", _eap_id, True, ()),
    "eap_password": ("eap_password", _eap_password, True, ()),
    "eap_methods": ("eap_methods", _eap_methods, True, ()),
    "eap_only": ("eap_only", _flag, True, ()),
    "require_time": ("require_time", _flag, None, ()),
    "proposals": ("proposals", _proposals, None, (True,)),
    "esp_proposals": ("esp_proposals", _proposals, None, (False,)),
    "virtual_ip": ("virtual_ip", _flag, True, ()),
    "pool": ("pool", _pool, False, ()),
    "pool6": ("pool6", _pool6, False, ()),
    "require_cp": ("require_cp", _flag, False, ()),
    "dns": ("dns", _addresses, False, ()),
    "domains": ("domains", _domains, False, ()),
    "local_ts": ("local_ts", _selectors, None, ()),
    "remote_ts": ("remote_ts", _selectors, None, ()),
    "dpd_delay": ("dpd_delay_ms", _count, None, (0, 86_400, "seconds, 0 for never", 1_000)),
    "nat_keepalive": ("nat_keepalive_ms", _count, None, (0, 3_600, "seconds, 0 for never", 1_000)),
    "retransmit_ms": ("retransmit_ms", _count, None, (100, 60_000, "milliseconds", 1)),
    "reconnect_max": ("reconnect_ms", _count, True, (0, 86_400, "seconds between attempts, 0 for one attempt", 1_000)),
    "rekey_time": ("rekey_ms", _count, None, (0, 604_800, "seconds, 0 for never", 1_000)),
    "esp_rekey_time": ("esp_rekey_ms", _count, None, (0, 604_800, "seconds, 0 for never", 1_000)),
    "esp_rekey_packets": ("esp_rekey_packets", _count, None, (0, 1 << 31, "packets, 0 for no limit", 1)),
    "esp_rekey_bytes": ("esp_rekey_bytes", _count, None, (0, 1 << 40, "bytes, 0 for no limit", 1)),
    "mobike": ("mobike", _flag, None, ()),
    "crash_detection": ("crash_detection", _flag, None, ()),
    "redirect": ("redirect", _flag, True, ()),
    "redirect_to": ("redirect_to", _redirect_to, False, ()),
    "mode": ("transport", _mode, None, ()),
    "childless": ("childless", _flag, True, ()),
    "reauth_time": ("reauth_ms", _count, True, (0, 604_800, "seconds, 0 for never", 1_000)),
    "auth_lifetime": ("auth_lifetime_ms", _lifetime, False, (10, 604_800)),
    "child": ("more", _policies, None, ()),
    "retransmit_tries": ("retransmit_tries", _count, None, (1, 12, "times", 1)),
    "fragmentation": ("fragmentation", _flag, None, ()),
    "fragment_size": ("fragment_size", _count, None, (200, 1_500, "bytes of an IP datagram", 1)),
    "cookie_threshold": ("cookie_threshold", _count, False, (0, 5, "half-open SAs, 0 for always", 1)),
}
_CHILD_KEYS = ("esp_proposals", "local_ts", "remote_ts")
