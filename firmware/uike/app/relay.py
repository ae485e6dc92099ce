"""Relays: devices of the local network reach what is behind the tunnel, or are reached from there (`uike.relays`).

Sockets of the local network are the platform's (`lan` of `uike.hal`), those in the tunnel the stack's. A user of the
tunnel beside `uike.app.tunnel`; an appliance without relays never loads it, one with a `uike.app.doorway` only while
there are connections.
"""

import struct

from uike import event, reason
from uike.app.tunnel import Tunnel
from uike.wire.address import pack, text

_BUSY_MS = 20  # between two looks at sockets, with connections
_IDLE_MS = 100  # and without
_PIECE = 512  # bytes moved at once


class Relays:
    """All relays of an appliance."""

    def __init__(self, appliance, rows, lan=None, listeners=None):
        """`lan` and `listeners`, one for each row, when they are there already."""
        self.tunnel = Tunnel(appliance, "tcp" in [row[3] for row in rows])
        self.lan = lan or appliance.board.lan()
        self.trace = appliance.trace
        self._next_at = 0
        self.relays = []
        for number, row in enumerate(rows):
            if row[3] == "udp":
                from uike.app.relay_udp import UdpRelay as Made
            else:
                Made = TcpRelay
            self.relays.append(Made(self, number, row))
            if listeners:
                self.relays[number].listener = listeners[number]
        appliance.users.insert(0, self)  # what it writes leaves in the same turn

    def begin(self, number, handle, client, now):
        """Somebody has come to a relay: the socket, and (address of four bytes, port)."""
        self.relays[number].begin(LanStream(self.lan, handle), client, now)

    def busy(self):
        """Whether there are connections, or some that have not ended in the tunnel."""
        return bool([relay for relay in self.relays if relay.pairs]) or self.tunnel.stack.busy()

    def abandon(self):
        """Ends all of them: the tunnel is gone."""
        for relay in self.relays:
            for pair in list(relay.pairs):
                pair.abort(reason.NET_UNREACHABLE)
                relay.ended(pair)

    def dissolve(self):
        """No part of it leads to the others any more."""
        for relay in self.relays:
            relay.relays = None
        self.relays = ()
        self.tunnel.dissolve()
        self.tunnel = None

    def receive(self, appliance, packet, now):
        return False

    def tick(self, appliance, now):
        """Moves what there is to move."""
        moved = busy = 0
        for relay in self.relays:
            try:
                relay.tokens = min(relay.rate, relay.tokens + relay.rate * (now - relay.filled_at) // 1_000)
                relay.filled_at = now
                moved += relay.tick(now)
            except MemoryError:
                appliance.endpoint.drop(reason.NO_MEMORY)
            busy += len(relay.pairs)
        self._next_at = now if moved else now + (_BUSY_MS if busy else _IDLE_MS)
        return True

    def deadline(self):
        return self._next_at


class TcpRelay:
    """One relay of TCP, and its pairs of connections."""

    tokens = filled_at = 0
    listener = None

    def __init__(self, relays, number, row):
        self.relays = relays
        self.number = number
        self.listen, self.to, self.side, _, self.connections, self.rate, self.idle_ms = row
        self.pairs = []

    def tick(self, now):
        """Takes who comes, and moves data. Returns how many bytes."""
        found = self._accept(now)
        if found:
            self.begin(found[0], found[1], now)
        moved = 0
        for pair in list(self.pairs):
            moved += pair.move(now)
            if pair.over(now):
                self.ended(pair)
        return moved

    def ended(self, pair):
        """Neither of its ends is open any more."""
        self.pairs.remove(pair)
        pair.ends = ()
        body = bytes((self.number,)) + pair.client + bytes((pair.why,))
        self.relays.trace(event.RELAY_CLOSED, 0, body + struct.pack(">II", pair.count[0], pair.count[1]))

    def _accept(self, now):
        """(connection, client as four bytes and port) or None. Listening begins here, and is tried again."""
        if self.side == "tunnel":
            if self.listener is None:
                self.listener = self.relays.tunnel.stack.tcp().listen(self.listen[1])
            found = self.listener.accept()
            return (found, found.ends[2:]) if found else None
        lan = self.relays.lan
        if self.listener is None:
            try:
                self.listener = lan.listen(text(self.listen[0]), self.listen[1])
            except OSError:
                return None
        found = lan.accept(self.listener)
        return (LanStream(lan, found[0]), (pack(found[1][0]), found[1][1])) if found else None

    def begin(self, near, client, now):
        """A new pair; `near` is the end that came."""
        client = client[0] + client[1].to_bytes(2, "big")
        why = reason.NET_FULL
        if len(self.pairs) < self.connections:
            try:
                far = self._reach()
                self.pairs.append(Pair(self, near, far, client, now))
                target = self.to[0] + self.to[1].to_bytes(2, "big")
                self.relays.trace(event.RELAY_OPENED, 0, bytes((self.number,)) + client + target)
                return
            except OSError:
                why = reason.NET_UNREACHABLE
        near.abort(why)
        self.relays.trace(event.RELAY_REFUSED, 0, bytes((self.number, why)) + client)

    def _reach(self):
        """The connection to the target. OSError when it cannot begin."""
        host, port = self.to
        if self.side == "lan":
            return self.relays.tunnel.stack.tcp().connect(host, port)
        lan = self.relays.lan
        return LanStream(lan, lan.connect(text(host), port))


class Pair:
    """A connection and the one that it is carried on by; both have the methods of `uike.net.tcp.Connection`."""

    def __init__(self, relay, near, far, client, now):
        self.relay = relay
        self.ends = (near, far)
        self.client = client
        self.count = [0, 0]
        self.why = 0
        self._moved_at = now

    def move(self, now):
        """Moves data both ways, as much as there is room for. Returns how many bytes."""
        moved = self._move(0) + self._move(1)
        if moved:
            self._moved_at = now
        return moved

    def _move(self, way):
        source, sink = self.ends[way], self.ends[1 - way]
        most = min(sink.writable(), _PIECE)
        if self.relay.rate:
            most = min(most, self.relay.tokens)
        data = source.read(most) if most else b""
        if data:
            sink.write(data)
            self.count[way] += len(data)
            self.relay.tokens -= len(data)
        elif source.ended() and not source.readable():
            sink.finish()
        return len(data)

    def abort(self, why):
        """Ends both at once."""
        self.why = why
        for end in self.ends:
            end.abort(why)

    def over(self, now):
        """Whether the end in the local network is done, or one has failed. Then neither is open any more; the stack
        says goodbye by itself."""
        near, far = self.ends
        self.why = near.why or far.why
        if now - self._moved_at >= self.relay.idle_ms:
            self.why = self.why or reason.TCP_TIMEOUT
        if self.why:
            self.abort(self.why)
            return True
        if (near if self.relay.side == "lan" else far).done():
            near.close()
            far.close()
            return True
        return False


class LanStream:
    """A socket of the local network with the methods of `uike.net.tcp.Connection`.

    It has no half-close: official MicroPython's sockets have none. So when the other end of its pair has ended, and
    all of that is written, this end is done as well."""

    why = 0

    def __init__(self, lan, handle):
        self._lan = lan
        self._handle = handle
        self._rest = b""
        self._ended = self._finished = False

    def read(self, most):
        data = self._do(self._lan.receive, most) if not self._ended else b""
        self._ended = self._ended or data == b""
        return data or b""

    def readable(self):
        return 0

    def ended(self):
        return self._ended

    def write(self, data):
        """Takes all of it: what the platform does not take now goes first the next time."""
        self._rest = data[self._do(self._lan.send, data) or 0 :]
        return len(data)

    def writable(self):
        if self._rest:
            self.write(self._rest)
        return 0 if self._rest or self.why or self._finished else _PIECE

    def finish(self):
        self.writable()
        self._finished = True

    def done(self):
        """Whether nothing is to be done with it any more."""
        if self._rest:
            self.write(self._rest)
        return self._finished and not self._rest

    def _do(self, call, argument):
        """None when nothing can be done now; what fails for good is the reason of this end."""
        if self.why:
            return None
        try:
            return call(self._handle, argument)
        except OSError:
            self.why = reason.RELAY_BROKEN
            return None

    def close(self):
        self._lan.close(self._handle)

    def abort(self, why):
        self._lan.close(self._handle)
