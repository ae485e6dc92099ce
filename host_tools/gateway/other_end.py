"""The other end of a connection, seen from there: what a vendor's configuration has to say, in no vendor's words."""

import ipaddress
from dataclasses import dataclass, field

from uike import config, iana
from uike.wire import cert

POOL = "10.9.0.0/24"  # when nobody says which addresses the gateway is to give


class GatewayError(Exception):
    """This connection cannot be written for that vendor; the text says why and what would help."""


@dataclass
class OtherEnd:
    """`initiates` is about the other end. Networks are CIDR; `board_networks` is empty where an address is assigned.
    `pool` is what the other end hands out, `asks_address` whether it is given one by the board. Times in seconds."""

    name: str
    initiates: bool
    address: str
    board_address: str
    identity: str
    board_identity: str
    psk: str
    certificates: bool
    raw_keys: bool  # in their place (RFC 7670)
    networks: list[str]
    board_networks: list[str]
    proposals: list
    esp_proposals: list
    pool: str = ""
    dns: list[str] = field(default_factory=list)
    asks_address: bool = False
    ppk_id: str = ""
    ppk: str = ""
    transport: bool = False
    mobike: bool = True
    dpd_s: int = 30
    rekey_s: int = 14_400
    esp_rekey_s: int = 3_600
    children: list[tuple[str, list[str], list[str]]] = field(default_factory=list)  # further: name, networks, board's

    def pool_range(self) -> tuple[str, str]:
        """First and last address of the pool."""
        hosts = ipaddress.ip_network(self.pool)
        return str(hosts[1]), str(hosts[-2])


def sha2_words(word: str) -> dict:
    """The rows of a vendor's words for HMAC with SHA-2, as PRF and for integrity: `word` has {} for 256, 384 or 512."""
    numbers = {
        256: ((iana.PRF, iana.PRF_HMAC_SHA2_256, 0), (iana.INTEG, iana.AUTH_HMAC_SHA2_256_128, 0)),
        384: ((iana.PRF, iana.PRF_HMAC_SHA2_384, 0), (iana.INTEG, iana.AUTH_HMAC_SHA2_384_192, 0)),
        512: ((iana.PRF, iana.PRF_HMAC_SHA2_512, 0), (iana.INTEG, iana.AUTH_HMAC_SHA2_512_256, 0)),
    }
    return {row: word.format(bits) for bits, rows in numbers.items() for row in rows}


def of(tree: dict, name: str, *, pool: str = "", board_address: str = "", gateway_address: str = "") -> OtherEnd:
    """The other end of the connection `name` of a configuration tree (the TOML's). Raises GatewayError."""
    tables = tree["connection"]
    if name not in tables:
        raise GatewayError(f"no connection {name} in the file; there are {', '.join(sorted(tables))}")
    table = tables[name]
    loaded = next(each for each in config.load({"connection": {name: table}}))
    initiator = table["role"] == "initiator"
    virtual = bool(table.get("virtual_ip"))
    made = OtherEnd(
        name=name,
        initiates=not initiator,
        address=gateway_address or _known(_first(table.get("remote", "%any"))),
        board_address=board_address or _known(table.get("local", "%any")),
        identity=table.get("remote_id", "") if table.get("remote_id") != "%any" else "",
        board_identity=table["local_id"],
        psk=_psk(table),
        certificates="cacerts" in table,
        raw_keys=any(cert.encoding(each) == iana.CERT_RAW_PUBLIC_KEY for each in loaded.cacerts),
        networks=list(table.get("remote_ts", [] if not initiator else ["0.0.0.0/0"])),
        board_networks=[] if virtual else list(table.get("local_ts", [])),
        proposals=list(loaded.proposals),
        esp_proposals=list(loaded.esp_proposals),
        ppk_id=table.get("ppk_id", ""),
        ppk=table.get("ppk", ""),
        transport=loaded.transport,
        mobike=loaded.mobike,
        dpd_s=loaded.dpd_delay_ms // 1000,
        rekey_s=loaded.rekey_ms // 1000,
        esp_rekey_s=loaded.esp_rekey_ms // 1000,
    )
    made.pool = (pool or POOL) if virtual else ""
    made.asks_address = "pool" in table
    made.children = [
        (child, list(rows.get("remote_ts", [])), list(rows.get("local_ts", made.board_networks)))
        for child, rows in sorted(table.get("child", {}).items())
    ]
    return made


def _first(remote) -> str:
    """Of several gateways the first: each needs the same."""
    return remote[0] if isinstance(remote, list) else remote


def _psk(table: dict) -> str:
    if "psk_hex" in table:
        return "0x" + table["psk_hex"]
    return table.get("psk") or table.get("psks", {}).get(table.get("remote_id"), "")


def _known(address: str) -> str:
    return "" if address in ("%any", "0.0.0.0") else address


def spoken(proposals, words: dict, vendor: str) -> list[list[tuple[int, int, int]]]:
    """The proposals of which a vendor has words for at least one transform of each type; the others are left out."""
    found = []
    for proposal in proposals:
        rows = [row for row in proposal if row in words or row[0] == iana.ESN]
        if {row[0] for row in rows} == {row[0] for row in proposal}:
            found.append(rows)
    if not found:
        raise GatewayError(f"{vendor} speaks none of these proposals; add one such as aes128-sha256-ecp256")
    return found


def first(proposal, kind: int) -> tuple[int, int, int] | None:
    """The first transform of a type."""
    return next((row for row in proposal if row[0] == kind), None)


def is_address(identity: str) -> bool:
    """Whether an identity is an IP address."""
    try:
        ipaddress.ip_address(identity)
    except ValueError:
        return False
    return True
