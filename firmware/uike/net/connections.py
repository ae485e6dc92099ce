"""All TCP connections of a board, and its listeners (RFC 9293 section 3.3.1). For `uike.net.stack`.

Everything here has a limit: connections, half-open ones (a further SYN takes the place of the oldest, so that a flood
keeps nobody out who answers within it), those in TIME_WAIT (their oldest goes), and answers to what belongs nowhere.
"""

from uike import event, reason
from uike.net import segment
from uike.net.segment import ACK, FIN, MASK, RST, SYN
from uike.net.tcp import Connection

CONNECTIONS_MAX = 8
_ENOBUFS = 105
_EADDRINUSE = 98
HALF_OPEN_MAX = 4
_WAITING_MAX = 8
_WAITING_MS = 60_000  # twice the lifetime of a segment
_ANSWERS_MAX = 8
_CHALLENGES_MAX = 10  # a second (RFC 5961 section 7)
BUFFER = 4_096  # bytes, each way of a connection
_HEADERS = 40  # bytes of IPv4 and TCP in a packet


class Listener:
    """`accept` gives the connections that are made with its port, at most `backlog` of them waiting."""

    def __init__(self, tcp, port, backlog, size):
        self.tcp = tcp
        self.port = port
        self.backlog = backlog
        self.size = size
        self.ready = []
        self.changed = lambda: None

    def accept(self):
        """A Connection, or None."""
        while self.ready:
            connection = self.ready.pop(0)
            if connection.state != event.STATE_TCP_CLOSED or connection.readable():
                return connection
        return None

    def close(self):
        """Its port is free again; what it has not handed out ends."""
        self.tcp.listeners.pop(self.port, None)
        for connection in self.ready:
            connection.abort(0)


class Tcp:
    def __init__(self, stack):
        self.stack = stack
        self.table = {}  # (their address, their port, our port) as 8 bytes: Connection
        self.waiting = {}  # the same: (end of its TIME_WAIT, our sequence number, theirs, ends)
        self.listeners = {}
        self._answers = []
        self._second = self._challenges = 0
        self._turn = 0

    # -- for programs ------------------------------------------------------------------------------------------------

    def connect(self, address, port, size=BUFFER):
        """A Connection to `address`, four bytes, that begins. OSError when it cannot."""
        source, mtu = self.stack.towards(address)
        if len(self.table) >= CONNECTIONS_MAX:
            raise OSError(_ENOBUFS)
        own = self.stack.free_port(lambda port: [key for key in self.table if _port(key) == port] or self._bound(port))
        made = Connection((source, own, address, port), mtu - _HEADERS, size, self._isn())
        self.table[_key(made.ends)] = made
        return made

    def listen(self, port, backlog=2, size=BUFFER):
        """A Listener. OSError when the port has one."""
        if port in self.listeners:
            raise OSError(_EADDRINUSE)
        self.listeners[port] = made = Listener(self, port, backlog, size)
        return made

    def _bound(self, port):
        return port in self.listeners or [key for key in self.waiting if _port(key) == port]

    def _isn(self):
        return int.from_bytes(self.stack.random(4), "big")

    # -- packets in --------------------------------------------------------------------------------------------------

    def receive(self, packet, at, now):
        """Takes the packet whose segment begins at `at`. Returns 0, or the reason why it was not followed."""
        seg = segment.parse(packet, at)
        if seg is None:
            return reason.NET_PACKET
        key = bytes(packet[12:16]) + bytes(packet[at : at + 4])
        connection = self.table.get(key)
        if connection and connection.ends[0] != packet[16:20]:
            return reason.NET_NOBODY
        if connection is None and key in self.waiting and self._late(key, seg, now):
            return 0
        if connection is None:
            return self._first(packet, at, key, seg, now)
        before = connection.state
        why = connection.receive(seg, now, lambda: self._may_challenge(now))
        if why == reason.NET_NOBODY:
            self._refuse(packet, at, seg)
        self._settle(key, connection, before, now)
        return why

    def _settle(self, key, connection, before, now):
        """A connection has changed: it is handed to its listener, or leaves the table."""
        begun = before == event.STATE_TCP_SYN_RECEIVED and connection.state >= event.STATE_TCP_ESTABLISHED
        if begun and connection.listener:
            self._hand_over(connection)
        if connection.state == event.STATE_TCP_TIME_WAIT:
            if len(self.waiting) >= _WAITING_MAX:
                self.waiting.pop(min(self.waiting, key=lambda each: self.waiting[each][0]))
            self.waiting[key] = (now + _WAITING_MS, connection.top, connection.rcv, connection.ends)
            self.table.pop(key)
            self._acknowledge(self.waiting[key])
        elif connection.state == event.STATE_TCP_CLOSED:
            self.table.pop(key, None)
            if connection.reset:
                self._answer(connection.reset)

    def _hand_over(self, connection):
        listener = connection.listener
        if self.listeners.get(listener.port) is not listener or len(listener.ready) >= listener.backlog:
            connection.abort(0)
            return
        listener.ready.append(connection)
        listener.changed()

    def _first(self, packet, at, key, seg, now):
        """A segment of no connection: a SYN for a listener, or refused."""
        listener = self.listeners.get(packet[at + 2] << 8 | packet[at + 3])
        if not listener or seg.flags & (RST | SYN | ACK) != SYN:
            self._refuse(packet, at, seg)
            return reason.NET_NOBODY
        half_open = [each for each in self.table if self.table[each].state == event.STATE_TCP_SYN_RECEIVED]
        if len(half_open) >= HALF_OPEN_MAX:
            self.table.pop(min(half_open, key=lambda each: self.table[each].born))
        if len(self.table) >= CONNECTIONS_MAX:
            return reason.NET_FULL
        source, mtu = self.stack.towards(bytes(packet[12:16]))
        ends = (source, listener.port, bytes(packet[12:16]), packet[at] << 8 | packet[at + 1])
        made = Connection(ends, mtu - _HEADERS, listener.size, self._isn())
        made.listener, made.born, made.state = listener, now, event.STATE_TCP_SYN_RECEIVED
        made.peer(seg)
        self.table[key] = made
        return 0

    def _late(self, key, seg, now):
        """A segment for a connection in TIME_WAIT (section 3.10.7.4). False when it begins a new one."""
        row = self.waiting[key]
        fresh = 0 < (seg.seq - row[2]) & MASK < 1 << 31
        if seg.flags & (SYN | RST | ACK) == SYN and fresh:
            self.waiting.pop(key)
            return False
        if not seg.flags & RST and self._may_challenge(now):  # RFC 1337: a RST does not end it
            if seg.flags & FIN:
                self.waiting[key] = (now + _WAITING_MS,) + row[1:]
            self._acknowledge(row)
        return True

    def _acknowledge(self, row):
        self._answer(segment.seal(segment.build(row[3], row[1], row[2], ACK, 0)))

    def _refuse(self, packet, at, seg):
        packet = segment.reset_for(packet, at, seg)
        if packet:
            self._answer(packet)

    def _answer(self, packet):
        if len(self._answers) < _ANSWERS_MAX:
            self._answers.append(packet)

    def _may_challenge(self, now):
        if now // 1_000 != self._second:
            self._second, self._challenges = now // 1_000, 0
        self._challenges += 1
        return self._challenges <= _CHALLENGES_MAX

    # -- packets out, and time ---------------------------------------------------------------------------------------

    def next_packet(self, now):
        """The next packet to send, of each connection in turn; None when nothing is to be sent now."""
        if self._answers:
            return self._answers.pop(0)
        keys = list(self.table)
        for i in range(len(keys)):
            self._turn = (self._turn + 1) % len(keys)
            connection = self.table[keys[self._turn]]
            packet = connection.next_packet(now)
            if connection.state == event.STATE_TCP_CLOSED:
                self.table.pop(keys[self._turn])
            if packet:
                return packet
        return None

    def busy(self):
        """Whether a connection has not ended."""
        return bool(self.table)

    def tick(self, now):
        for key in list(self.table):
            self.table[key].tick(now)
        for key in list(self.waiting):
            if now >= self.waiting[key][0]:
                self.waiting.pop(key)

    def deadline(self):
        """When `tick` wants to be called, in ms; None when nothing is awaited. TIME_WAIT can wait."""
        due = [connection.deadline() for connection in self.table.values()]
        due = [at for at in due if at is not None]
        return min(due) if due else None


def _key(ends):
    return ends[2] + ends[3].to_bytes(2, "big") + ends[1].to_bytes(2, "big")


def _port(key):
    return key[6] << 8 | key[7]
