"""When to try again: our connections start when the network comes, and start anew when they end. Then dropped.

Attempts follow each other at twice the time of the last, up to the connection's `reconnect_max`, and half of that time
is random, so that a hundred boards do not call a gateway that comes back in the same second.
"""

import struct

from uike import event, reason

_FIRST_MS = 1_000
_ENDED_MAX = 4


def connect(appliance, wanted, now):
    """Starts those of the connections that are ours to start for which wanted(connection) holds."""
    board, endpoint = appliance.board, appliance.endpoint
    for connection in endpoint.connections:
        if not connection.initiator or not wanted(connection):
            continue
        remote = board.udp.resolve(connection.remote)  # at every attempt: gateways move
        local = board.udp.address_for(remote) if remote else None
        if local is None:
            appliance.trace(event.COMMAND_ERROR, 0, ("no address for %s" % connection.remote).encode())
            _plan(appliance, connection, now)
            continue
        appliance.retries.pop(connection, None)
        endpoint.connect(connection, local, remote, now)
        if not [sa for sa in endpoint.sas if sa.connection is connection]:  # there was no memory for it
            _plan(appliance, connection, now)


def due(appliance, now):
    """Starts those whose time has come."""
    times = appliance.retries
    connect(appliance, lambda connection: connection in times and times[connection] <= now, now)


def closed(appliance, sa, why, now):
    """An SA has ended, for a reason. One that we closed ourselves stays closed."""
    connection = sa.connection
    appliance.failures[None] = (appliance.failures.get(None, ()) + ((now, connection.name, why),))[-_ENDED_MAX:]
    if not connection.initiator or not connection.reconnect_ms or why in (reason.DELETED_BY_US, reason.REPLACED):
        return
    if appliance.quit_at is None and not appliance.endpoint.has_other(sa):
        _plan(appliance, connection, now)


def link_changed(appliance, link, now):
    """The network gave us another address `link`, or (None) went away. Tunnels go along, or begin."""
    if link is None:
        return
    endpoint = appliance.endpoint
    up = [sa.connection for sa in endpoint.sas]
    if up:
        endpoint.address_changed(link, now)
    connect(appliance, lambda connection: connection not in up, now)


def _plan(appliance, connection, now):
    failures = appliance.failures.get(connection, 0)
    wait = min(_FIRST_MS << min(failures, 16), connection.reconnect_ms)
    wait = wait // 2 + int.from_bytes(appliance.endpoint.random(2), "big") * wait // 131_072
    appliance.failures[connection] = failures + 1
    appliance.retries[connection] = now + wait
    appliance.trace(event.RECONNECT, 0, struct.pack(">IB", wait, min(failures + 1, 255)) + connection.name.encode())
