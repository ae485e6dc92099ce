"""Identities as text, told apart as strongSwan does: "gw.example", "user@example", "192.0.2.1", "@#c0ffee".

    %any                      any identity (None)
    ipv4: ipv6: fqdn: dns: rfc822: email: userfqdn: keyid:    a type in so many words
    @#hex                     key id          @name   FQDN          @@user@name   e-mail
    something@name            e-mail          192.0.2.1, 2001:db8::1   addresses
    a:b, not an address       key id          anything else           FQDN

Used by `uike.config`, on the device and on the host.
"""

from binascii import unhexlify

from uike import iana
from uike.wire import address

SIZE_MAX = 192  # bytes

_PREFIXES = {
    "ipv4": iana.ID_IPV4_ADDR,
    "ipv6": iana.ID_IPV6_ADDR,
    "fqdn": iana.ID_FQDN,
    "dns": iana.ID_FQDN,
    "rfc822": iana.ID_RFC822_ADDR,
    "email": iana.ID_RFC822_ADDR,
    "userfqdn": iana.ID_RFC822_ADDR,
    "keyid": iana.ID_KEY_ID,
}


def parse(text):
    """(ID type, bytes), or None for any. ValueError says what is wrong."""
    if text in ("%any", "*", "0.0.0.0", "::"):
        return None
    kind, data = _tell(text)
    if not 0 < len(data) <= SIZE_MAX:
        raise ValueError("not 1 to %d bytes" % SIZE_MAX)
    return kind, data


def _tell(text):
    prefix, colon, rest = text.partition(":")
    if colon and prefix in _PREFIXES:
        return _typed(_PREFIXES[prefix], rest)
    if "=" in text:
        from uike.pki import name

        return iana.ID_DER_ASN1_DN, name.parse(text)
    if text.startswith("@#"):
        return _typed(iana.ID_KEY_ID, text[1:])
    if text.startswith("@@"):
        return iana.ID_RFC822_ADDR, text[2:].encode()
    if text.startswith("@"):
        return iana.ID_FQDN, text[1:].encode()
    if "@" in text:
        return iana.ID_RFC822_ADDR, text.encode()
    if colon:
        data = ipv6(text)
        return (iana.ID_IPV6_ADDR, data) if data else (iana.ID_KEY_ID, text.encode())
    data = address.parse(text)
    return (iana.ID_IPV4_ADDR, data) if data else (iana.ID_FQDN, text.encode())


def _typed(kind, text):
    if kind in (iana.ID_IPV4_ADDR, iana.ID_IPV6_ADDR):
        data = address.parse(text) if kind == iana.ID_IPV4_ADDR else ipv6(text)
        if not data:
            raise ValueError("not an address of that type")
        return kind, data
    if kind == iana.ID_KEY_ID and text.startswith("#"):
        try:
            return kind, unhexlify(text[1:])
        except ValueError:
            raise ValueError("not hexadecimal after #")
    return kind, text.encode()


def ipv6(text):
    """Sixteen bytes of an IPv6 address (RFC 4291 section 2.2, without the dotted form); None for anything else."""
    head, gap, tail = text.partition("::")
    head, tail = _groups(head), _groups(tail)
    if head is None or tail is None:
        return None
    missing = 16 - len(head) - len(tail)
    if missing < (2 if gap else 0) or missing and not gap:
        return None
    return head + bytes(missing) + tail


def _groups(text):
    data = b""
    for group in text.split(":") if text else ():
        if not 0 < len(group) <= 4 or [c for c in group if c not in "0123456789abcdefABCDEF"]:
            return None
        data += int(group, 16).to_bytes(2, "big")
    return data
