"""Readers of secrets and certificates. For the table of `uike.config`.

No secret is in a Problem, and none in the context of an exception.
"""

from binascii import a2b_base64, unhexlify

from uike.config_values import Problem, listed, text

PSK_MAX = 256  # bytes
CERTIFICATES_MAX = 6


def psk(value):
    value = text(value, "the secret, 0x and hexadecimal, or 0s and base64")
    if value[:2] == "0x":
        return psk_hex(value[2:])
    if value[:2] == "0s":
        return _sized(decoded(a2b_base64, value[2:], _BASE64, "base64"))
    return _sized(value.encode())


def psk_hex(value):
    return _sized(decoded(unhexlify, text(value, "hexadecimal"), _HEX, "hexadecimal"))


def _sized(data):
    if not 0 < len(data) <= PSK_MAX:
        raise Problem("%d bytes" % len(data), "1 to %d bytes" % PSK_MAX)
    return bytearray(data)


def certificates(value):
    """DER, in base64 here; a file on the host may name files instead."""
    allowed = "base64 of DER; in a file on the host: names of PEM or DER files"
    return tuple([_der(item, allowed) for item in listed(value, CERTIFICATES_MAX, allowed)])


def private_key(value):
    return _der(text(value, "base64 of DER"), "base64 of DER; in a file on the host: the name of a PEM or DER file")


def _der(text, allowed):
    data = decoded(a2b_base64, text, _BASE64, "base64")
    if len(data) < 16 or data[0] != 0x30:
        raise Problem("not DER", allowed)
    return data


_HEX = "0123456789abcdefABCDEF"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="


def decoded(decode, value, alphabet, kind):
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
