"""The sending half of a TCP connection (RFC 9293 sections 3.7 and 3.8, RFC 6298): what goes out, again, and how much.

The base of `uike.net.tcp.Connection`, which is the receiving half and has the states.
"""

from uike import event, reason
from uike.net import segment
from uike.net.flow import Flow
from uike.net.rto import Rto
from uike.net.segment import ACK, FIN, MASK, PSH, SYN

_FIN_WAIT_MS = 60_000  # nobody reads any more, and the peer does not end
_TRIES = {event.STATE_TCP_SYN_SENT: 5, event.STATE_TCP_SYN_RECEIVED: 3}  # retransmissions; of any other state:
_TRIES_MAX = 8
_SMALLEST = 536  # bytes of a segment, when longer ones seem to vanish on the way:
_SHRINK_AT = 3  # at that retransmission


class Sending:
    over = False  # there is nothing to send on any more
    why = 0  # the reason for that, 0 for an orderly end
    ack_at = None  # when an acknowledgment is due at the latest
    timer_at = None
    tries = 0  # retransmissions of the same
    resend = False  # the oldest segment, at once
    probe = False  # one byte into a closed window
    timed = None  # (sequence number, time) of the segment whose round trip is taken
    finished = False  # we send no more, after what is in the buffer
    wl1 = wl2 = 0
    window = window_max = 0  # of the peer

    def __init__(self, ends, mss, size, iss):
        self.ends = ends
        self.mss_ours = mss
        self.mss = mss
        self.size = size
        self.una = self.nxt = self.top = iss  # oldest unacknowledged, next to send, highest sent
        self.out = None
        self.rto = Rto()
        self.flow = Flow(mss)

    def next_packet(self, now):
        """The next packet to send; None when nothing is to be sent now."""
        if self.reset:
            packet, self.reset = self.reset, None
            return packet
        if self.state in (event.STATE_TCP_SYN_SENT, event.STATE_TCP_SYN_RECEIVED):
            return self._syn(now)
        packet = self._piece(now) if self.out and self.state != event.STATE_TCP_FIN_WAIT_2 else None
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
        flags = SYN if self.state == event.STATE_TCP_SYN_SENT else SYN | ACK
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
        self.out.peek(at, count, packet, len(packet) - count)
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
        if self.into and self.opens():
            self.edge = (self.rcv + self.into.room()) & MASK
        return segment.build(self.ends, seq, self.rcv, flags, (self.edge - self.rcv) & MASK, count)

    def opens(self):
        """Whether the window can be opened by something worth telling, and is."""
        return self.into.room() - ((self.edge - self.rcv) & MASK) >= min(self.mss, self.size // 2)

    def deadline(self):
        """When `tick` or `next_packet` wants to be called, in ms; None when nothing is awaited."""
        if self.timer_at is None or self.ack_at is None:
            return self.timer_at if self.ack_at is None else self.ack_at
        return min(self.timer_at, self.ack_at)

    def tick(self, now):
        """What is not acknowledged goes out again, until it has been too often."""
        if self.timer_at is None and self.orphan and self.state == event.STATE_TCP_FIN_WAIT_2:
            self.timer_at = now + _FIN_WAIT_MS
        if self.timer_at is None or now < self.timer_at:
            return
        if self.state == event.STATE_TCP_FIN_WAIT_2:
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

    def see_window(self, seg):
        self.wl1, self.wl2 = seg.seq, seg.ack
        self.window = seg.window
        self.window_max = max(self.window_max, seg.window)

    def acknowledged(self, seg, now):
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
            self.see_window(seg)
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
            self.fin_acknowledged()
        self.changed()
