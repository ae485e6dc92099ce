"""Cisco IOS-XE: a FlexVPN server with a virtual template, or a static tunnel."""

import ipaddress

from host_tools.gateway.other_end import GatewayError, OtherEnd, is_address, sha2_words, spoken
from uike import iana

CHECKED = "not run"
_WORDS = {
    (iana.ENCR, iana.ENCR_AES_CBC, 128): "aes-cbc-128",
    (iana.ENCR, iana.ENCR_AES_CBC, 256): "aes-cbc-256",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 128): "aes-gcm-128",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 256): "aes-gcm-256",
    **sha2_words("sha{}"),
    (iana.KE_METHOD, iana.MODP_2048, 0): "14",
    (iana.KE_METHOD, iana.ECP_256, 0): "19",
}
_ESP = {
    (iana.ENCR, iana.ENCR_AES_CBC, 128): "esp-aes",
    (iana.ENCR, iana.ENCR_AES_CBC, 256): "esp-aes 256",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 128): "esp-gcm 128",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 256): "esp-gcm 256",
    (iana.INTEG, iana.AUTH_HMAC_SHA2_256_128, 0): "esp-sha256-hmac",
    (iana.INTEG, iana.AUTH_HMAC_SHA2_384_192, 0): "esp-sha384-hmac",
    (iana.INTEG, iana.AUTH_HMAC_SHA2_512_256, 0): "esp-sha512-hmac",
}


def write(end: OtherEnd) -> str:
    """The commands, from `configure terminal` on."""
    if end.initiates or end.certificates or end.transport:
        raise GatewayError(
            "for Cisco this writes a server with a pre-shared key in tunnel mode; make the board the initiator"
        )
    rows = ["aaa new-model", "aaa authorization network UIKE local"]
    rows += _ike(end)
    rows += _keyring(end)
    rows += _authorization(end)
    rows += _profile(end)
    rows += _tunnel(end)
    return "\n".join(rows) + "\n"


def _ike(end):
    rows = []
    names = []
    for index, proposal in enumerate(spoken(end.proposals, _WORDS, "Cisco IOS-XE"), 1):
        names.append(f"UIKE-{index}")
        rows.append(f"crypto ikev2 proposal {names[-1]}")
        rows.append(f" encryption {_all(proposal, iana.ENCR)}")
        aead = not [row for row in proposal if row[0] == iana.INTEG]
        rows.append(f" prf {_all(proposal, iana.PRF)}" if aead else f" integrity {_all(proposal, iana.INTEG)}")
        rows.append(f" group {_all(proposal, iana.KE_METHOD)}")
    return [*rows, "crypto ikev2 policy UIKE", *(f" proposal {name}" for name in names)]


def _all(proposal, kind) -> str:
    return " ".join(_WORDS[row] for row in proposal if row[0] == kind)


def _keyring(end):
    where = f" {end.board_address} 255.255.255.255" if end.board_address else " 0.0.0.0 0.0.0.0"
    key = f"hex {end.psk[2:]}" if end.psk[:2] == "0x" else end.psk
    return ["crypto ikev2 keyring UIKE", " peer BOARD", f"  address{where}", f"  pre-shared-key {key}"]


def _authorization(end):
    rows = ["ip access-list standard UIKE-NETWORKS"]
    for each in end.networks:
        network = ipaddress.ip_network(each)
        rows.append(f" permit {network.network_address} {network.hostmask}")
    if end.pool:
        rows.append(f"ip local pool UIKE {' '.join(end.pool_range())}")
    rows.append("crypto ikev2 authorization policy UIKE")
    rows += [" pool UIKE"] if end.pool else []
    rows += [f" dns {' '.join(end.dns)}"] if end.dns else []
    return [*rows, " route set access-list UIKE-NETWORKS"]


def _profile(end):
    rows = ["crypto ikev2 profile UIKE", f" match identity remote {_identity(end.board_identity)}"]
    rows += [f" identity local {_identity(end.identity)}"] if end.identity else []
    rows += [" authentication remote pre-share", " authentication local pre-share", " keyring local UIKE"]
    rows += [f" dpd {max(10, end.dpd_s)} 5 periodic"] if end.dpd_s else []
    rows += [f" lifetime {end.rekey_s}"] if end.rekey_s else []
    return [
        *rows,
        " aaa authorization group psk list UIKE UIKE",
        " virtual-template 1",
        "crypto ikev2 nat keepalive 20",
    ]


def _identity(text):
    if is_address(text):
        return f"address {text}"
    return f"{'email' if '@' in text else 'fqdn'} {text}"


def _tunnel(end):
    proposal = spoken(end.esp_proposals, _ESP, "Cisco IOS-XE")[0]
    kinds = (iana.ENCR, iana.INTEG)
    chosen = [next((row for row in proposal if row[0] == kind), None) for kind in kinds]
    words = " ".join(_ESP[row] for row in chosen if row)
    rows = [f"crypto ipsec transform-set UIKE {words}", " mode tunnel", "crypto ipsec profile UIKE"]
    rows += [" set transform-set UIKE", " set ikev2-profile UIKE"]
    rows += [f" set security-association lifetime seconds {end.esp_rekey_s}"] if end.esp_rekey_s else []
    rows += ["interface Loopback1", " ! an address of yours", "interface Virtual-Template1 type tunnel"]
    return [
        *rows,
        " ip unnumbered Loopback1",
        " tunnel mode ipsec ipv4",
        " tunnel protection ipsec profile UIKE",
        "end",
    ]
