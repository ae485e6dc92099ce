"""The relays of the configuration: `[[relay]]` tables to a list of tuples. For `uike.config`; then dropped.

[[relay]]
listen = "0.0.0.0:1883"     where devices of the local network come to
to = "10.1.0.1:1883"        where they get, behind the tunnel
# side = "tunnel"           the other way round: listens on our inner address, and leads into the local network
# protocol = "udp", connections = 4, rate = 0 (bytes per second), idle = 1800 (seconds)
"""

from uike.config import ConfigError
from uike.wire import address

RELAYS_MAX = 4
CONNECTIONS_MAX = 8
_ALLOWED = "listen, to, side, protocol, connections, rate, idle"


def load(tables):
    """List of relays: (listen, to, side, protocol, connections, bytes per second, idle time in ms), the first two each
    (address of four bytes, port). Plain tuples, for a class would keep this module in memory. Raises ConfigError."""
    if type(tables) is not list or not tables or len(tables) > RELAYS_MAX:
        raise ConfigError("relay", "bad value", "1 to %d tables [[relay]]" % RELAYS_MAX)
    return [_relay("[[relay]] %d" % number, table) for number, table in enumerate(tables)]


def _relay(where, table):
    if type(table) is not dict or [key for key in table if key not in _ALLOWED.split(", ")]:
        raise ConfigError(where, "not a table, or with an unknown key", _ALLOWED)
    listen = _place(where + " listen", table.get("listen"))
    to = _place(where + " to", table.get("to"))
    if not any(to[0]):
        raise ConfigError(where + " to", "0.0.0.0 is nobody", '"10.1.0.1:1883"')
    return (
        listen,
        to,
        _one_of(where + " side", table.get("side", "lan"), ("lan", "tunnel")),
        _one_of(where + " protocol", table.get("protocol", "tcp"), ("tcp", "udp")),
        _number(where + " connections", table.get("connections", 4), 1, CONNECTIONS_MAX),
        _number(where + " rate", table.get("rate", 0), 0, 10_000_000),
        _number(where + " idle", table.get("idle", 1_800), 1, 604_800) * 1_000,
    )


def _place(key, value):
    host, _, port = value.partition(":") if type(value) is str else ("", "", "")
    found, number = address.parse(host), address.number(port, 65535)
    if not found or not number:
        raise ConfigError(key, "not an IPv4 address and a port", '"10.1.0.1:1883"')
    return found, number


def _one_of(key, value, allowed):
    if value not in allowed:
        raise ConfigError(key, "bad value", " or ".join(['"%s"' % each for each in allowed]))
    return value


def _number(key, value, low, high):
    if type(value) is not int or not low <= value <= high:
        raise ConfigError(key, "bad value", "%d to %d" % (low, high))
    return value
