"""`uike status`: what a board says of itself (`firmware/uike/app/status.py`), with names for numbers."""

import rich_click as click

from host_tools import board_command, names, reasons
from host_tools.records import Body


@click.command()
@board_command.on_board
def command(port, as_json):
    """Show what a board is doing: SAs, suites, lifetimes, counters, heap, the last failures.

    Example: uike status --port /dev/ttyUSB0 --json
    """
    with board_command.linked(port, board_command.errors_shown) as link:
        found = readable(asked(link))
    board_command.emit(as_json, found, lines(found))


def asked(link) -> dict:
    """The board's answers in one: "sas" are tables."""
    answer = link.request({"do": "status"})
    tables = [link.request({"do": "status", "sa": number}) for number in answer["sas"]]
    return {**answer, "sas": [table for table in tables if table["number"] is not None]}


def readable(answer: dict) -> dict:
    """The board's answer with names in the place of numbers."""
    return {
        "version": answer["version"],
        "board": answer["board"],
        "uptime_ms": answer["uptime"],
        "heap": dict(zip(("used", "free"), answer["heap"], strict=True)) if answer["heap"] else None,
        "address": answer["link"],
        "clock_s": answer["clock"],
        "admin": answer["admin"],
        "drops": {_reason(number): count for number, count in answer["drops"]},
        "ended": [
            {"connection": name, "reason": _reason(number), "text": reasons.text(number), "ago_ms": ago}
            for ago, name, number in answer["ended"]
        ],
        "connections": [_connection(each) for each in answer["connections"]],
        "sas": [_sa(each) for each in answer["sas"]],
    }


def lines(found: dict):
    """The same for people."""
    heap = found["heap"]
    yield f"{found['board']}: uike {found['version']}, up {_time(found['uptime_ms'])}, " + (
        f"address {found['address']}" if found["address"] else "no network"
    )
    if heap:
        yield f"heap      {heap['used']} bytes in use, {heap['free']} free"
    if not found["admin"]:
        yield "admin     no secret is set: whoever holds this cable may provision the board"
    if not found["connections"]:
        yield "config    none: uike provision --config FILE"
    for each in found["connections"]:
        retry = f", next attempt in {_time(each['retry_ms'])}" if each["retry_ms"] is not None else ""
        yield f"{each['name']:<9} {each['role']}, remote {each['remote']}{retry}"
        for sa in found["sas"]:
            if sa["connection"] == each["name"]:
                yield from _sa_lines(sa)
    for each in found["ended"]:
        yield f"ended     {each['connection']}, {_time(each['ago_ms'])} ago, {each['reason']}: {each['text']}"
    if found["drops"]:
        yield "dropped   " + ", ".join(f"{name} {count}" for name, count in sorted(found["drops"].items()))


def _sa_lines(sa):
    peer = f" with {sa['peer']}" if sa["peer"] else ""
    yield f"  IKE SA {sa['number']}: {sa['state']}{peer}, {sa['remote']}, {sa['suite'] or 'no suite yet'}{_life(sa)}"
    if sa["address"]:
        yield f"    virtual IP {sa['address']}"
    for child in sa["children"]:
        yield f"    Child SA {child['spi_in']}/{child['spi_out']}: {child['state']}, {child['suite']}{_life(child)}"
        yield f"      {', '.join(child['local_ts'])} === {', '.join(child['remote_ts'])}"
        yield (
            f"      in {child['packets_in']} packets ({child['bytes_in']} bytes),"
            f" out {child['packets_out']} packets ({child['bytes_out']} bytes)"
        )


def _life(each) -> str:
    return f", rekeyed in {_time(each['rekey_ms'])}" if each["rekey_ms"] is not None else ""


def _connection(each: dict) -> dict:
    return {
        "name": each["name"],
        "role": "initiator" if each["initiator"] else "responder",
        "remote": each["remote"],
        "retry_ms": each["retry"],
        "failures": each["failures"],
    }


def _sa(each: dict) -> dict:
    peer = each["peer"]
    return {
        "number": each["number"],
        "connection": each["name"],
        "role": "initiator" if each["initiator"] else "responder",
        "state": names.state(each["state"]),
        "local": names.endpoint_text(each["local"]),
        "remote": names.endpoint_text(each["remote"]),
        "peer": names.id_text(peer[0], bytes.fromhex(peer[1])) if peer else None,
        "address": ".".join(map(str, bytes.fromhex(each["address"]))) or None,
        "suite": _suite(each["transforms"]),
        "rekey_ms": each["rekey"],
        "expires_ms": each["expires"],
        "children": [_child(child) for child in each["children"]],
    }


def _child(each: dict) -> dict:
    return {
        "name": each["name"],
        "state": names.child_state(each["state"]),
        "spi_in": each["spi_in"],
        "spi_out": each["spi_out"],
        "suite": _suite(each["transforms"]),
        "local_ts": _selectors(each["local_ts"]),
        "remote_ts": _selectors(each["remote_ts"]),
        "packets_in": each["packets"][0],
        "packets_out": each["packets"][1],
        "bytes_in": each["bytes"][0],
        "bytes_out": each["bytes"][1],
        "rekey_ms": each["rekey"],
        "expires_ms": each["expires"],
    }


def _suite(text: str) -> str:
    body = Body(bytes.fromhex(text))
    return names.proposal_text(body.all_of(body.transform)) if text else ""


def _selectors(texts) -> list[str]:
    return [names.selector_text(bytes.fromhex(text)) for text in texts]


def _reason(number: int) -> str:
    return reasons.NAMES.get(number, str(number))


def _time(ms: int) -> str:
    seconds = max(0, ms) // 1000
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
