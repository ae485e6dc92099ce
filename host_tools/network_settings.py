"""How a board reaches its network: the tables [wifi], [static] and [ntp] of a configuration file, checked.

[wifi]
ssid = "net"                  # and password = "..." unless the network is open
country = "DE"                # and hostname = "gw-7", both optional

[static]                      # instead of DHCP
address = "192.0.2.7"         # and netmask, gateway, dns

[ntp]                         # where a board that checks certificates asks for the time
servers = ["pool.ntp.org"]    # an empty list: nowhere
"""

import ipaddress
import re

_WIFI = ("ssid", "password", "country", "hostname")
_SERVERS_MAX = 3  # each may take seconds
_STATIC = ("address", "netmask", "gateway", "dns")  # in the order of the driver's


class NetworkError(Exception):
    """A table is refused; the text names the key, what is wrong and what is allowed. No password is in it."""


def split(tree: dict) -> tuple[dict, dict]:
    """(the rest of a file's tree, settings as uike/hal/esp32/network.py reads them). Raises NetworkError."""
    rest = {key: value for key, value in tree.items() if key not in ("wifi", "static", "ntp")}
    found = {}
    if "wifi" in tree:
        found["wifi"] = _wifi(tree["wifi"])
    if "static" in tree:
        found["static"] = _static(tree["static"])
    if "ntp" in tree:
        found["ntp"] = _ntp(tree["ntp"])
    return rest, found


def _table(name, table, keys):
    if not isinstance(table, dict):
        raise NetworkError(f"{name}: not a table; allowed: [{name}]")
    for key, value in table.items():
        if key not in keys:
            raise NetworkError(f"[{name}] {key}: unknown; allowed: {', '.join(keys)}")
        if not isinstance(value, str):
            raise NetworkError(f"[{name}] {key}: bad value; allowed: text")
    return table


def _wifi(table):
    table = _table("wifi", table, _WIFI)
    rules = (
        ("ssid", lambda text: 1 <= len(text.encode()) <= 32, "1 to 32 bytes"),
        ("password", lambda text: re.fullmatch(r"[ -~]{8,63}|[0-9a-fA-F]{64}", text), "8 to 63 characters of ASCII"),
        ("country", lambda text: re.fullmatch(r"[A-Z]{2}", text), 'two capital letters, as in "DE"'),
        ("hostname", lambda text: re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}", text), "up to 32 letters and digits"),
    )
    if "ssid" not in table:
        raise NetworkError("[wifi] ssid: missing; allowed: the network's name")
    for key, good, allowed in rules:
        if key in table and not good(table[key]):
            raise NetworkError(f"[wifi] {key}: bad value; allowed: {allowed}")
    return dict(table)


def _static(table):
    table = _table("static", table, _STATIC)
    for key in _STATIC:
        try:
            ipaddress.IPv4Address(table[key])
        except KeyError:
            raise NetworkError(f"[static] {key}: missing; allowed: an IPv4 address") from None
        except ValueError:
            raise NetworkError(f"[static] {key}: not an IPv4 address; allowed: an IPv4 address") from None
    return [table[key] for key in _STATIC]


def _ntp(table):
    allowed = f"a list of at most {_SERVERS_MAX} names or addresses"
    if not isinstance(table, dict) or set(table) != {"servers"}:
        raise NetworkError(f"[ntp]: not a table with servers; allowed: servers, {allowed}")
    servers = table["servers"]
    good = isinstance(servers, list) and len(servers) <= _SERVERS_MAX
    if not good or not all(isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9.-]{1,253}", name) for name in servers):
        raise NetworkError(f"[ntp] servers: bad value; allowed: {allowed}")
    return servers
