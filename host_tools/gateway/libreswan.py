"""Libreswan: ipsec.conf and ipsec.secrets, after ipsec.conf(5) of 4.x."""

from host_tools.gateway.other_end import GatewayError, OtherEnd, first, is_address, sha2_words, spoken
from uike import iana

CHECKED = "its keys read by Libreswan 4.10 (addconn --checkconfig), not connected"
_WORDS = {
    (iana.ENCR, iana.ENCR_AES_CBC, 128): "aes128",
    (iana.ENCR, iana.ENCR_AES_CBC, 256): "aes256",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 128): "aes_gcm128",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 256): "aes_gcm256",
    (iana.ENCR, iana.ENCR_CHACHA20_POLY1305, 0): "chacha20_poly1305",
    **sha2_words("sha2_{}"),
    (iana.KE_METHOD, iana.MODP_2048, 0): "dh14",
    (iana.KE_METHOD, iana.ECP_256, 0): "dh19",
    (iana.KE_METHOD, iana.CURVE25519, 0): "dh31",
}


def write(end: OtherEnd) -> str:
    """Both files, one after the other."""
    if len(end.networks) > 1 or end.children:
        raise GatewayError("Libreswan takes one network a side in a connection here; make one [connection] each")
    rows = {
        "ikev2": "insist",
        "authby": "secret" if not end.certificates else "rsasig",
        "left": end.address or "%defaultroute",
        "leftid": _identity(end.identity),
        "leftsubnet": "" if end.transport or end.asks_address else end.networks[0],
        "right": end.board_address or "%any",
        "rightid": _identity(end.board_identity),
        "rightsubnet": end.board_networks[0] if end.board_networks else "",
        "rightaddresspool": "-".join(end.pool_range()) if end.pool else "",
        "leftmodecfgclient": "yes" if end.asks_address else "",
        "narrowing": "yes" if end.pool or end.asks_address else "",
        "modecfgdns": ",".join(end.dns),
        "ike": ",".join(_ike(each) for each in spoken(end.proposals, _WORDS, "Libreswan")),
        "esp": ",".join(_esp(each) for each in spoken(end.esp_proposals, _WORDS, "Libreswan")),
        "pfs": "no",
        "type": "transport" if end.transport else "tunnel",
        "encapsulation": "yes",
        "fragmentation": "yes",
        "mobike": "yes" if end.mobike else "no",
        "ikelifetime": f"{end.rekey_s}s" if end.rekey_s else "",
        "salifetime": f"{end.esp_rekey_s}s" if end.esp_rekey_s else "",
        "auto": "start" if end.initiates else "add",
    }
    if end.certificates:
        rows["leftcert"] = "gateway"
    if end.mobike and end.transport:
        rows["mobike"] = "no"
    text = [f"conn {end.name}", *(f"    {key}={value}" for key, value in rows.items() if value)]
    if not end.certificates:
        who = " ".join(filter(None, (_identity(end.identity), _identity(end.board_identity))))
        text += ["", "# ipsec.secrets", f"{who} : PSK {_literal(end.psk)}"]
    return "\n".join(text) + "\n"


def _identity(text: str) -> str:
    if not text or is_address(text) or text.startswith("@#") or "=" in text:
        return text
    return f"@{text}"


def _literal(psk: str) -> str:
    return psk if psk[:2] in ("0x", "0s") else f'"{psk}"'


def _all(proposal, kind: int) -> str:
    return "+".join(_WORDS[row] for row in proposal if row[0] == kind)


def _ike(proposal) -> str:
    hashes = _all(proposal, iana.PRF) or _all(proposal, iana.INTEG)
    return "-".join((_all(proposal, iana.ENCR), hashes, _all(proposal, iana.KE_METHOD)))


def _esp(proposal) -> str:
    integrity = _all(proposal, iana.INTEG)
    return _all(proposal, iana.ENCR) + (f"-{integrity}" if first(proposal, iana.INTEG) else "")
