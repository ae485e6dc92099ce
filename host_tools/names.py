"""Names of what is on the wire: the numbers of `uike.iana` in the registry's words, addresses, selectors, identities.

An unknown number is printed as a number; nothing here raises for what a peer may send.
"""

import ipaddress

from host_tools import algorithms, distinguished_name
from uike import iana

_IN_ORDER = [name for name in vars(iana) if name[0].isalpha()]


def _span(first: str, last: str) -> dict[int, str]:
    """Number to name of the registry's lines from `first` to `last`."""
    names = _IN_ORDER[_IN_ORDER.index(first) : _IN_ORDER.index(last) + 1]
    return {getattr(iana, name): name for name in names}


EXCHANGES = _span("IKE_SA_INIT", "INFORMATIONAL")
PAYLOADS = _span("SA", "SKF")
PROTOCOLS = {iana.PROTO_IKE: "IKE", iana.PROTO_AH: "AH", iana.PROTO_ESP: "ESP"}
TRANSFORM_TYPES = _span("ENCR", "ESN")
TRANSFORMS = {
    iana.ENCR: _span("ENCR_AES_CBC", "ENCR_CHACHA20_POLY1305"),
    iana.PRF: _span("PRF_HMAC_SHA2_256", "PRF_HMAC_SHA2_512"),
    iana.INTEG: _span("INTEG_NONE", "AUTH_HMAC_SHA2_512_256"),
    iana.KE_METHOD: _span("KE_NONE", "CURVE25519"),
    iana.ESN: _span("NO_ESN", "ESN_YES"),
}
ID_TYPES = _span("ID_IPV4_ADDR", "ID_KEY_ID")
AUTH_METHODS = _span("AUTH_RSA", "AUTH_DIGITAL_SIGNATURE")
EAP_METHODS = {iana.EAP_MD5: "md5", iana.EAP_GTC: "gtc", iana.EAP_TLS: "tls", iana.EAP_MSCHAPV2: "mschapv2"}
NOTIFIES = _span("UNSUPPORTED_CRITICAL_PAYLOAD", "NO_PPK_AUTH")
_OTHER_NOTIFIES = {  # which this firmware does not know
    16404: "MULTIPLE_AUTH_SUPPORTED",
    16405: "ANOTHER_AUTH_FOLLOWS",
    16420: "IKEV2_MESSAGE_ID_SYNC_SUPPORTED",
    16421: "IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED",
    16432: "CLONE_IKE_SA_SUPPORTED",
    16438: "INTERMEDIATE_EXCHANGE_SUPPORTED",
    16441: "ADDITIONAL_KEY_EXCHANGE",
    16443: "SUPPORTED_AUTH_METHODS",
}
CFG_TYPES = _span("CFG_REQUEST", "CFG_ACK")
CFG_ATTRIBUTES = _span("INTERNAL_IP4_ADDRESS", "INTERNAL_DNS_DOMAIN")
IP_PROTOCOLS = {
    iana.IPPROTO_ICMP: "icmp",
    iana.IPPROTO_TCP: "tcp",
    iana.IPPROTO_UDP: "udp",
    iana.IPPROTO_ICMPV6: "ipv6-icmp",
}
STATES = ("IDLE", "INIT", "AUTH", "ESTABLISHED", "DELETING", "DEAD")
CHILD_STATES = ("INSTALLED", "REKEYING", "REKEYED", "DELETING", "RETIRED")


def name(table: dict[int, str], number: int) -> str:
    """The name of a number in one of the tables above; the number itself when it has none there."""
    return table.get(number, str(number))


def exchange(number: int) -> str:
    return name(EXCHANGES, number)


def payload(number: int) -> str:
    return name(PAYLOADS, number)


def group(number: int) -> str:
    """The name of a key exchange method."""
    return transform_text((iana.KE_METHOD, number, 0))


def notify(number: int) -> str:
    return NOTIFIES.get(number) or name(_OTHER_NOTIFIES, number)


def state(number: int) -> str:
    return STATES[number] if number < len(STATES) else str(number)


def child_state(number: int) -> str:
    return CHILD_STATES[number] if number < len(CHILD_STATES) else str(number)


def transform_text(transform: tuple[int, int, int]) -> str:
    """A transform (type, id, key bits) as strongSwan's log has it: "AES_CBC_128", "HMAC_SHA2_256_128", "ECP_256"."""
    kind, number, bits = transform
    text = TRANSFORMS.get(kind, {}).get(number) or algorithms.NAMES.get((kind, number))
    if text is None:
        text = f"{name(TRANSFORM_TYPES, kind)}:{number}"
    elif kind in (iana.ENCR, iana.INTEG):
        text = text.removeprefix("ENCR_").removeprefix("AUTH_")
    return f"{text}_{bits}" if bits else text


def proposal_text(transforms) -> str:
    """The transforms of one proposal in a line, "AES_CBC_128/PRF_HMAC_SHA2_256/HMAC_SHA2_256_128/CURVE25519"."""
    return "/".join(transform_text(transform) for transform in transforms)


def endpoint_text(endpoint: tuple[str, int]) -> str:
    """An address and its port, "192.0.2.1:500"."""
    return f"{endpoint[0]}:{endpoint[1]}"


def printable(data: bytes, limit: int = 96) -> str:
    """Text of a peer's making, harmless on a terminal: control characters escaped, undecodable bytes in hexadecimal."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return hex_text(data, limit)
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return text if len(text) <= limit else text[:limit] + "..."


def hex_text(data: bytes, limit: int = 16) -> str:
    """Bytes in hexadecimal, at most `limit` of them."""
    return bytes(data[:limit]).hex() + ("..." if len(data) > limit else "") or "-"


def id_text(kind: int, data: bytes) -> str:
    """An identity: "gw.example", "192.0.2.1", "@#c0ffee"; of a type we do not know, its type and bytes."""
    if kind == iana.ID_IPV4_ADDR and len(data) == 4 or kind == iana.ID_IPV6_ADDR and len(data) == 16:
        return str(ipaddress.ip_address(bytes(data)))
    if kind in (iana.ID_FQDN, iana.ID_RFC822_ADDR):
        return printable(data)
    if kind == iana.ID_KEY_ID:
        return "@#" + hex_text(data, 64)
    if kind == iana.ID_DER_ASN1_DN:
        return distinguished_name.text(data)
    return f"{name(ID_TYPES, kind)} {hex_text(data)}"


def _ends(selector: bytes) -> list:
    """The first and the last address of a traffic selector (RFC 7296 section 3.13.1)."""
    half = len(selector) // 2 + 4
    return [ipaddress.ip_address(bytes(end)) for end in (selector[8:half], selector[half:])]


def selector_networks(selector: bytes) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks that a traffic selector covers, as few as possible."""
    first, last = _ends(selector)
    return list(ipaddress.summarize_address_range(first, last)) if first <= last else []


def selector_text(selector: bytes) -> str:
    """A traffic selector as strongSwan writes it: "10.1.0.0/16", "10.1.0.7/32[tcp/443]", "10.1.0.5..10.1.0.9"."""
    networks = selector_networks(selector)
    protocol, low, high = selector[1], *(int.from_bytes(selector[at : at + 2], "big") for at in (4, 6))
    first, last = _ends(selector)
    text = str(networks[0]) if len(networks) == 1 else f"{first}..{last}"
    if protocol == 0 and (low, high) == (0, 65535):
        return text
    kind = IP_PROTOCOLS.get(protocol, str(protocol) if protocol else "")
    port = (
        "" if (low, high) == (0, 65535) else "/opaque" if low > high else f"/{low}" if low == high else f"/{low}-{high}"
    )
    return f"{text}[{kind}{port}]"


def plain(value) -> str:
    """For `json.dumps`: octets as hexadecimal."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    raise TypeError(f"no JSON for {type(value).__name__}")
