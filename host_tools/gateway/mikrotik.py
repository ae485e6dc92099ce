"""MikroTik RouterOS 6.45 and later: commands of /ip ipsec."""

from host_tools.gateway.other_end import GatewayError, OtherEnd, first, is_address, sha2_words, spoken
from uike import iana

CHECKED = "not run"
_IKE = {
    (iana.ENCR, iana.ENCR_AES_CBC, 128): "aes-128",
    (iana.ENCR, iana.ENCR_AES_CBC, 256): "aes-256",
    **sha2_words("sha{}"),
    (iana.KE_METHOD, iana.MODP_2048, 0): "modp2048",
    (iana.KE_METHOD, iana.ECP_256, 0): "ecp256",
}
_ESP = {
    (iana.ENCR, iana.ENCR_AES_CBC, 128): "aes-128-cbc",
    (iana.ENCR, iana.ENCR_AES_CBC, 256): "aes-256-cbc",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 128): "aes-128-gcm",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 256): "aes-256-gcm",
    (iana.INTEG, iana.AUTH_HMAC_SHA2_256_128, 0): "sha256",
    (iana.INTEG, iana.AUTH_HMAC_SHA2_512_256, 0): "sha512",
}


def write(end: OtherEnd) -> str:
    """The commands. RouterOS has one profile a peer: the first proposal that it speaks."""
    if end.initiates or end.certificates:
        raise GatewayError("for MikroTik this writes a responder with a pre-shared key; make the board the initiator")
    ike = spoken(end.proposals, _IKE, "RouterOS")[0]
    esp = spoken(end.esp_proposals, _ESP, "RouterOS")[0]
    name = end.name
    rows = [
        f"/ip ipsec profile add name={name} enc-algorithm={_all(ike, iana.ENCR, _IKE)}"
        f" hash-algorithm={_one(ike, iana.INTEG)} prf-algorithm={_one(ike, iana.PRF)}"
        f" dh-group={_all(ike, iana.KE_METHOD, _IKE)} nat-traversal=yes dpd-interval={end.dpd_s or 'disable-dpd'}",
        f"/ip ipsec proposal add name={name} enc-algorithms={_all(esp, iana.ENCR, _ESP)}"
        f" auth-algorithms={_all(esp, iana.INTEG, _ESP) or 'null'} pfs-group=none lifetime={end.esp_rekey_s}s",
        f"/ip ipsec policy group add name={name}",
    ]
    rows += _addresses(end)
    rows.append(
        f"/ip ipsec peer add name={name} exchange-mode=ike2 passive=yes profile={name}"
        f" address={end.board_address + '/32' if end.board_address else '0.0.0.0/0'}"
        + (f" local-address={end.address}" if is_address(end.address) else "")
    )
    my = f" my-id={_identity(end.identity)}" if end.identity else ""
    rows.append(
        f"/ip ipsec identity add peer={name} auth-method=pre-shared-key secret={_literal(end.psk)}{my}"
        f" remote-id={_identity(end.board_identity)} policy-template-group={name} generate-policy=port-strict"
        + (f" mode-config={name}" if end.pool else "")
    )
    return "\n".join(rows) + "\n"


def _addresses(end):
    rows = []
    if end.pool:
        rows.append(f"/ip pool add name={end.name} ranges={'-'.join(end.pool_range())}")
        dns = f" system-dns=no static-dns={','.join(end.dns)}" if end.dns else ""
        rows.append(
            f"/ip ipsec mode-config add name={end.name} address-pool={end.name} address-prefix-length=32"
            f" split-include={','.join(end.networks)}{dns}"
        )
    for here in end.networks:
        for there in end.board_networks or [end.pool or "0.0.0.0/0"]:
            rows.append(
                f"/ip ipsec policy add template=yes group={end.name} proposal={end.name}"
                f" src-address={here} dst-address={there}"
            )
    return rows


def _all(proposal, kind, words) -> str:
    return ",".join(words[row] for row in proposal if row[0] == kind)


def _one(proposal, kind) -> str:
    return _IKE[first(proposal, kind)]


def _identity(text) -> str:
    kind = "address" if is_address(text) else "user-fqdn" if "@" in text else "fqdn"
    return f"{kind}:{text}"


def _literal(psk) -> str:
    return '"' + psk.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'
