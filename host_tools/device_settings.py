"""The tables of a configuration file beside the connections and the network: [admin], [[relay]], checked.

[admin]
secret = "..."                # from then on, provisioning and reset want it

[[relay]]
listen = 8080                 # TCP port of the board
to = "10.1.0.7:80"            # through the tunnel
"""

import ipaddress

from host_tools import admin
from host_tools.network_settings import NetworkError

RELAYS_MAX = 8
_TABLES = ("admin", "relay")


def split(tree: dict) -> tuple[dict, list, str | None]:
    """(the rest of a file's tree, relays, the admin secret). Raises NetworkError."""
    rest = {key: value for key, value in tree.items() if key not in _TABLES}
    relays = tree.get("relay", [])
    if not isinstance(relays, list) or len(relays) > RELAYS_MAX:
        raise NetworkError(f"relay: bad value; allowed: at most {RELAYS_MAX} tables [[relay]]")
    relays = [_checked("[[relay]]", table, _RELAY) for table in relays]
    secret = _checked("[admin]", tree["admin"], _ADMIN)["secret"] if "admin" in tree else None
    return rest, relays, secret


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


def _is_target(value) -> bool:
    address, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return port.isdecimal() and _is_port(int(port))


_ADMIN = {
    "secret": (
        lambda value: isinstance(value, str) and admin.SECRET_MIN <= len(value) <= 128,
        f"{admin.SECRET_MIN} to 128 characters",
    )
}
_RELAY = {"listen": (_is_port, "a port from 1 to 65535"), "to": (_is_target, '"10.1.0.7:80"')}
