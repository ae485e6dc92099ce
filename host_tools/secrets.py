"""Secrets of a configuration: what they are, how to leave them out, and whether a text has one in it, in any dress."""

import re
from base64 import b64encode

_OPEN_KEYS = (  # of a connection, of the network and of relays: every other value may be a secret
    "role local remote local_id remote_id cert cacerts require_time proposals esp_proposals virtual_ip pool pool6"
    " require_cp dns domains local_ts remote_ts dpd_delay nat_keepalive retransmit_ms reconnect_max rekey_time"
    " esp_rekey_time esp_rekey_packets esp_rekey_bytes mobike crash_detection redirect redirect_to mode childless"
    " reauth_time auth_lifetime child retransmit_tries fragmentation fragment_size cookie_threshold"
    " ppk_id ppk_required auth eap_id listen to"
    " ssid country hostname address netmask gateway trace_datagrams trace_keys"
).split()
_ALL_SECRET = ("psks", "eap_users")  # tables of which every value is one
REMOVED = "(removed)"
SHORTEST = 4  # bytes of a secret that is looked for: a shorter one is in any text


def without(value, key: str = "", inside: str = ""):
    """A configuration tree (of the TOML) in which every value that may be a secret reads REMOVED."""
    if isinstance(value, dict):
        return {name: without(each, name, key) for name, each in value.items()}
    if isinstance(value, list):
        return [without(each, key, inside) for each in value]
    return value if _is_open(key, inside) else REMOVED


def of(tree) -> list[bytes]:
    """The secrets of a configuration tree, as bytes: the texts that `without` takes out."""
    found = []
    for text in _taken(tree, "", ""):
        found.append(text.encode())
        if re.fullmatch(r"(0x)?([0-9a-fA-F]{2})+", text):
            found.append(bytes.fromhex(text.removeprefix("0x")))
    return [each for each in found if len(each) >= SHORTEST]


def _taken(value, key: str, inside: str):
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _taken(each, name, key)
    elif isinstance(value, list):
        for each in value:
            yield from _taken(each, key, inside)
    elif isinstance(value, str) and not _is_open(key, inside):
        yield value


def _is_open(key: str, inside: str) -> bool:
    return key in _OPEN_KEYS and inside not in _ALL_SECRET


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
