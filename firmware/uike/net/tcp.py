"""One TCP connection (RFC 9293 section 3.10; RFC 5961): segments and time in, segments out. For `uike.net.connections`.

A peer's segment changes what is wanted; `next_packet` makes what is wanted when the tunnel can take it, so that nothing
queues but the two buffers. Data that comes early waits in the receive buffer behind the gap.

      CLOSED --connect--> SYN_SENT --SYN,ACK--> ESTABLISHED --close--> FIN_WAIT_1 -> FIN_WAIT_2 or CLOSING -> CLOSED
      (a SYN for a listener) --> SYN_RECEIVED --^    |--FIN--> CLOSE_WAIT --close--> LAST_ACK -> CLOSED

TIME_WAIT is a row in the table of `uike.net.connections`, and no connection any more.
"""

from uike import reason
from uike.net import segment
from uike.net.buffer import Buffer
from uike.net.flow import Flow
from uike.net.rto import Rto
from uike.net.segment import ACK, FIN, MASK, PSH, RST, SYN

CLOSED = 0
SYN_SENT = 1
SYN_RECEIVED = 2
ESTABLISHED = 3
FIN_WAIT_1 = 4
FIN_WAIT_2 = 5
CLOSE_WAIT = 6
CLOSING = 7
LAST_ACK = 8
TIME_WAIT = 9

_CLOSE, _FIN, _FIN_ACKED = 0, 1, 2
_MOVES = {  # (state, what happens): next state
    (ESTABLISHED, _CLOSE): FIN_WAIT_1,
    (CLOSE_WAIT, _CLOSE): LAST_ACK,
    (ESTABLISHED, _FIN): CLOSE_WAIT,
    (FIN_WAIT_1, _FIN): CLOSING,
    (FIN_WAIT_2, _FIN): TIME_WAIT,
    (FIN_WAIT_1, _FIN_ACKED): FIN_WAIT_2,
    (CLOSING, _FIN_ACKED): TIME_WAIT,
    (LAST_ACK, _FIN_ACKED): CLOSED,
}
_ACK_MS = 100  # an acknowledgment waits so long for data to go with it, or for a second segment
_FIN_WAIT_MS = 60_000  # nobody reads any more, and the peer does not end
_TRIES = {SYN_SENT: 5, SYN_RECEIVED: 3}  # retransmissions; of any other state:
_TRIES_MAX = 8
_EARLY_MAX = 4  # pieces behind gaps
_SMALLEST = 536  # bytes of a segment, when longer ones seem to vanish on the way:
_SHRINK_AT = 3  # at that retransmission


class Connection:
    """`state` is one of the above; when it is CLOSED, `why` is the reason, 0 for an orderly end.

    Made by `Tcp.connect`, or by a SYN. `changed` is called whenever a program may have something to read, to write or
    to learn. Everything else is for the stack."""

    listener = None  # the one whose port the SYN was for
    born = 0  # when that came
    over = False  # there is nothing to send on any more
    why = 0
    reset = None  # the RST to send
    ack_at = None  # when an acknowledgment is due at the latest
    timer_at = None
    tries = 0  # retransmissions of the same
    resend = False  # the oldest segment, at once
    probe = False  # one byte into a closed window
    timed = None  # (sequence number, time) of the segment whose round trip is taken
    finished = False  # we send no more, after what is in the buffer
    orphan = False  # and read no more
    wl1 = wl2 = 0
    window = window_max = 0  # of the peer

    def __init__(self, ends, mss, size, iss):
        """ends: (our address, our port, theirs, theirs); size: bytes of each buffer."""
        self.ends = ends
        self.mss_ours = mss
        self.mss = mss
        self.size = size
        self.state = SYN_SENT
        self.una = self.nxt = self.top = iss  # oldest unacknowledged, next to send, highest sent
        self.rcv = self.edge = 0  # next to come, and end of the window that the peer knows
        self.early = []  # (first, end) of what is behind a gap, sequence numbers, in order
        self.out = self.into = None
        self.rto = Rto()
        self.flow = Flow(mss)
        self.changed = lambda: None

    # -- for programs ------------------------------------------------------------------------------------------------

    def readable(self):
        """Bytes that `read` has now."""
        return self.into.size if self.into else 0

    def ended(self):
        """Whether there is nothing more to come than what is readable."""
        return self.state in (CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT, CLOSED)

    def read(self, most):
        """Up to `most` bytes; none when nothing is there yet, or ever."""
        data = self.into.read(most) if self.into else b""
        if data and self._opens():
            self.ack_at = 0  # the window opens by something worth telling (RFC 9293 section 3.8.6.2.2)
        return data

    def writable(self):
        """Bytes that `write` takes now."""
        return self.out.room() if self.out and not self.finished else 0

    def write(self, data):
        """Takes as much as there is room for; returns how much that was."""
        return self.out.write(data) if self.writable() else 0

    def finish(self):
        """What is written goes out, then our FIN; the peer may go on."""
        if self.state in (SYN_SENT, SYN_RECEIVED):
            self.end(0)
        elif not self.finished and self.state in (ESTABLISHED, CLOSE_WAIT):
            self.finished = True
            self.state = _MOVES[self.state, _CLOSE]

    def close(self):
        """The same, and nobody reads any more: what comes, or is unread, ends it with a RST (RFC 1122, 4.2.2.13)."""
        if self.readable():
            self.abort(0)
        self.finish()
        self.orphan = True

    def abort(self, why):
        """Ends it at once, with a RST."""
        if self.state not in (CLOSED, TIME_WAIT, SYN_SENT):
            self.reset = segment.seal(segment.build(self.ends, self.top, self.rcv, RST | ACK, 0))
        self.end(why)

    # -- segments in -------------------------------------------------------------------------------------------------

    def receive(self, seg, now, challenge):
        """Takes a segment. Returns 0, or the reason why it was not followed; challenge() says whether an answer to a
        suspect one may be sent (RFC 5961 section 7)."""
        if self.state == SYN_SENT:
            return self._answered(seg, now)
        if not self._acceptable(seg):
            again = self.state == SYN_RECEIVED and seg.flags & SYN
            self.resend = self.resend or bool(again)
            if not seg.flags & RST and not again and (seg.data or seg.flags & FIN or challenge()):
                self.ack_at = 0
            return reason.TCP_SEQUENCE
        if seg.flags & (RST | SYN):
            if seg.flags & RST and seg.seq == self.rcv:
                self.end(reason.TCP_RESET)
                return 0
            if challenge():
                self.ack_at = 0
            return reason.TCP_CHALLENGED
        if not seg.flags & ACK:
            return reason.TCP_SEQUENCE
        if self.state == SYN_RECEIVED and not self._completed(seg, now):
            return reason.NET_NOBODY
        if (self.top - seg.ack) & MASK > ((self.top - self.una) & MASK) + self.window_max:  # section 5 of RFC 5961
            if challenge():
                self.ack_at = 0
            return reason.TCP_CHALLENGED
        self._acknowledged(seg, now)
        if self.state in (CLOSED, TIME_WAIT):
            return 0
        return self._data(seg, now)

    def _answered(self, seg, now):
        """A segment in the state SYN_SENT (section 3.10.7.3)."""
        if seg.flags & ACK and (seg.ack != self.top or self.top == self.una):
            return reason.NET_NOBODY
        if seg.flags & RST:
            if seg.flags & ACK:
                self.end(reason.TCP_RESET)
            return 0
        if not seg.flags & SYN:
            return reason.TCP_SEQUENCE
        self.peer(seg)
        if not seg.flags & ACK:  # both began at once: our SYN again, as its acknowledgment
            self.state = SYN_RECEIVED
            self.nxt = self.una
            return 0
        if self.timed:
            self.rto.sample(now - self.timed[1])
        self._established(seg, now)
        self.ack_at = 0
        return 0

    def peer(self, seg):
        """What the peer's SYN says."""
        self.rcv = (seg.seq + 1) & MASK
        self.edge = (self.rcv + self.size) & MASK
        self.mss = min(self.mss, seg.mss)
        self.flow = Flow(self.mss)

    def _completed(self, seg, now):
        """The third segment of the handshake."""
        if seg.ack != self.top or self.top == self.una:
            return False
        self._established(seg, now)
        return True

    def _established(self, seg, now):
        if self.tries:
            self.rto.ms = 3_000  # RFC 6298 section 5.7
        self.tries = 0
        self.timed = self.timer_at = None
        self.una = self.nxt = self.top
        self._see_window(seg)
        self.out, self.into = Buffer(self.size), Buffer(self.size)
        self.state = ESTABLISHED
        self.changed()

    def _acceptable(self, seg):
        """Section 3.10.7.4, table 6: some of it is in the window that we have told."""
        window = (self.edge - self.rcv) & MASK
        length = seg.length()
        first = (seg.seq - self.rcv) & MASK
        if not length:
            return first < window or not first
        return window > 0 and (first < window or (seg.seq + length - 1 - self.rcv) & MASK < window)

    def _see_window(self, seg):
        self.wl1, self.wl2 = seg.seq, seg.ack
        self.window = seg.window
        self.window_max = max(self.window_max, seg.window)

    def _acknowledged(self, seg, now):
        flight = (self.top - self.una) & MASK
        acked = (seg.ack - self.una) & MASK
        if 0 < acked <= flight:
            self._advance(acked, now)
        elif not acked and flight and self.window and not seg.length() and seg.window == self.window:
            if self.flow.duplicate(flight, self.top):
                self.resend = True
                self.timed = None
        newer = (seg.seq - self.wl1) & MASK
        if acked <= flight and (0 < newer < 1 << 31 or not newer and (seg.ack - self.wl2) & MASK < 1 << 31):
            opened = not self.window
            self._see_window(seg)
            if not self.window:
                self.tries = 0  # it is there, and has no room
            elif opened:
                self.probe, self.nxt, self.timer_at = False, self.una, None

    def _advance(self, acked, now):
        """So many of our bytes have arrived."""
        if self.timed and (self.una + acked - self.timed[0]) & MASK < 1 << 31:
            self.rto.sample(now - self.timed[1])
            self.timed = None
        data = min(acked, self.out.size)
        fin = acked > self.out.size
        self.out.drop(data)
        self.una = (self.una + acked) & MASK
        if (self.nxt - self.una) & MASK >= 1 << 31:
            self.nxt = self.una
        self.resend = self.flow.advance(acked, self.una, self.top)
        self.tries, self.probe = 0, False
        self.timer_at = None if self.una == self.top else now + self.rto.ms
        if fin:
            self._move(_FIN_ACKED)
        self.changed()

    def _data(self, seg, now):
        """The seventh and eighth step of section 3.10.7.4: data, and the peer's FIN."""
        if not seg.length() or self.state not in (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2):
            return 0
        if self.orphan and seg.data:
            self.abort(0)
            return 0
        late = (self.rcv - seg.seq) & MASK
        late = late if late < 1 << 31 else 0  # bytes of it that we have
        first = (seg.seq + late - self.rcv) & MASK
        room = (self.edge - self.rcv) & MASK
        data = seg.data[late : late + max(0, room - first)]
        fin = seg.flags & FIN and late + len(data) == len(seg.data) and first + len(data) < room
        if first:
            self.ack_at = 0  # at once, so that the peer sees the gap (RFC 5681 section 4.2)
            self._keep_early(first, data)  # a FIN behind a gap comes again
            return 0
        if data:
            self.into.lay(self.into.size, data)
        gap = bool(self.early)
        self._fill(len(data))
        if fin and not self.early:
            self.rcv = (self.rcv + 1) & MASK
            self._move(_FIN)
        at_once = gap or fin or late or self.ack_at is not None  # every second segment, and what closes a gap
        self.ack_at = 0 if at_once else now + _ACK_MS
        self.changed()
        return 0

    def _keep_early(self, first, data):
        """Lays data behind a gap of `first` bytes, if its place in the list can be remembered."""
        if not data:
            return
        begin, end = self.rcv + first, self.rcv + first + len(data)
        pieces = []
        for low, high in self.early:  # joins those that it touches
            if high < begin or low > end:
                pieces.append((low, high))
            else:
                begin, end = min(begin, low), max(end, high)
        if len(pieces) < _EARLY_MAX:
            self.into.lay(self.into.size + first, data)
            pieces.append((begin, end))
            self.early = sorted(pieces)

    def _fill(self, count):
        """`count` more bytes are in order, and what was waiting behind them."""
        end = self.rcv + count
        while self.early and self.early[0][0] <= end:
            end = max(end, self.early.pop(0)[1])
        self.into.size += end - self.rcv
        if end > MASK:
            self.early = [(low - MASK - 1, high - MASK - 1) for low, high in self.early]
        self.rcv = end & MASK

    def _move(self, what):
        state = _MOVES.get((self.state, what), self.state)
        if state in (CLOSED, TIME_WAIT):
            self.end(0, state)
        self.state = state

    # -- segments out ------------------------------------------------------------------------------------------------

    def next_packet(self, now):
        """The next packet to send; None when nothing is to be sent now."""
        if self.reset:
            packet, self.reset = self.reset, None
            return packet
        if self.state in (SYN_SENT, SYN_RECEIVED):
            return self._syn(now)
        packet = self._piece(now) if self.out and self.state != FIN_WAIT_2 else None
        if packet is None and self.ack_at is not None and now >= self.ack_at:
            packet = segment.seal(self._make(self.top, ACK, 0))
        return packet

    def _syn(self, now):
        if self.nxt != self.una and not self.resend:
            return None
        self.timed = None if self.tries or self.resend else (self.una, now)
        self.resend = False
        self.nxt = self.top = (self.una + 1) & MASK
        self.timer_at = now + self.rto.ms
        flags = SYN if self.state == SYN_SENT else SYN | ACK
        return segment.seal(segment.build(self.ends, self.una, self.rcv, flags, self.size, 0, self.mss_ours))

    def _piece(self, now):
        """Data or our FIN, if there is any that may go (sections 3.7.4 and 3.8.6.2.1)."""
        again = self.resend or self.probe
        at = 0 if again else (self.nxt - self.una) & MASK
        left = self.out.size - at
        if left < 0 or not left and not self.finished:
            self.resend = self.probe = False
            return None
        count = max(0, min(left, self.mss, min(self.window, self.flow.window) - at))
        if again:
            count = max(count, min(left, 1 if self.probe and not self.window else self.mss))
        last = count == left
        fin = FIN if self.finished and last else 0
        if not fin and not again and not self._worth_it(count, last, at):
            if not at and self.timer_at is None:
                self.timer_at = now + self.rto.ms  # the window may never open again by itself
            return None
        packet = self._make(self.una + at, ACK | fin | (PSH if last and count else 0), count)
        self.out.copy(at, count, packet, len(packet) - count)
        self._sent((self.una + at + count + fin) & MASK, again, now)
        return segment.seal(packet)

    def _worth_it(self, count, last, at):
        """A segment is full, or the last of what there is with nothing under way, or big for this peer."""
        return count and (count == self.mss or last and (not at or self.finished) or 2 * count >= self.window_max)

    def _sent(self, end, again, now):
        self.resend = self.probe = False
        if (end - self.nxt) & MASK < 1 << 31:
            self.nxt = end
        if 0 < (end - self.top) & MASK < 1 << 31:
            self.top = end
            if self.timed is None and not self.tries:
                self.timed = (end, now)
        if again or self.timer_at is None:
            self.timer_at = now + self.rto.ms

    def _make(self, seq, flags, count):
        """A segment with room for `count` bytes. It tells the window, and acknowledges what has come."""
        self.ack_at = None
        if self.into and self._opens():
            self.edge = (self.rcv + self.into.room()) & MASK
        return segment.build(self.ends, seq, self.rcv, flags, (self.edge - self.rcv) & MASK, count)

    def _opens(self):
        """Whether the window can be opened by something worth telling, and is."""
        return self.into.room() - ((self.edge - self.rcv) & MASK) >= min(self.mss, self.size // 2)

    # -- time --------------------------------------------------------------------------------------------------------

    def deadline(self):
        """When `tick` or `next_packet` wants to be called, in ms; None when nothing is awaited."""
        if self.timer_at is None or self.ack_at is None:
            return self.timer_at if self.ack_at is None else self.ack_at
        return min(self.timer_at, self.ack_at)

    def tick(self, now):
        """What is not acknowledged goes out again, until it has been too often."""
        if self.timer_at is None and self.orphan and self.state == FIN_WAIT_2:
            self.timer_at = now + _FIN_WAIT_MS
        if self.timer_at is None or now < self.timer_at:
            return
        if self.state == FIN_WAIT_2:
            self.abort(0)
            return
        self.tries += 1
        if self.tries > _TRIES.get(self.state, _TRIES_MAX):
            self.abort(reason.TCP_TIMEOUT)
            return
        if self.window:
            if self.tries == _SHRINK_AT:
                self.mss = self.flow.mss = min(self.mss, _SMALLEST)
            self.flow.timeout((self.top - self.una) & MASK, self.tries == 1)
        self.rto.back_off()
        self.nxt, self.probe = self.una, True
        self.timer_at = self.timed = None

    def end(self, why, state=CLOSED):
        """No connection any more; what was received can still be read."""
        self.state, self.why = state, why
        self.over = True
        self.timer_at = self.out = None
        self.finished = True
        if state == CLOSED:
            self.ack_at = None
        if why:
            self.into = None
        self.changed()
