"""Secrets of a configuration: what they are, how to leave them out, and whether a text has one in it, in any dress."""

import re
from base64 import b64encode

_SECRET_KEYS = ("psk", "psk_hex", "key", "password", "eap_password", "secret", "ppk", "ppk_hex", "private_key")
_OPEN_KEYS = (  # of a connection, of [wifi] and of [static]; what is in neither list is left out too
    "role local remote local_id remote_id cert cacerts require_time proposals esp_proposals virtual_ip pool pool6"
    " require_cp dns domains local_ts remote_ts dpd_delay nat_keepalive retransmit_ms reconnect_max rekey_time"
    " esp_rekey_time esp_rekey_packets esp_rekey_bytes mobike crash_detection redirect redirect_to mode childless"
    " reauth_time auth_lifetime child retransmit_tries fragmentation fragment_size cookie_threshold"
    " ssid country hostname address netmask gateway trace_datagrams trace_keys"
).split()
REMOVED = "(removed)"
SHORTEST = 4  # bytes of a secret that is looked for: a shorter one is in any text


def without(tree: dict) -> dict:
    """A configuration tree (of the TOML) in which every value that may be a secret reads REMOVED."""
    return {
        key: without(value) if isinstance(value, dict) else value if key in _OPEN_KEYS else REMOVED
        for key, value in tree.items()
    }


def of(tree) -> list[bytes]:
    """The secrets of a configuration tree, as bytes."""
    found = []
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if isinstance(value, dict):
            found += of(value)
        elif key in _SECRET_KEYS and isinstance(value, str):
            found.append(value.encode())
            if re.fullmatch(r"(0x)?([0-9a-fA-F]{2})+", value):
                found.append(bytes.fromhex(value.removeprefix("0x")))
    return [each for each in found if len(each) >= SHORTEST]


def dresses(secret: bytes) -> list[bytes]:
    """A secret as it may stand in a text: raw, in hexadecimal, in base64 at each of the three alignments."""
    found = [secret, secret.hex().encode(), secret.hex().upper().encode(), secret.hex(" ").encode()]
    for shift in range(3):
        middle = b64encode(bytes(shift) + secret)[4 if shift else 0 :]
        whole = len(middle) - (4 if (len(secret) + shift) % 3 else 0)
        if whole >= SHORTEST + 2:
            found.append(middle[:whole])
    return found


def scrub(data: bytes, secrets: list[bytes]) -> bytes:
    """The same without any of them."""
    for secret in sorted(secrets, key=len, reverse=True):
        for dress in dresses(secret):
            data = data.replace(dress, REMOVED.encode())
    return data


def found_in(data: bytes, secrets: list[bytes]) -> bool:
    """Whether one of them is there."""
    return any(dress in data for secret in secrets for dress in dresses(secret))
