"""Readers of secrets and certificates. For the table of `uike.config`.

A secret is written as strongSwan's are: text; 0x and hexadecimal, where an odd digit is a byte and colons may stand
between bytes; 0s and base64. What strongSwan reads in spite of a wrong digit is refused here. No secret is in a
Problem, and none in the context of an exception.
"""

from binascii import a2b_base64, unhexlify

from uike.config_values import ID_ALLOWED, Problem, identity, listed, text

PSK_MAX = 256  # bytes
PSKS_MAX = 16
CERTIFICATES_MAX = 6


def psk(value):
    value = text(value, "the secret, 0x and hexadecimal, or 0s and base64")
    if value[:2] in ("0x", "0X"):
        return psk_hex(value[2:])
    if value[:2] in ("0s", "0S"):
        return _sized(_decoded(a2b_base64, value[2:], _BASE64, "base64"))
    return _sized(value.encode())


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


def private_key(value):
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
