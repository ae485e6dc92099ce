"""The engine: datagrams and time in, datagrams and events out. No socket, clock, file or random source inside.

Nothing that a peer sends raises out of `receive`: a bad datagram becomes a numbered drop, a notify, or the end of one
SA. Every collection here has a limit. The caller passes the time, in milliseconds that never go back.
"""

from uike import event, iana, lifetime, reason
from uike.admission import Admission
from uike.ike import exchange
from uike.ike.exchange import pack_where
from uike.ike.sa import IkeSa
from uike.ipsec import packet as esp
from uike.ipsec.policy import allows, inner_size
from uike.ipsec.sad import ChildSa, Sad, spi_key
from uike.transient import drop, load
from uike.verdict import Verdicts
from uike.wire.message import Message
from uike.wire.refusal import Refusal

_DATAGRAM_MAX = 4096
_OUTGOING_MAX = 32
_EVENTS_MAX = 32
_SAS_MAX = 16
_AGAIN_MS = 100  # to the next try of what memory did not do for
_NON_ESP_MARKER = bytes(4)
_KEEPALIVE = b"\xff"


class Endpoint(Verdicts):
    """All SAs of one board.

    `connections` is a list of Connection, `crypto` a provider, `random` a callable (n -> n bytes), `trace` a callable
    (event code, SA number, body) or None, `secret` 32 bytes that outlive a restart and no other board has, or none."""

    def __init__(self, connections, crypto, random, trace=None, secret=b""):
        self.connections = connections
        self.crypto = crypto
        self.random = random
        self.ivs = esp.Ivs(random)
        self.trace = trace
        self.secret = secret  # of ike/crash
        self.now = 0
        self.sas = []
        self.sad = Sad()
        self.admission = Admission(self)
        self.leases = []  # [address, identity, IKE SA or None], see ike/pool
        self.numbered = 0
        self.store = None  # of the board: `read(name)`, `write(name, data)`; for pki/clock and pki/device
        self.clock = None  # () -> seconds since 1970, or None while nobody knows
        self.ask_at = 0  # when a packet without a Child SA is looked at again
        self.out = []
        self.happened = []
        self.drops = {}  # reason -> how often
        self.loaded = False  # transient modules are in memory

    # -- the contract ------------------------------------------------------------------------------------------------

    def connect(self, connection, local, remote, now):
        """Starts an IKE SA as initiator; `local` and `remote` are IPv4 addresses as text. Returns its number."""
        self._control("connect", now, connection, (local, iana.PORT_IKE), (remote, iana.PORT_IKE))
        return self.numbered

    def close(self, name, now):
        """Deletes the SAs of the connection `name`, of all connections when it is None."""
        self._control("close", now, name)

    def close_children(self, now):
        """Deletes every Child SA; the IKE SAs stay."""
        self._control("close_children", now)

    def address_changed(self, local, now):
        """Our address, a text, is now `local`: the SAs of our initiator connections go there."""
        self._control("address_changed", now, local)
        self._tidy()

    def _control(self, step, now, *arguments):
        """What is asked for now and then is a step of `uike.control`."""
        self.now = now
        self.loaded = True
        self.guard(None, lambda: getattr(load("uike.control"), step)(self, *arguments))

    def receive(self, datagram, local, remote, now):
        """A UDP payload came from `remote` to `local`, both (address text, port). Its buffer may be overwritten."""
        self.now = now
        try:
            self._demultiplex(datagram, local, remote)
        except Refusal as refusal:
            self.drop(refusal.reason, remote)
        except MemoryError:
            self.drop(reason.NO_MEMORY, remote)

    def send_packet(self, packet, now):
        """An inner IP packet wants to leave. Returns 0, or the reason why it was dropped."""
        self.now = now
        size = inner_size(packet, 0, len(packet))
        if not size:
            return self.drop(reason.ESP_INNER_PACKET)
        child = self.sad.route(packet, size)
        if child is None:
            if now >= self.ask_at:
                self._control("ask_for_child", now, packet, size)
            return self.drop(reason.ESP_NO_SA)
        if not lifetime.count(child, now):
            return self.drop(reason.EXPIRED)
        if child.transport:
            packet = child.transport.strip(child, packet, size)
            size = len(packet)
            if not size:
                return self.drop(reason.ESP_INNER_PACKET)
        try:
            data = esp.encapsulate(child, packet, size, self.ivs)
        except MemoryError:
            return self.drop(reason.NO_MEMORY)
        if data is None:
            return self.drop(reason.ESP_SEQUENCE_EXHAUSTED)
        self._put(child.owner, data)
        return 0

    def next_deadline(self):
        """When `tick` wants to be called, in ms; None when nothing is awaited."""
        deadline = None
        for sa in self.sas:
            held = sa.fragments_until if sa.fragments else None
            for due in (
                sa.expires_at,
                sa.retransmit_at,
                held,
                self._liveness_at(sa),
                self._keepalive_at(sa),
                lifetime.deadline(sa),
            ):
                if due is not None and (deadline is None or due < deadline):
                    deadline = due
        return deadline

    def tick(self, now):
        """Does what time asks for: retransmission, liveness, keepalives, forgetting."""
        self.now = now
        for sa in list(self.sas):
            self.guard(sa, self._tick, sa, now)
        self._tidy()

    def _tick(self, sa, now):
        if sa.expires_at is not None and now >= sa.expires_at:
            self._expire(sa)
            return
        if sa.fragments and now >= sa.fragments_until:
            sa.fragments = {}
            self.drop(reason.FRAGMENTS_TIMEOUT, sa.remote)
        exchange.tick(sa, now)
        lifetime.tick(sa, now)
        due = self._liveness_at(sa)
        if due is not None and now >= due:
            self._trace_silence(sa)
            exchange.start(sa, load("uike.ike.info").liveness(sa), now)
        due = self._keepalive_at(sa)
        if due is not None and now >= due:
            self._put(sa, _KEEPALIVE)
            self._trace_where(event.KEEPALIVE, sa)

    def outgoing(self):
        """Takes the datagrams to send: a list of (datagram, (address, port), local port)."""
        out, self.out = self.out, []
        return out

    def events(self):
        """Takes what happened: a list of (PACKET, inner packet), (ESTABLISHED or CLOSED or ADDRESS, SA, value)."""
        happened, self.happened = self.happened, []
        return happened

    # -- datagrams in ------------------------------------------------------------------------------------------------

    def _demultiplex(self, datagram, local, remote):
        if len(datagram) > _DATAGRAM_MAX:
            raise Refusal(reason.LONG_DATAGRAM)
        if local[1] != iana.PORT_NATT:
            self._receive_ike(bytearray(datagram), local, remote)
        elif len(datagram) < 4:
            if datagram != _KEEPALIVE:
                raise Refusal(reason.SHORT_DATAGRAM)
        elif datagram[0] | datagram[1] | datagram[2] | datagram[3]:
            self._receive_esp(datagram if type(datagram) is bytearray else bytearray(datagram), local, remote)
        else:
            self._receive_ike(bytearray(datagram[4:]), local, remote)

    def _receive_esp(self, data, local, remote):
        child = self.sad.inbound.get(spi_key(data))
        if child is None:
            self.drop(reason.ESP_UNKNOWN_SPI, remote, b"", data)
            return
        newest = child.replay.top
        inner = esp.decapsulate(child, data)
        if child.replay.top != newest:  # authentic, whatever it carries
            child.owner.heard_at = self.now
            if child.state != event.STATE_CHILD_RETIRED:
                self.follow(child.owner, local, remote)
        if inner == reason.ESP_NEXT_HEADER and child.transport:
            inner = child.transport.rebuild(child, data)
            if not allows(inner, 0, len(inner), child.remote_ts, child.local_ts):
                inner = reason.ESP_SELECTORS
        if type(inner) is int:
            self.drop(inner, remote, b"", data)
            return
        if child.standby:
            self.sad.prefer(child)
        lifetime.count(child, self.now)
        self._happen((event.PACKET, inner, None))

    def _receive_ike(self, data, local, remote):
        message = Message(data)
        message.local, message.remote = local, remote
        if message.spi_i == bytes(8):
            raise Refusal(reason.ZERO_INITIATOR_SPI)
        sa = self._find(message)
        if message.major != iana.VERSION >> 4:
            if not sa and message.major > iana.VERSION >> 4:
                self.admission.tell(message, iana.INVALID_MAJOR_VERSION)
            raise Refusal(reason.WRONG_MAJOR_VERSION)
        if sa is None:
            self.guard(None, self.admission.first, message)
        elif message.from_initiator == sa.initiator:
            raise Refusal(reason.WRONG_FLAGS)
        elif message.response:
            self.guard(sa, exchange.on_response, sa, message, self.now)
        else:
            self.guard(sa, exchange.on_request, sa, message, self.now)
        self._tidy()

    def _find(self, message):
        for sa in self.sas:
            if sa.spi_i == message.spi_i:
                if sa.spi_r == message.spi_r or (sa.initiator and sa.state == event.STATE_INIT):
                    return sa
        return None

    def guard(self, sa, step, *arguments):
        """Runs a step of an SA. What goes wrong in it costs that SA and nothing else."""
        self.loaded = self.loaded or sa is not None
        try:
            step(*arguments)
        except Refusal as refusal:
            self.drop(refusal.reason, sa.remote if sa else arguments[0].remote, b"", arguments)
        except MemoryError:
            self._starve(sa)
        except Exception as error:  # a bug of ours: it must not cost the appliance
            self._break(sa, reason.LOCAL_ERROR, type(error).__name__.encode())

    def _break(self, sa, why, detail):
        self.drop(why, sa.remote if sa else None, detail)
        if sa in self.sas:
            self.end(sa, Refusal(why, 0, detail), None, False)

    def _starve(self, sa):
        """An SA did not get the memory that its step needs. What is left may not even do to say so, or to end it."""
        if sa:
            sa.expires_at = self.now + _AGAIN_MS
        try:
            self._break(sa, reason.NO_MEMORY, b"")
        except MemoryError:
            trace, self.trace = self.trace, None
            try:
                if sa in self.sas:
                    self.end(sa, Refusal(reason.NO_MEMORY), None, False)
            except MemoryError:  # it has expired
                pass
            finally:
                self.trace = trace

    # -- lent to the exchanges ---------------------------------------------------------------------------------------

    def send(self, sa, datagrams, now, cause=None):
        """Queues an IKE message; on port 4500 behind the non-ESP marker (RFC 3948 section 2.2)."""
        local = cause.local if cause else sa.local
        marker = _NON_ESP_MARKER if local[1] == iana.PORT_NATT else b""
        for datagram in datagrams:
            self._put(sa, marker + datagram, cause)

    def reply(self, message, data):
        """Queues an answer in the clear that belongs to no SA."""
        marker = _NON_ESP_MARKER if message.local[1] == iana.PORT_NATT else b""
        if len(self.out) < _OUTGOING_MAX:
            self.out.append((marker + data, message.remote, message.local[1]))

    def new_sa(self, connection, initiator, local, remote):
        """An IKE SA that is not in `sas` yet."""
        self.next_number()
        if self.trace:
            body = bytes((initiator,)) + pack_where(local) + pack_where(remote) + connection.name.encode()
            self.trace(event.NEGOTIATING, self.numbered, body)
        return IkeSa(self, self.numbered, connection, initiator, local, remote, self.now)

    def follow(self, sa, local, remote):
        """An authentic packet, newer than all before it, came along this path."""
        if sa.connection.initiator or sa.mobike or remote == sa.remote and local == sa.local:
            return
        self.loaded = True
        load("uike.ike.path").follow(sa, local, remote)

    def responders(self, address):
        """Connections that would answer this address."""
        found = []
        for connection in self.connections:
            if not connection.initiator and connection.remote in ("%any", "0.0.0.0", address):
                found.append(connection)
        return found

    def new_ike_spi(self):
        """A fresh IKE SPI: eight bytes, not zero."""
        spi = self.random(8)
        return spi if spi != bytes(8) else self.new_ike_spi()

    def new_spi(self):
        """A fresh inbound ESP SPI: four bytes, see `ipsec.sad.spi_key`; 1 to 255 are IANA's."""
        while True:
            spi = bytearray(self.random(4))
            spi[0] &= 63
            if spi[0] | spi[1] | spi[2] and spi_key(spi) not in self.sad.inbound:
                return bytes(spi)

    def child_up(self, sa, policy, spis, seal, open, local_ts, remote_ts):
        """Installs a Child SA: the keys go down to the data plane. `spis` are ours and the peer's."""
        child = ChildSa(sa, spis[0], spis[1], seal, open, local_ts, remote_ts)
        child.policy = policy
        lifetime.begin(child, sa.connection.esp_rekey_ms, self.random, self.now)
        child.packets_max, child.bytes_max = sa.connection.esp_rekey_packets, sa.connection.esp_rekey_bytes
        sa.children.append(child)
        self.sad.add(child)
        return child

    def has_room(self):
        """Whether one more IKE SA may be made."""
        return len(self.sas) < _SAS_MAX

    def idle(self, sa):
        """Our exchange has ended and none is waiting: the next step of an initiator, if there is one."""
        if sa.initiator and sa.state == event.STATE_AUTH:
            self.release()
            self.loaded = True
            exchange.start(sa, load("uike.ike.join").initiate(sa), self.now)
        elif sa.initiator and sa.state == event.STATE_ESTABLISHED and sa.setup:
            self.established(sa)

    def answered(self, sa, now):
        """The response to the peer's request is on its way."""
        if sa.state == event.STATE_ESTABLISHED and sa.setup:
            self.established(sa)

    def release(self):
        """Drops the modules that no exchange needs any more."""
        drop()
        self.crypto.release()
        self.loaded = False

    # -- time --------------------------------------------------------------------------------------------------------

    def _liveness_at(self, sa):
        if sa.state != event.STATE_ESTABLISHED or sa.task or not sa.connection.dpd_delay_ms:
            return None
        return sa.heard_at + sa.connection.dpd_delay_ms

    def _keepalive_at(self, sa):
        if sa.state != event.STATE_ESTABLISHED or not sa.behind_nat or not sa.connection.nat_keepalive_ms:
            return None
        return sa.sent_at + sa.connection.nat_keepalive_ms

    def _tidy(self):
        """Drops transient modules once no SA is in the middle of an exchange."""
        if self.loaded:
            for sa in self.sas:
                if sa.task or sa.answering or sa.fragments:
                    return
            self.release()

    def next_number(self):
        """The number of a new IKE SA, for the trace."""
        self.numbered = self.numbered % 65535 + 1
        return self.numbered

    # -- small parts -------------------------------------------------------------------------------------------------

    def _put(self, sa, datagram, cause=None):
        sa.sent_at = self.now
        if len(self.out) < _OUTGOING_MAX:
            local, remote = (cause.local, cause.remote) if cause else (sa.local, sa.remote)
            self.out.append((datagram, remote, local[1]))

    def _happen(self, what):
        if len(self.happened) < _EVENTS_MAX:
            self.happened.append(what)
