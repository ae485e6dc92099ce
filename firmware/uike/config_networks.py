"""Readers of addresses, networks and traffic selectors. For the table of `uike.config`."""

from uike.config_values import NAME_LETTERS, Problem, listed, text
from uike.wire import address, address6
from uike.wire import selectors as wire

SELECTORS_MAX = 8
DNS_MAX = 4
DOMAINS_MAX = 4
GATEWAYS_MAX = 4
REMOTES_ALLOWED = "an address or a name, or a list of up to 4, of an initiator"
TS_ALLOWED = 'a list of "10.1.0.0/16", "10.1.0.7", "10.1.0.5-10.1.0.9", "2001:db8::/32", each with [tcp/443] behind'


def local(value):
    value = text(value, "an IPv4 address of this device")
    if value != "%any" and not address.parse(value):
        raise Problem("not an IPv4 address", "an IPv4 address of this device, 0.0.0.0 for any")
    return "0.0.0.0" if value == "%any" else value


def _remote(value):
    allowed = "an IPv4 address or a name, %any for a responder"
    value = text(value, allowed)
    if value in ("%any", "0.0.0.0"):
        return "%any"
    numeric = not [c for c in value if c not in "0123456789."]
    if len(value) > 253 or [c for c in value if c not in NAME_LETTERS] or numeric and not address.parse(value):
        raise Problem("not an IPv4 address or a name", allowed)
    return value


def remotes(value):
    """One gateway, or a tuple of them in the order in which they are tried."""
    if type(value) not in (list, tuple):
        return _remote(value)
    found = tuple([_remote(item) for item in listed(value, GATEWAYS_MAX, REMOTES_ALLOWED)])
    if not found or "%any" in found:
        raise Problem("an empty list, or %any in it", REMOTES_ALLOWED)
    return found if len(found) > 1 else found[0]


def redirect_to(value):
    found = address.parse(text(value, "the IPv4 address of another gateway"))
    if not found or not any(found):
        raise Problem("not an IPv4 address", "the IPv4 address of another gateway")
    return found


def addresses(value):
    allowed = 'a list of addresses: ["10.1.0.53", "2001:db8:1::53"]'
    found = [_address(item) for item in listed(value, DNS_MAX, allowed)]
    if None in found:
        raise Problem("not an IP address", allowed)
    return tuple(found)


def domains(value):
    allowed = 'a list of names: ["corp.example"]'
    for item in listed(value, DOMAINS_MAX, allowed):
        if not 0 < len(item) <= 253 or [c for c in item if c not in NAME_LETTERS]:
            raise Problem("not a name", allowed)
    return tuple([item.encode() for item in value])


def _address(text):
    return address6.parse(text) if ":" in text else address.parse(text)


def pool(value):
    allowed = '"10.9.0.0/24"; /16 to /30'
    network = _network(text(value, allowed), 16, 30)
    if not network or len(network[0]) != 4:
        raise Problem("not a network, or not of that size", allowed)
    first, last = [int.from_bytes(end, "big") for end in network]
    mask = 0xFFFFFFFF ^ (last - first)  # the addresses of the network and of its broadcast stay free
    return (first + 1).to_bytes(4, "big"), (last - 1).to_bytes(4, "big"), mask.to_bytes(4, "big")


def pool6(value):
    allowed = '"2001:db8:9::/112"; /64 to /126'
    network = _network(text(value, allowed), 64, 126)
    if not network or len(network[0]) != 16:
        raise Problem("not a network, or not of that size", allowed)
    first, last = [int.from_bytes(end, "big") for end in network]
    bits = address.number(value.partition("/")[2], 128)
    return (first + 1).to_bytes(16, "big"), last.to_bytes(16, "big"), bytes((bits,))


def selectors(value):
    return tuple([_selector(item) for item in listed(value, SELECTORS_MAX, TS_ALLOWED)])


def _selector(text):
    text, _, tail = text.partition("[")
    protocol, low, high = _protocol(tail) if tail or _ else (0, 0, 65535)
    if "-" in text:
        first, last = [_address(part.strip()) for part in text.split("-", 1)]
        network = (first, last) if first and last and len(first) == len(last) and first <= last else None
    else:
        network = _network(text, 0, 128)
    if not network:
        raise Problem('"%s": not a network or range (a network has no host bits)' % text, TS_ALLOWED)
    return wire.make(protocol, low, high, network[0], network[1])


_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58}


def _protocol(tail):
    name, _, ports = tail[:-1].partition("/")
    low, _, high = ports.partition("-")
    protocol = _PROTOCOLS.get(name) or address.number(name, 255)
    low = address.number(low, 65535) if low else 0
    high = address.number(high, 65535) if high else low if ports else 65535
    if tail[-1:] != "]" or not protocol or low is None or high is None or low > high:
        raise Problem('"[%s": not a protocol and port' % tail, TS_ALLOWED)
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
