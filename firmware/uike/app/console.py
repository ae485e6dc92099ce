"""Commands of the console: JSON objects, `{"do": "ping", "to": "10.1.0.1", "count": 3}`, typed or through `app/link`.

Used when one comes, then dropped. Raises ValueError with a text for the host when a command makes no sense.
"""

import json

from uike import control, event
from uike.app import reconnect
from uike.app.ping import Ping
from uike.net import icmp
from uike.transient import load
from uike.wire.address import pack
from uike.wire.own import own_address

_COUNT_MAX = 10_000
_SIZE_MAX = 1_300
_QUIT_MS = 3_000


def run(appliance, line):
    """Does what one line says."""
    do(appliance, json.loads(line), ())


def do(appliance, command, body):
    """Does what a command says; its results are events of the trace. No command here has a body."""
    verb = command.get("do") if type(command) is dict else None
    if verb not in _VERBS:
        raise ValueError("unknown command; known: " + ", ".join(sorted(_VERBS)))
    _VERBS[verb](appliance, command)


def _close(appliance, command):
    appliance.endpoint.close(command.get("name"), appliance.board.now())


def _delete(appliance, command):
    appliance.endpoint.close_children(appliance.board.now())


def _heap(appliance, command):
    appliance.trace.heap()


def _datagrams(appliance, command):
    load("uike.app.wiretap").datagrams(appliance.board, appliance.trace)


def _credentials(appliance, command):
    """Of the board itself: a request for a certificate, or a certificate. Typed, there is no proof of the secret."""
    if appliance.endpoint.store.read("admin") is not None:
        raise ValueError("there is an admin secret: uike provision csr, uike provision cert")
    getattr(load("uike.app.credentials"), command["do"])(appliance, command)


def _crash(appliance, command):
    """How the board crashed last."""
    told = appliance.board.life and appliance.board.life.crash()
    if not told:
        raise ValueError("crash: none is known")
    appliance.trace(event.BOOT, 0, told)


def _restart(appliance, command):
    """When the session ends, see app/link."""
    if not appliance.session:
        raise ValueError("restart: through `uike` only")
    appliance.session[6] = True


def _connect(appliance, command):
    """Starts the connections that we initiate: all of them, or the one of that name."""
    name = command.get("name")
    reconnect.connect(appliance, lambda connection: name in (None, connection.name), appliance.board.now())


def _moved(appliance, command):
    """The network gave the board another address: the tunnels go with it."""
    for sa in list(appliance.endpoint.sas):
        if sa.connection.initiator:
            local = appliance.board.udp.address_for(sa.remote[0])
            appliance.endpoint.address_changed(local, appliance.board.now())


def _ping(appliance, command):
    target = pack(str(command.get("to")))
    source = _address_towards(appliance.endpoint, target)
    if source is None:
        raise ValueError("ping: no tunnel leads there")
    count = _number(command, "count", 3, 1, _COUNT_MAX)
    interval_ms = _number(command, "interval_ms", 1_000, 1, 3_600_000)
    size = _number(command, "size", 56, 0, _SIZE_MAX)
    ident = int.from_bytes(appliance.endpoint.random(2), "big")
    appliance.users = [user for user in appliance.users if not hasattr(user, "sequence")]  # one series at a time
    appliance.users.append(Ping(source, target, count, interval_ms, size, ident, appliance.board.now()))


def _address_towards(endpoint, target):
    """Our inner address in the tunnel that leads to `target` (4 bytes), or may be asked for; None without one."""
    sources = [child.own for child in endpoint.sad.outbound]
    sources += [own_address(sa, sa.connection.local_ts) for sa in endpoint.sas]
    for find in (endpoint.sad.route, lambda packet, size: control.policy_for(endpoint, packet, size)):
        for source in sources:
            if any(source) and find(icmp.request(source, target, 0, 0, 0), 28):
                return source
    return None


def _rekey(appliance, command):
    """Every IKE SA, or every Child SA, is due at once."""
    what = command.get("what")
    if what not in ("child", "ike"):
        raise ValueError('rekey: "what" is "child" or "ike"')
    now = appliance.board.now()
    for sa in appliance.endpoint.sas:
        if sa.state == event.STATE_ESTABLISHED and not sa.quiet:
            for each in (sa,) if what == "ike" else sa.children:
                each.rekey_at = now


def _quit(appliance, command):
    """Deletes every SA; the board stops when that is answered, or a little later."""
    now = appliance.board.now()
    appliance.endpoint.close(None, now)
    appliance.quit_at = now + _QUIT_MS


def _number(command, key, default, low, high):
    value = command.get(key, default)
    if type(value) is not int or not low <= value <= high:
        raise ValueError("%s: a number from %d to %d" % (key, low, high))
    return value


_VERBS = {
    "ping": _ping,
    "close": _close,
    "rekey": _rekey,
    "delete": _delete,
    "connect": _connect,
    "moved": _moved,
    "heap": _heap,
    "datagrams": _datagrams,
    "csr": _credentials,
    "cert": _credentials,
    "crash": _crash,
    "restart": _restart,
    "quit": _quit,
}
