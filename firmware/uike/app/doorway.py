"""Relays at rest: devices of the local network can come at any time; what carries their data is loaded when one does.

For relays of TCP that listen there. A quarter of a board's heap is then free for negotiations: a tunnel that is lost
takes its connections along, and comes up anew with the code of TCP out of the way.
"""

import sys

from uike import event, reason, transient
from uike.transient import drop, load
from uike.wire.address import pack, text

_LOOK_MS = 100  # between two looks at the listeners
_REST_MS = 10_000  # without a connection
_ROOM = 3_072  # bytes that ought to be free beside a module: what it works with


class Doorway:
    """A user of the tunnel, like `uike.app.relay.Relays`, which it has while there are connections."""

    def __init__(self, appliance, rows):
        self.lan = appliance.board.lan()
        self.rows = rows
        self.listeners = [None] * len(rows)
        self.relays = None
        self._code, self._old = [], None  # the modules of the relays; relays that nobody runs any more
        self._due = 0  # the next look, or the time to rest
        self._appliance = appliance
        transient.instead = self._bring
        appliance.users.insert(0, self)

    def receive(self, appliance, packet, now):
        return False

    def deadline(self):
        return self._due

    def tick(self, appliance, now):
        try:
            if self.relays:
                self._watch(appliance, now)
            elif now >= self._due:
                self._due = now + _LOOK_MS
                self._forget()
                self._look(appliance, now)
        except MemoryError:
            appliance.endpoint.drop(reason.NO_MEMORY)
        return True

    def _look(self, appliance, now):
        """Takes the first who comes. Listening begins here, and is tried again."""
        for number, row in enumerate(self.rows):
            try:
                if self.listeners[number] is None:
                    self.listeners[number] = self.lan.listen(text(row[0][0]), row[0][1])
                found = self.lan.accept(self.listeners[number])
            except OSError:
                continue
            if found:
                self._open(appliance, number, found[0], (pack(found[1][0]), found[1][1]), now)
                return

    def _open(self, appliance, number, handle, client, now):
        self._forget()
        why, users, modules = reason.NET_UNREACHABLE, list(appliance.users), list(sys.modules)
        if _up(appliance):
            try:
                self.relays = load("uike.app.relay").Relays(appliance, self.rows, self.lan, self.listeners)
                self.relays.begin(number, handle, client, now)
                return
            except MemoryError:
                why, self.relays, appliance.users[:] = reason.NO_MEMORY, None, users
            finally:
                code = {name: sys.modules[name] for name in sys.modules if name not in modules}
                drop(modules)  # its objects keep it in memory, until `_rest`
                self._code = [code[name] for name in code if name not in sys.modules]
        self.lan.close(handle)
        body = bytes((number, why)) + client[0] + client[1].to_bytes(2, "big")
        appliance.trace(event.RELAY_REFUSED, 0, body)

    def _watch(self, appliance, now):
        """Rests again when all connections have ended, or the tunnel has."""
        if not _up(appliance):
            self.relays.abandon()
            self._rest(appliance)
        elif self.relays.busy():
            self._due = now + _REST_MS
        elif now >= self._due:
            self._rest(appliance)

    def _bring(self, name):
        """In the place of `transient.bring`: a module of an exchange gets the memory of the connections, if need be. A
        device connects once more; a tunnel would have to be negotiated anew."""
        there = False
        try:
            transient.bring(name)
            there = True
            piece = _ROOM if "auth" in name else _ROOM // 2  # with certificates a message is a long one
            _ = bytearray(piece), bytearray(_ROOM - piece)
        except MemoryError:
            if self._give(name):
                drop()  # it may have come in part
                transient.bring(name)
            elif not there:
                raise

    def _give(self, name):
        """Whether there was something to give up. Not by a relay that is at work, nor for a command."""
        appliance = self._appliance
        if not self.relays or appliance.serving or name.startswith("uike.app."):
            return False
        try:
            self.relays.abandon()
        except MemoryError:
            return False
        self._rest(appliance)
        self._forget()
        return True

    def _rest(self, appliance):
        appliance.users.remove(self.relays.tunnel)
        appliance.users.remove(self.relays)
        self._old, self.relays, self._due = self.relays, None, 0

    def _forget(self):
        """Takes relays apart: the collector is conservative, and a stale word of the stack that points at one of their
        objects keeps what that leads to, but no more."""
        if self._old:
            self._old.dissolve()
            self._old = None
        while self._code:
            self._code.pop().__dict__.clear()


def _up(appliance):
    return [sa for sa in appliance.endpoint.sas if sa.state == event.STATE_ESTABLISHED]
