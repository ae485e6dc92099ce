"""The relays of the configuration: `[[relay]]` tables to a list of `Relay`. For `uike.config`; then dropped.

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


class Relay:
    """`listen` and `to` are (address of four bytes, port)."""

    side = "lan"  # where it listens: "lan" or "tunnel"
    protocol = "tcp"
    connections = 4  # at once; of UDP, peers that are remembered
    rate = 0  # bytes per second, both ways together; 0 is no limit
    idle_ms = 1_800_000  # a connection on which nothing moves for so long ends

    def __init__(self):
        self.listen = self.to = None


def load(tables):
    """List of Relay. Raises ConfigError."""
    if type(tables) is not list or not tables or len(tables) > RELAYS_MAX:
        raise ConfigError("relay", "bad value", "1 to %d tables [[relay]]" % RELAYS_MAX)
    return [_relay("[[relay]] %d" % number, table) for number, table in enumerate(tables)]


def _relay(where, table):
    if type(table) is not dict or [key for key in table if key not in _ALLOWED.split(", ")]:
        raise ConfigError(where, "not a table, or with an unknown key", _ALLOWED)
    relay = Relay()
    relay.listen = _place(where + " listen", table.get("listen"))
    relay.to = _place(where + " to", table.get("to"))
    relay.side = _one_of(where + " side", table.get("side", relay.side), ("lan", "tunnel"))
    relay.protocol = _one_of(where + " protocol", table.get("protocol", relay.protocol), ("tcp", "udp"))
    relay.connections = _number(where + " connections", table.get("connections", relay.connections), 1, CONNECTIONS_MAX)
    relay.rate = _number(where + " rate", table.get("rate", 0), 0, 10_000_000)
    relay.idle_ms = _number(where + " idle", table.get("idle", 1_800), 1, 604_800) * 1_000
    if not any(relay.to[0]):
        raise ConfigError(where + " to", "0.0.0.0 is nobody", '"10.1.0.1:1883"')
    return relay


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
