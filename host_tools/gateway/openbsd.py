"""OpenBSD and OpenIKED: an iked.conf, after iked.conf(5)."""

from host_tools.gateway.other_end import OtherEnd, sha2_words, spoken
from uike import iana

CHECKED = "read by OpenIKED 7.2 (iked -n), not connected"
_WORDS = {
    (iana.ENCR, iana.ENCR_AES_CBC, 128): "aes-128",
    (iana.ENCR, iana.ENCR_AES_CBC, 256): "aes-256",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 128): "aes-128-gcm",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 256): "aes-256-gcm",
    **sha2_words("hmac-sha2-{}"),
    (iana.KE_METHOD, iana.MODP_2048, 0): "modp2048",
    (iana.KE_METHOD, iana.ECP_256, 0): "ecp256",
    (iana.KE_METHOD, iana.CURVE25519, 0): "curve25519",
}
_KEYS = ((iana.ENCR, "enc"), (iana.PRF, "prf"), (iana.INTEG, "auth"), (iana.KE_METHOD, "group"))


def write(end: OtherEnd) -> str:
    """The file. It has one pair of networks a line; further ones are further from-to."""
    board = end.board_networks or ([end.pool] if end.pool else ["dynamic" if end.asks_address else "any"])
    pairs = [(here, there) for here in end.networks or ["dynamic"] for there in board]
    for _, networks, theirs in end.children:
        pairs += [(here, there) for here in networks for there in theirs or board]
    role, mode = "active" if end.initiates else "passive", "transport" if end.transport else "tunnel"
    rows = [f'ikev2 "{end.name}" {role} {mode} esp']
    if end.transport:
        pairs = [(end.address or "any", end.board_address or "any")]
    rows += [f"from {here} to {there}" for here, there in pairs]
    rows.append(f"local {end.address or 'any'} peer {end.board_address or 'any'}")
    rows += [_proposal("ikesa", each) for each in spoken(end.proposals, _WORDS, "OpenIKED")]
    rows += [_proposal("childsa", each) for each in spoken(end.esp_proposals, _WORDS, "OpenIKED")]
    rows.append((f"srcid {end.identity} " if end.identity else "") + f"dstid {end.board_identity}")
    rows += [f"ikelifetime {end.rekey_s}"] if end.rekey_s else []
    rows += [f"lifetime {end.esp_rekey_s}"] if end.esp_rekey_s else []
    rows += [] if end.certificates else [f"psk {_literal(end.psk)}"]
    rows += [f"config address {end.pool}"] if end.pool else []
    rows += [f"config name-server {each}" for each in end.dns]
    rows += ["request address any"] if end.asks_address else []
    return " \\\n    ".join(rows) + "\n"


def _proposal(head: str, proposal) -> str:
    words = [f"{word} {_WORDS[row]}" for kind, word in _KEYS for row in proposal if row[0] == kind]
    return " ".join([head, *words])


def _literal(psk: str) -> str:
    return psk if psk[:2] == "0x" else '"' + psk.replace('"', '\\"') + '"'
