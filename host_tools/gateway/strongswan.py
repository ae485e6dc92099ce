"""strongSwan: a swanctl.conf. Loaded into a real one, and connected to, in tests/interop/test_gateway.py."""

from host_tools import algorithms
from host_tools.gateway.other_end import OtherEnd

CHECKED = "loaded into strongSwan, and connected"


def write(end: OtherEnd) -> str:
    """The file."""
    return "\n".join([*_connection(end), *_secret(end), *_pool(end)]) + "\n"


def _block(head: str, rows: list[str]) -> list[str]:
    return [f"{head} {{", *(f"  {row}" for row in rows), "}"]


def _connection(end: OtherEnd) -> list[str]:
    rows = ["version = 2"]
    rows.append(f"local_addrs = {end.address or '%any'}")
    rows.append(f"remote_addrs = {end.board_address or ('%any' if not end.initiates else 'ADDRESS-OF-THE-BOARD')}")
    rows.append(f"proposals = {_words(end.proposals)}")
    rows += ["encap = yes", "fragmentation = yes", f"mobike = {'yes' if end.mobike else 'no'}"]
    rows.append(f"dpd_delay = {end.dpd_s}s")
    rows.append(f"rekey_time = {end.rekey_s}s")
    rows += [f"pools = {_name(end)}"] if end.pool else []
    rows += ["vips = 0.0.0.0"] if end.asks_address else []
    rows += [f"ppk_id = {quoted(end.ppk_id)}"] if end.ppk_id else []
    rows += ["send_cert = always"] if end.certificates and not end.raw_keys else []
    ours, theirs = (
        ("pubkeys = gateway.pem", "pubkeys = board.pem")
        if end.raw_keys
        else ("certs = gateway.pem", "cacerts = ca.pem")
    )
    rows += _block("local", _side(end.identity, end.certificates, ours))
    rows += _block("remote", _side(end.board_identity, end.certificates, theirs))
    rows += _block("children", _children(end))
    return _block("connections", _block(_name(end), rows))


def _side(identity: str, certificates: bool, files: str) -> list[str]:
    rows = [f"auth = {'pubkey' if certificates else 'psk'}"]
    rows += [f"id = {quoted(identity)}"] if identity else []
    return rows + ([files] if certificates else [])


def _children(end: OtherEnd) -> list[str]:
    rows = []
    for name, networks, board in [("net", end.networks, end.board_networks), *end.children]:
        inner = []
        if not end.transport:
            inner.append(f"local_ts = {', '.join(networks) or 'dynamic'}")
            inner.append(f"remote_ts = {', '.join(board) or 'dynamic'}")
        inner.append(f"esp_proposals = {_words(end.esp_proposals)}")
        inner += [f"mode = {'transport' if end.transport else 'tunnel'}", f"rekey_time = {end.esp_rekey_s}s"]
        inner += ["start_action = start"] if end.initiates else []
        rows += _block(name, inner)
    return rows


def _secret(end: OtherEnd) -> list[str]:
    inner = []
    if end.psk and not end.certificates:
        rows = [
            f"id-{side} = {quoted(each)}" for side, each in (("1", end.identity), ("2", end.board_identity)) if each
        ]
        inner += _block(f"ike-{_name(end)}", [*rows, f"secret = {_literal(end.psk)}"])
    if end.ppk:
        inner += _block(f"ppk-{_name(end)}", [f"id = {quoted(end.ppk_id)}", f"secret = {_literal(end.ppk)}"])
    return _block("secrets", inner) if inner else []


def _pool(end: OtherEnd) -> list[str]:
    if not end.pool:
        return []
    rows = [f"addrs = {end.pool}"] + ([f"dns = {', '.join(end.dns)}"] if end.dns else [])
    return _block("pools", _block(_name(end), rows))


def _name(end: OtherEnd) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in end.name)


def _words(proposals) -> str:
    return ", ".join(algorithms.proposal_words(each) for each in proposals)


def quoted(text: str) -> str:
    """A value of swanctl's format."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _literal(psk: str) -> str:
    """0x and 0s mean the same on both sides."""
    return psk if psk[:2] in ("0x", "0s") else quoted(psk)
