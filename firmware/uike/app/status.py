"""What a board is doing: the answers to `{"do": "status"}` and `{"do": "status", "sa": 1}`. No secret is in them.

Numbers are the registry's, times are milliseconds, octets are hexadecimal; `host_tools/status_command.py` has the
words. For `app/link`; then dropped.
"""

from binascii import hexlify

from uike import VERSION
from uike.wire import proposals


def do(appliance, command, body):
    """A table of plain values, for JSON: of the board, with the numbers of its SAs, or of the SA of a number.

    (They come one by one, since there may be no room for the text of them all.)"""
    wanted = command.get("sa")
    if wanted is None:
        return _board(appliance)
    for sa in appliance.endpoint.sas:
        if sa.number == wanted:
            return _sa(sa, appliance.board.now())
    return {"number": None}  # gone meanwhile


def _board(appliance):
    board, endpoint = appliance.board, appliance.endpoint
    now = board.now()
    return {
        "version": VERSION,
        "board": board.name,
        "uptime": now,
        "heap": board.heap(),
        "link": appliance.link,
        "clock": board.clock(),
        "admin": board.store.read("admin") is not None,
        "drops": [[number, endpoint.drops[number]] for number in endpoint.drops],
        "ended": [[now - at, name, number] for at, name, number in appliance.failures.get(None, ())],
        "connections": [_connection(appliance, each, now) for each in endpoint.connections],
        "sas": [sa.number for sa in endpoint.sas],
    }


def _connection(appliance, connection, now):
    at = appliance.retries.get(connection)
    return {
        "name": connection.name,
        "initiator": connection.initiator,
        "remote": connection.remote,
        "retry": None if at is None else max(0, at - now),
        "failures": appliance.failures.get(connection, 0),
    }


def _sa(sa, now):
    return {
        "number": sa.number,
        "name": sa.connection.name,
        "initiator": sa.initiator,
        "state": sa.state,
        "local": sa.local,
        "remote": sa.remote,
        "peer": sa.peer_id and [sa.peer_id[0], _hex(sa.peer_id[1])],
        "address": _hex(sa.address),
        "transforms": _hex(proposals.pack(sa.transforms)),
        "rekey": _until(sa.rekey_at, now),
        "expires": _until(sa.expires_at, now),
        "children": [_child(child, now) for child in sa.children],
    }


def _child(child, now):
    return {
        "name": child.policy.name,
        "state": child.state,
        "spi_in": _hex(child.spi_in),
        "spi_out": _hex(child.spi_out),
        "transforms": _hex(child.transforms),
        "local_ts": [_hex(selector) for selector in child.local_ts],
        "remote_ts": [_hex(selector) for selector in child.remote_ts],
        "packets": [child.packets_in, child.packets_out],
        "bytes": [child.bytes_in, child.bytes_out],
        "rekey": _until(child.rekey_at, now),
        "expires": _until(child.expires_at, now),
    }


def _until(at, now):
    return None if at is None else at - now


def _hex(data):
    return hexlify(data or b"").decode()
