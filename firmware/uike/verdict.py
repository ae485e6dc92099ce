"""How SAs begin and end, and how both are told: the half of the engine that keeps the record.

Every end has one verdict: a CLOSED event with its reason, given once. What follows it (telling the peer, answering its
last retransmission) is housekeeping.
"""

import struct

from uike import event, iana, lifetime, reason
from uike.ike import exchange
from uike.ike.exchange import pack_where
from uike.transient import load
from uike.wire.message import notify
from uike.wire.refusal import Refusal

_LINGER_MS = 20_000
_DETAIL_MAX = 64
_WORTH_A_LOOK = (reason.WRONG_MESSAGE_ID, reason.NOT_ENCRYPTED, reason.ESP_UNKNOWN_SPI, reason.ESP_SELECTORS)


class Verdicts:
    """Mixed into Endpoint."""

    def established(self, sa):
        """Both peers are proved. What only the set-up needed goes."""
        started = sa.setup.started
        sa.setup = sa.expires_at = None
        self.limit(sa)
        if self.trace:
            kind, identity = sa.peer_id
            self.trace(event.ESTABLISHED, sa.number, struct.pack(">IB", self.now - started, kind) + identity)
        self._happen((event.ESTABLISHED, sa, None))
        if sa.replaces:
            load("uike.ike.reauth").succeeded(sa)

    def assigned(self, sa, attributes):
        """The configuration payload gave inner addresses; `attributes` are what came with them, as on the wire."""
        if self.trace:
            self.trace(event.ADDRESS, sa.number, attributes)
        self._happen((event.ADDRESS, sa, sa.address or sa.address6))

    look_at = 0  # ms: not before that is a dropped datagram looked at again

    def drop(self, why, remote=None, detail=b"", cause=None):
        """Counts and traces a dropped datagram or packet, the `cause`; returns the reason."""
        try:
            self.drops[why] = self.drops.get(why, 0) + 1
            if self.trace:
                where = pack_where(remote) if remote else bytes(6)
                self.trace(event.DROP, 0, bytes((why,)) + where + detail)
            if cause and self.now >= self.look_at and why in _WORTH_A_LOOK:
                load("uike.ike.dropped").look(self, why, cause, remote)
        except MemoryError:  # the datagram is dropped all the same
            pass
        return why

    def note(self, sa, refusal):
        """Traces what an exchange refused, though it goes on."""
        if self.trace:
            body = struct.pack(">BH", refusal.reason, refusal.notify) + refusal.data[:_DETAIL_MAX]
            self.trace(event.REJECT, sa.number, body)

    def fail(self, sa, refusal, message, now):
        """An exchange failed, over `message` or (None) over its absence. Ends the SA, unless it can live with that."""
        tell = False
        if message is not None and message.response:
            # a peer whose error is all it sent has given up; one that sent AUTH believes the SA to be up
            gave_up = sa.state == event.STATE_AUTH and message.error() and message.body(iana.AUTH) is None
            tell = message.authentic and not gave_up
        elif message is not None and sa.state in (event.STATE_ESTABLISHED, event.STATE_DELETING):
            if sa.state == event.STATE_DELETING or refusal.notify != iana.INVALID_SYNTAX:
                return  # the peer was told in our response
        self.end(sa, refusal, message, tell)

    def end(self, sa, refusal, message, tell):
        """Gives the verdict on an SA; `tell` the peer with a Delete, or stay only to answer retransmissions."""
        if sa.state == event.STATE_DELETING or sa.state == event.STATE_DEAD:
            self.forget(sa)
            return
        established = sa.state == event.STATE_ESTABLISHED
        self._close_children(sa, refusal.reason)
        self._tell_closed(sa, refusal, message)
        sa.answering = None
        sa.waiting = []
        if tell and sa.seal:
            sa.become(event.STATE_DELETING)
            said = [notify(refusal.notify)] if refusal.notify and not established else []
            exchange.start(sa, load("uike.ike.info").delete(sa, said), self.now)
            return
        sa.task = sa.request = sa.retransmit_at = None
        if sa.seal and message is not None and not message.response:
            sa.become(event.STATE_DELETING)
            sa.expires_at = self.now + _LINGER_MS
        else:
            self.forget(sa)

    def ended_by_peer(self, sa, why, notify_type):
        """The peer deleted the SA; we stay to answer, should our answer get lost."""
        if sa.rival and sa.state == event.STATE_ESTABLISHED:
            # our own request to replace it is forgotten (RFC 7296 section 2.25.2)
            load("uike.ike.succession").to_rival(sa)
        if sa.state != event.STATE_DELETING:
            self._close_children(sa, why)
            self._tell_closed(sa, Refusal(sa.refused or why, notify_type), None)
            sa.become(event.STATE_DELETING)
        sa.task = sa.request = sa.retransmit_at = None
        sa.waiting = []
        sa.expires_at = self.now + _LINGER_MS

    def forget(self, sa):
        """Removes every trace of an SA."""
        for other in (sa.fresh, sa.rival and sa.rival[1]):
            if other:
                self.forget(other)
        if sa.replaces:  # the old one stays, and we try again
            sa.replaces.auth_until = self.now + lifetime.RETRY_MS
            sa.replaces = None
        sa.fresh = sa.rival = None
        self._close_children(sa, reason.DELETED_BY_US)
        for lease in list(self.leases):
            if lease[2] is sa:  # kept for the same identity, behind those that were given back earlier
                lease[2] = None
                self.leases.remove(lease)
                if lease[0] not in [other[0] for other in self.leases]:
                    self.leases.append(lease)
        if sa.state != event.STATE_DEAD:
            sa.become(event.STATE_DEAD)
        sa.wipe()
        if sa in self.sas:
            self.sas.remove(sa)

    def child_down(self, sa, child, why):
        """Takes a Child SA out of the data plane."""
        if child not in sa.children:
            return
        sa.children.remove(child)
        self.sad.remove(child)
        if self.trace:
            body = (
                child.spi_in
                + child.spi_out
                + struct.pack(">BIIQQ", why, child.packets_in, child.packets_out, child.bytes_in, child.bytes_out)
            )
            self.trace(event.CHILD_DOWN, sa.number, body)

    def limit(self, sa):
        """A fresh IKE SA has a whole life before it."""
        lifetime.begin(sa, sa.connection.rekey_ms, self.random, self.now)

    def retry(self, sa_or_child):
        """The peer would not replace it, or not now: we ask again a little later."""
        lifetime.retry(sa_or_child, self.random, self.now)

    def has_other(self, sa):
        """Whether the same connection has another IKE SA."""
        for other in self.sas:
            if other is not sa and other.connection is sa.connection:
                return True
        return False

    def replace_others(self, sa):
        """INITIAL_CONTACT: the peer has forgotten whatever else we share with it (RFC 7296 section 2.4)."""
        for other in list(self.sas):
            if other is not sa and other.peer_id == sa.peer_id and other.connection is sa.connection:
                self.end(other, Refusal(reason.REPLACED), None, False)

    def _close_children(self, sa, why):
        for child in list(sa.children):
            self.child_down(sa, child, why)

    def _expire(self, sa):
        if sa.state == event.STATE_DELETING:
            self.forget(sa)
        else:
            established = sa.state == event.STATE_ESTABLISHED
            why = reason.EXPIRED if established else reason.HALF_OPEN_TIMEOUT
            self.end(sa, Refusal(why), None, established)

    def _tell_closed(self, sa, refusal, message):
        if sa.quiet:
            return
        self._happen((event.CLOSED, sa, refusal.reason))
        sa.quiet = True  # once is enough
        if self.trace:
            kind, ident = (message.exchange, message.id) if message is not None else (sa.exchange, sa.send_id)
            authentic = message is not None and message.authentic
            body = struct.pack(">BHBIB", refusal.reason, refusal.notify, kind, ident, authentic)
            self.trace(event.CLOSED, sa.number, body + refusal.data[:_DETAIL_MAX])

    def _trace_silence(self, sa):
        if self.trace:
            self.trace(event.LIVENESS, sa.number, struct.pack(">I", (self.now - sa.heard_at) // 1000))

    def _trace_where(self, code, sa):
        if self.trace:
            self.trace(code, sa.number, pack_where(sa.remote))
