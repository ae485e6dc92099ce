"""The two boards of a run without a real gateway: configurations that fit together, as a file would have them."""

from host_tools import authority

GATEWAY = "192.0.2.1"
INITIATOR = "192.0.2.2"
INNER = "10.1.0.1"  # answers pings behind the gateway


def configurations(
    psk_hex: str, ike: str = "aes128-sha256-x25519", esp: str = "aes128-sha256", kind: str = ""
) -> tuple[dict, dict]:
    """Configurations of the initiator and of the gateway, in one IKE and one ESP proposal.

    kind: of the keys of certificates that take the place of the PSK, one of `authority.KINDS`."""
    common = {"psk_hex": psk_hex, "proposals": [ike], "esp_proposals": [esp]}
    initiator = {
        "role": "initiator",
        "local": INITIATOR,
        "remote": GATEWAY,
        "local_id": "dev.example",
        "remote_id": "gw.example",
        "virtual_ip": True,
        "remote_ts": ["10.1.0.0/16"],
        **common,
    }
    gateway = {
        "role": "responder",
        "local": GATEWAY,
        "remote": "%any",
        "local_id": "gw.example",
        "remote_id": "dev.example",
        "pool": "10.9.0.0/24",
        "dns": ["10.1.0.53"],
        "local_ts": ["10.1.0.0/16"],
        **common,
    }
    if kind:
        own = authority.credentials(kind, initiator["local_id"], gateway["local_id"])
        for table, each in zip((initiator, gateway), own, strict=True):
            del table["psk_hex"]
            table.update(each)
    return {"connection": {"hq": initiator}}, {"connection": {"branch": gateway}}
