"""One TCP connection (RFC 9293 section 3.10; RFC 5961): segments and time in, segments out. For `uike.net.connections`.

A peer's segment changes what is wanted; `next_packet` makes what is wanted when the tunnel can take it, so that nothing
queues but the two buffers. Data that comes early waits in the receive buffer behind the gap.

      CLOSED --connect--> SYN_SENT --SYN,ACK--> ESTABLISHED --close--> FIN_WAIT_1 -> FIN_WAIT_2 or CLOSING -> TIME_WAIT
      (a SYN for a listener) --> SYN_RECEIVED --^    |--FIN--> CLOSE_WAIT --close--> LAST_ACK -> CLOSED

TIME_WAIT is a row in the table of `uike.net.connections`, and no connection any more.
What goes out is `uike.net.sending`.
"""

from uike import event, reason
from uike.net import segment
from uike.net.buffer import Buffer
from uike.net.flow import Flow
from uike.net.segment import ACK, FIN, MASK, RST, SYN
from uike.net.sending import Sending

_ACK_MS = 100  # an acknowledgment waits so long for data to go with it, or for a second segment
_EARLY_MAX = 4  # pieces behind gaps
_BY_CLOSE = 0
_BY_FIN = 1
_BY_ACK = 2
_MOVES = {  # (state, what happens): next state
    (event.STATE_TCP_ESTABLISHED, _BY_CLOSE): event.STATE_TCP_FIN_WAIT_1,
    (event.STATE_TCP_CLOSE_WAIT, _BY_CLOSE): event.STATE_TCP_LAST_ACK,
    (event.STATE_TCP_ESTABLISHED, _BY_FIN): event.STATE_TCP_CLOSE_WAIT,
    (event.STATE_TCP_FIN_WAIT_1, _BY_FIN): event.STATE_TCP_CLOSING,
    (event.STATE_TCP_FIN_WAIT_2, _BY_FIN): event.STATE_TCP_TIME_WAIT,
    (event.STATE_TCP_FIN_WAIT_1, _BY_ACK): event.STATE_TCP_FIN_WAIT_2,
    (event.STATE_TCP_CLOSING, _BY_ACK): event.STATE_TCP_TIME_WAIT,
    (event.STATE_TCP_LAST_ACK, _BY_ACK): event.STATE_TCP_CLOSED,
}


class Connection(Sending):
    """`state` is one of event.STATE_TCP_...; when it is CLOSED, `why` is the reason, 0 for an orderly end.

    Made by `Tcp.connect`, or by a SYN. `changed` is called whenever a program may have something to read, to write or
    to learn. Everything else is for the stack."""

    listener = None  # the one whose port the SYN was for
    born = 0  # when that came
    reset = None  # the RST to send
    orphan = False  # nobody reads any more

    def __init__(self, ends, mss, size, iss):
        """ends: (our address, our port, theirs, theirs); size: bytes of each buffer."""
        super().__init__(ends, mss, size, iss)
        self.state = event.STATE_TCP_SYN_SENT
        self.rcv = self.edge = 0  # next to come, and end of the window that the peer knows
        self.early = []  # (first, end) of what is behind a gap, sequence numbers, in order
        self.into = None
        self.changed = lambda: None

    # -- for programs ------------------------------------------------------------------------------------------------

    def readable(self):
        """Bytes that `read` has now."""
        return self.into.size if self.into else 0

    def ended(self):
        """Whether there is nothing more to come than what is readable."""
        return self.state >= event.STATE_TCP_CLOSE_WAIT or self.state == event.STATE_TCP_CLOSED

    def read(self, most):
        """Up to `most` bytes; none when nothing is there yet, or ever."""
        data = self.into.read(most) if self.into else b""
        if data and self.opens():
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
        if self.state in (event.STATE_TCP_SYN_SENT, event.STATE_TCP_SYN_RECEIVED):
            self.end(0)
        elif not self.finished and self.state in (event.STATE_TCP_ESTABLISHED, event.STATE_TCP_CLOSE_WAIT):
            self.finished = True
            self.state = _MOVES[self.state, _BY_CLOSE]

    def close(self):
        """The same, and nobody reads any more: what comes, or is unread, ends it with a RST (RFC 1122, 4.2.2.13)."""
        if self.readable():
            self.abort(0)
        self.finish()
        self.orphan = True

    def abort(self, why):
        """Ends it at once, with a RST."""
        if self.state not in (event.STATE_TCP_CLOSED, event.STATE_TCP_TIME_WAIT, event.STATE_TCP_SYN_SENT):
            self.reset = segment.seal(segment.build(self.ends, self.top, self.rcv, RST | ACK, 0))
        self.end(why)

    # -- segments in -------------------------------------------------------------------------------------------------

    def receive(self, seg, now, challenge):
        """Takes a segment. Returns 0, or the reason why it was not followed; challenge() says whether an answer to a
        suspect one may be sent (RFC 5961 section 7)."""
        if self.state == event.STATE_TCP_SYN_SENT:
            return self._answered(seg, now)
        if not self._acceptable(seg):
            again = self.state == event.STATE_TCP_SYN_RECEIVED and seg.flags & SYN
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
        if self.state == event.STATE_TCP_SYN_RECEIVED and not self._completed(seg, now):
            return reason.NET_NOBODY
        if (self.top - seg.ack) & MASK > ((self.top - self.una) & MASK) + self.window_max:  # section 5 of RFC 5961
            if challenge():
                self.ack_at = 0
            return reason.TCP_CHALLENGED
        self.acknowledged(seg, now)
        if self.state in (event.STATE_TCP_CLOSED, event.STATE_TCP_TIME_WAIT):
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
            self.state = event.STATE_TCP_SYN_RECEIVED
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
        self.see_window(seg)
        self.out, self.into = Buffer(self.size), Buffer(self.size)
        self.state = event.STATE_TCP_ESTABLISHED
        self.changed()

    def _acceptable(self, seg):
        """Section 3.10.7.4, table 6: some of it is in the window that we have told."""
        window = (self.edge - self.rcv) & MASK
        length = seg.length()
        first = (seg.seq - self.rcv) & MASK
        if not length:
            return first < window or not first
        return window > 0 and (first < window or (seg.seq + length - 1 - self.rcv) & MASK < window)

    def _data(self, seg, now):
        """The seventh and eighth step of section 3.10.7.4: data, and the peer's FIN."""
        if not seg.length() or not event.STATE_TCP_ESTABLISHED <= self.state <= event.STATE_TCP_FIN_WAIT_2:
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
            self._move(_BY_FIN)
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

    def fin_acknowledged(self):
        """Our FIN has arrived."""
        self._move(_BY_ACK)

    def _move(self, what):
        state = _MOVES.get((self.state, what), self.state)
        if state in (event.STATE_TCP_CLOSED, event.STATE_TCP_TIME_WAIT):
            self.end(0, state)
        self.state = state

    def end(self, why, state=event.STATE_TCP_CLOSED):
        """No connection any more; what was received can still be read."""
        self.state, self.why = state, why
        self.over = True
        self.timer_at = self.out = None
        self.finished = True
        if state == event.STATE_TCP_CLOSED:
            self.ack_at = None
        if why:
            self.into = None
        self.changed()
