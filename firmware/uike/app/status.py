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
    return _named("number ", None)  # gone meanwhile


def _board(appliance):
    board, endpoint = appliance.board, appliance.endpoint
    now = board.now()
    found = _named(
        "version board uptime heap admin safe",
        VERSION,
        board.name,
        now,
        board.heap(),
        board.store.read("admin") is not None,
        not endpoint,
    )
    if endpoint:
        found.update(_engine(appliance, endpoint, now))
    return found


def _engine(appliance, endpoint, now):
    return _named(
        "link clock drops ended connections sas",
        appliance.link,
        appliance.board.clock(),
        [[number, endpoint.drops[number]] for number in endpoint.drops],
        [[now - at, name, number] for at, name, number in appliance.failures.get(None, ())],
        [_connection(appliance, each, now) for each in endpoint.connections],
        [sa.number for sa in endpoint.sas],
    )


def _connection(appliance, connection, now):
    at = appliance.retries.get(connection)
    return _named(
        "name initiator remote retry failures",
        connection.name,
        connection.initiator,
        connection.remote,
        None if at is None else max(0, at - now),
        appliance.failures.get(connection, 0),
    )


def _sa(sa, now):
    return _named(
        "number name initiator state local remote peer address transforms rekey expires children",
        sa.number,
        sa.connection.name,
        sa.initiator,
        sa.state,
        sa.local,
        sa.remote,
        sa.peer_id and [sa.peer_id[0], _hex(sa.peer_id[1])],
        _hex(sa.address),
        _hex(proposals.pack(sa.transforms)),
        _until(sa.rekey_at, now),
        _until(sa.expires_at, now),
        [_child(child, now) for child in sa.children],
    )


def _child(child, now):
    return _named(
        "name state spi_in spi_out transforms local_ts remote_ts packets bytes rekey expires",
        child.policy.name,
        child.state,
        _hex(child.spi_in),
        _hex(child.spi_out),
        _hex(child.transforms),
        [_hex(selector) for selector in child.local_ts],
        [_hex(selector) for selector in child.remote_ts],
        [child.packets_in, child.packets_out],
        [child.bytes_in, child.bytes_out],
        _until(child.rekey_at, now),
        _until(child.expires_at, now),
    )


def _named(names, *values):
    """A table of values. (Names that the firmware has too keep their length in an image where they stand alone.)"""
    return dict(zip(names.split(), values))


def _until(at, now):
    return None if at is None else at - now


def _hex(data):
    return hexlify(data or b"").decode()
