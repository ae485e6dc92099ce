"""Readers: a value of the configuration in, the attribute of a connection out. For the table of `uike.config`.

What a reader refuses is a Problem(what is wrong, what is allowed). A secret is written as strongSwan's are: text; 0x
and hexadecimal, where an odd digit is a byte and colons may stand between bytes; 0s and base64. What strongSwan reads
in spite of a wrong digit is refused here. No secret is in a Problem, and none in the context of an exception.
"""

from binascii import a2b_base64, unhexlify

from uike import iana, keywords
from uike import identity as identities
from uike.wire import address, address6
from uike.wire import selectors as wire

PROPOSALS_MAX = 8
NAME_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
ID_ALLOWED = "gw.example, user@example, 192.0.2.1, @#c0ffee (key id)"
SELECTORS_MAX = 8
DNS_MAX = 4
DOMAINS_MAX = 4
GATEWAYS_MAX = 4
REMOTES_ALLOWED = "an address or a name, or a list of up to 4, of an initiator"
TS_ALLOWED = 'a list of "10.1.0.0/16", "10.1.0.7", "10.1.0.5-10.1.0.9", "2001:db8::/32", each with [tcp/443] behind'
PSK_MAX = 256  # bytes
PSKS_MAX = 16
USER_MAX = 64  # bytes
CERTIFICATES_MAX = 6


class Problem(Exception):
    pass


def text(value, allowed):
    if type(value) is not str or not value:
        raise Problem("bad value", "text: " + allowed)
    return value


def listed(value, size_max, allowed):
    if type(value) not in (list, tuple) or [item for item in value if type(item) is not str]:
        raise Problem("bad value", allowed)
    if len(value) > size_max:
        raise Problem("%d entries" % len(value), "at most %d" % size_max)
    return value


def flag(value):
    if type(value) is not bool:
        raise Problem("bad value", "true or false")
    return value


def mode(value):
    if value not in ("tunnel", "transport"):
        raise Problem("bad value", '"tunnel" or "transport"')
    return value == "transport"


def count(value, low, high, unit, factor):
    if type(value) is not int or not low <= value <= high:
        raise Problem("bad value", "%d to %d %s" % (low, high, unit))
    return value * factor


def lifetime(value, low, high):
    return 0 if value == 0 and type(value) is int else count(value, low, high, "seconds, or 0 for ever", 1_000)


def identity(value):
    try:
        return identities.parse(text(value, ID_ALLOWED))
    except ValueError as error:
        raise Problem(str(error), ID_ALLOWED)


def proposals(value, ike):
    allowed = keywords.IKE_ALLOWED if ike else keywords.ESP_ALLOWED
    found = []
    for text in listed(value, PROPOSALS_MAX, allowed):
        try:
            found.append(keywords.parse(text, ike))
        except ValueError as error:
            raise Problem('"%s": %s' % (text, error), allowed)
    if not found:
        raise Problem("an empty list", allowed)
    return tuple(found)


# -- secrets and certificates -----------------------------------------------------------------------------------------


def psk(value):
    value = text(value, "the secret, 0x and hexadecimal, or 0s and base64")
    if value[:2] in ("0x", "0X"):
        return psk_hex(value[2:])
    if value[:2] in ("0s", "0S"):
        return _sized(_decoded(a2b_base64, value[2:], _BASE64, "base64"))
    return _sized(value.encode())


def eap_id(value):
    return text(value, "the name of the user").encode()[:256]


def eap_password(value):
    data = psk(value)
    try:
        bytes(data).decode()
        return data
    except ValueError:
        pass  # the secret stays out of the context of what is raised
    raise Problem("not text in UTF-8", "text in UTF-8, or 0x and 0s forms of it")


def eap_methods(value):
    numbers = (iana.EAP_MSCHAPV2, iana.EAP_MD5, iana.EAP_GTC)
    kinds = dict(zip("mschapv2 md5 gtc".split(), numbers))  # names that stand alone stay in a board's memory
    allowed = 'a list of "mschapv2", "md5", "gtc"'
    found = [kinds.get(word) for word in listed(value, 3, allowed)]
    if not found or None in found:
        raise Problem("bad value", allowed)
    return tuple(found)


def psk_hex(value):
    value = text(value, "hexadecimal")
    parts = value.split(":")
    if not [part for part in parts if len(part) != 2]:
        value = "".join(parts)
    return _sized(_decoded(unhexlify, "0" * (len(value) % 2) + value, _HEX, "hexadecimal"))


def psks(value):
    """((identity, secret), ...); the identity is None for any, and may begin with a * that stands for whatever."""
    if type(value) is not dict or not 0 < len(value) <= PSKS_MAX:
        raise Problem("bad value", 'a table of 1 to %d rows "identity" = "secret"' % PSKS_MAX)
    return tuple([(identity(name), psk(value[name])) for name in sorted(value)])


def eap_users(value):
    """((name, password), ...): as bytes."""
    if type(value) is not dict or not 0 < len(value) <= PSKS_MAX:
        raise Problem("bad value", 'a table of 1 to %d rows "user" = "password"' % PSKS_MAX)
    if [name for name in value if not 0 < len(name.encode()) <= USER_MAX or "\\" in name]:
        raise Problem("bad name", "a user's name of 1 to %d bytes, without a domain" % USER_MAX)
    return tuple([(name.encode(), eap_password(value[name])) for name in sorted(value)])


def _sized(data):
    if not 0 < len(data) <= PSK_MAX:
        raise Problem("%d bytes" % len(data), "1 to %d bytes" % PSK_MAX)
    return bytearray(data)


def ppk_id(value):
    """The name of a PPK is written as an identity is, and has no type."""
    found = identity(value)
    if not found:
        raise Problem("%any is no name", ID_ALLOWED)
    return found[1]


def certificates(value):
    """DER, in base64 here; a file on the host may name files instead."""
    allowed = "base64 of DER; in a file on the host: names of PEM or DER files"
    return tuple([_der(item, allowed) for item in listed(value, CERTIFICATES_MAX, allowed)])


def revocation(value):
    kinds = "relaxed ifcrl strict".split()
    if value not in kinds:
        raise Problem("bad value", '"relaxed", "ifcrl" or "strict"')
    return kinds.index(value)


def private_key(value):
    if value == "device":
        return b"device"
    return _der(text(value, "base64 of DER"), "base64 of DER; in a file on the host: the name of a PEM or DER file")


def _der(text, allowed):
    data = _decoded(a2b_base64, text, _BASE64, "base64")
    if len(data) < 16 or data[0] != 0x30:
        raise Problem("not DER", allowed)
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
        raise Problem("not " + kind, kind)
    return data


# -- addresses, networks and traffic selectors ------------------------------------------------------------------------


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
