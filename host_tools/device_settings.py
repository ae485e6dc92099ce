"""The tables of a configuration file beside the connections: [ethernet], [ntp], [admin], [[relay]], checked.

[ethernet]
use = true                    # the board's own port (its pins are in boards/*/board.toml), before Wi-Fi

[ntp]
server = "192.0.2.123"        # a name or an address

[admin]
secret = "..."                # from then on, provisioning and reset want it

[[relay]]
listen = 8080                 # TCP port of the board
to = "10.1.0.7:80"            # through the tunnel
"""

import ipaddress
import re

from host_tools import admin
from host_tools.network_settings import NetworkError

RELAYS_MAX = 8
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_TABLES = ("ethernet", "ntp", "admin", "relay")


def split(tree: dict) -> tuple[dict, dict, list, str | None]:
    """(the rest of a file's tree, settings of the network, relays, the admin secret). Raises NetworkError."""
    rest = {key: value for key, value in tree.items() if key not in _TABLES}
    network = {}
    if "ethernet" in tree:
        network["ethernet"] = _checked("[ethernet]", tree["ethernet"], _ETHERNET)
    if "ntp" in tree:
        network["ntp"] = _checked("[ntp]", tree["ntp"], _NTP)
    relays = tree.get("relay", [])
    if not isinstance(relays, list) or len(relays) > RELAYS_MAX:
        raise NetworkError(f"relay: bad value; allowed: at most {RELAYS_MAX} tables [[relay]]")
    relays = [_checked("[[relay]]", table, _RELAY) for table in relays]
    secret = _checked("[admin]", tree["admin"], _ADMIN)["secret"] if "admin" in tree else None
    return rest, network, relays, secret


def _checked(where: str, table, keys: dict) -> dict:
    if not isinstance(table, dict):
        raise NetworkError(f"{where}: not a table")
    for key in table:
        if key not in keys:
            raise NetworkError(f"{where} {key}: unknown; allowed: {', '.join(keys)}")
    for key, (good, allowed) in keys.items():
        if key not in table:
            raise NetworkError(f"{where} {key}: missing; allowed: {allowed}")
        if not good(table[key]):
            raise NetworkError(f"{where} {key}: bad value; allowed: {allowed}")
    return dict(table)


def _is_port(value) -> bool:
    return type(value) is int and 0 < value < 65536


def _is_host(value) -> bool:
    return isinstance(value, str) and bool(_HOST.fullmatch(value))


def _is_target(value) -> bool:
    address, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return port.isdecimal() and _is_port(int(port))


_ETHERNET = {"use": (lambda value: isinstance(value, bool), "true or false")}
_NTP = {"server": (_is_host, "a host name or an address")}
_ADMIN = {
    "secret": (
        lambda value: isinstance(value, str) and admin.SECRET_MIN <= len(value) <= 128,
        f"{admin.SECRET_MIN} to 128 characters",
    )
}
_RELAY = {"listen": (_is_port, "a port from 1 to 65535"), "to": (_is_target, '"10.1.0.7:80"')}
