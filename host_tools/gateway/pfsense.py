"""pfSense: what to put into which field of its pages (VPN > IPsec)."""

from host_tools.gateway.other_end import GatewayError, OtherEnd, is_address, sha2_words, spoken
from uike import iana

CHECKED = "not run"
_WORDS = {
    (iana.ENCR, iana.ENCR_AES_CBC, 128): "AES 128 bits",
    (iana.ENCR, iana.ENCR_AES_CBC, 256): "AES 256 bits",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 128): "AES128-GCM 128 bits",
    (iana.ENCR, iana.ENCR_AES_GCM_16, 256): "AES256-GCM 128 bits",
    (iana.ENCR, iana.ENCR_CHACHA20_POLY1305, 0): "CHACHA20-POLY1305",
    **sha2_words("SHA{}"),
    (iana.KE_METHOD, iana.MODP_2048, 0): "14 (2048 bit)",
    (iana.KE_METHOD, iana.ECP_256, 0): "19 (nist ecp256)",
    (iana.KE_METHOD, iana.CURVE25519, 0): "31 (Elliptic Curve 25519, 256 bit)",
}


def write(end: OtherEnd) -> str:
    """The fields, page by page."""
    if end.certificates:
        raise GatewayError("for pfSense this writes a pre-shared key")
    return "\n".join([*_mobile(end), *_phase_1(end), *_phase_2(end)]) + "\n"


def _mobile(end):
    if not end.pool:
        return []
    rows = ["VPN > IPsec > Mobile Clients", "  IKE Extensions: Enable IPsec Mobile Client Support"]
    rows.append(f"  Virtual Address Pool: {end.pool}")
    rows += [f"  DNS Servers: {', '.join(end.dns)}"] if end.dns else []
    return [
        *rows,
        "",
        "VPN > IPsec > Pre-Shared Keys > Add",
        f"  Identifier: {end.board_identity}",
        f"  Key: {end.psk}",
        "",
    ]


def _phase_1(end):
    rows = ["VPN > IPsec > Tunnels > Add P1" + (" (Create Phase 1, of the mobile clients)" if end.pool else "")]
    rows.append("  Key Exchange version: IKEv2")
    rows += [] if end.pool else [f"  Remote Gateway: {end.board_address or '0.0.0.0'}"]
    rows.append("  Authentication Method: Mutual PSK")
    rows.append(f"  My identifier: {_identity(end.identity) if end.identity else 'My IP address'}")
    rows += [f"  Peer identifier: {'Any' if end.pool else _identity(end.board_identity)}"]
    rows += [] if end.pool else [f"  Pre-Shared Key: {end.psk}"]
    for proposal in spoken(end.proposals, _WORDS, "pfSense"):
        rows.append(
            f"  Encryption Algorithm: {_all(proposal, iana.ENCR)}; Hash: {_all(proposal, iana.PRF)};"
            f" DH Group: {_all(proposal, iana.KE_METHOD)}"
        )
    rows.append(f"  Life Time: {end.rekey_s}")
    rows.append(f"  Child SA Start Action: {'Initiate at start' if end.initiates else 'None (Responder Only)'}")
    rows.append(f"  NAT Traversal: Force; MOBIKE: {'Enable' if end.mobike else 'Disable'}")
    return [*rows, f"  Dead Peer Detection: {'Delay ' + str(end.dpd_s) if end.dpd_s else 'off'}", ""]


def _phase_2(end):
    rows = []
    for here in end.networks or ["LAN subnet"]:
        for there in end.board_networks or [""]:
            rows.append("Add P2")
            rows.append(f"  Mode: {'Transport' if end.transport else 'Tunnel IPv4'}; Local Network: {here}")
            rows += [f"  Remote Network: {there}"] if there else []
            for proposal in spoken(end.esp_proposals, _WORDS, "pfSense"):
                hashes = _all(proposal, iana.INTEG)
                rows.append(
                    f"  Protocol: ESP; Encryption: {_all(proposal, iana.ENCR)}"
                    + (f"; Hash: {hashes}" if hashes else "")
                )
            rows.append(f"  PFS key group: off; Life Time: {end.esp_rekey_s}")
    return rows


def _all(proposal, kind) -> str:
    return ", ".join(_WORDS[row] for row in proposal if row[0] == kind)


def _identity(text) -> str:
    kind = (
        "IP address"
        if is_address(text)
        else "User Fully qualified domain name"
        if "@" in text
        else "Fully qualified domain name"
    )
    return f"{kind} {text}"
