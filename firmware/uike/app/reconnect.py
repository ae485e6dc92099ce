"""When to try again: our connections start when the network comes, and start anew when they end. Then dropped.

Attempts follow each other at twice the time of the last, up to the connection's `reconnect_max`, and half of that time
is random, so that a hundred boards do not call a gateway that comes back in the same second. Of several gateways each
has its turn, the first one first (when a tunnel was lost, the second), and only when all have failed the pause grows.

What is started anew is only what failed: an SA; after ten attempts in vain the sockets and the network; after a hundred
and twenty, some hours, and with no other tunnel to lose, the chip.
"""

import struct

from uike import event, reason

_FIRST_MS = 1_000
_MEND = 10  # attempts at each gateway, here as below
_LAST_RESORT = 120
_ENDED_MAX = 4


def connect(appliance, wanted, now):
    """Starts those of the connections that are ours to start for which wanted(connection) holds."""
    endpoint = appliance.endpoint
    for connection in endpoint.connections:
        if not connection.initiator or not wanted(connection):
            continue
        gateways = _gateways(connection)
        name = gateways[appliance.failures.get(connection, 0) % len(gateways)]
        remote = appliance.board.udp.resolve(name)  # at every attempt: gateways move
        local = appliance.board.udp.address_for(remote) if remote else None
        why = 0 if local else reason.NAME_UNRESOLVED
        if not why and connection.cacerts and connection.require_time and appliance.board.clock() is None:
            why = reason.CLOCK_NOT_SET  # no certificate could be judged
        if why:
            appliance.trace(event.NOT_STARTED, 0, bytes((why,)) + name.encode())
            _plan(appliance, connection, now)
            continue
        appliance.retries.pop(connection, None)
        endpoint.connect(connection, local, remote, now)
        if not [sa for sa in endpoint.sas if sa.connection is connection]:  # there was no memory for it
            _plan(appliance, connection, now)


def follow(appliance, link, now):
    """What has happened since the last look: SAs have ended, the network (`link`, our address there) is another, and
    the time of some attempts has come. MemoryError when not all could be done; then once more."""
    while appliance.ended:
        _closed(appliance, *(appliance.ended[0] + (now,)))
        appliance.ended.pop(0)
    if link != appliance.link:
        _link_changed(appliance, link, now)
        appliance.link = link
    times = appliance.retries
    if link:
        connect(appliance, lambda connection: connection in times and times[connection] <= now, now)


def _closed(appliance, sa, why, now):
    """An SA has ended, for a reason. One that we closed ourselves stays closed."""
    connection = sa.connection
    appliance.failures[None] = (appliance.failures.get(None, ()) + ((now, connection.name, why),))[-_ENDED_MAX:]
    if not connection.initiator or why in (reason.DELETED_BY_US, reason.REPLACED):
        return
    if appliance.quit_at is None and not appliance.endpoint.has_other(sa):
        _plan(appliance, connection, now)


def _link_changed(appliance, link, now):
    """The network gave us another address `link`, or (None) went away. Tunnels go along, or begin."""
    if link is None:
        return
    endpoint = appliance.endpoint
    up = [sa.connection for sa in endpoint.sas]
    if up:
        endpoint.address_changed(link, now)
    connect(appliance, lambda connection: connection not in up, now)


def _gateways(connection):
    return connection.remote if type(connection.remote) is tuple else (connection.remote,)


def _plan(appliance, connection, now):
    if not connection.reconnect_ms:  # one attempt
        return
    failures, gateways = appliance.failures.get(connection, 0), len(_gateways(connection))
    _escalate(appliance, failures + 1, gateways, connection)
    wait = _FIRST_MS if (failures + 1) % gateways else _FIRST_MS << min(failures // gateways, 16)
    wait = min(wait, connection.reconnect_ms)
    wait = wait // 2 + int.from_bytes(appliance.endpoint.random(2), "big") * wait // 131_072
    appliance.failures[connection] = failures + 1
    appliance.retries[connection] = now + wait
    appliance.trace(event.RECONNECT, 0, struct.pack(">IB", wait, min(failures + 1, 255)) + connection.name.encode())


def _escalate(appliance, failures, gateways, connection):
    """Goes further when attempts alone do not help; not while another tunnel is up."""
    board = appliance.board
    if not board.life or [sa for sa in appliance.endpoint.sas if sa.state == event.STATE_ESTABLISHED]:
        return
    if failures >= _LAST_RESORT * gateways:
        board.life.restart(reason.NO_TUNNEL, connection.name.encode())
    elif failures % (_MEND * gateways) == 0:
        board.mend()
