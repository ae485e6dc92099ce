"""One series of echo requests through the tunnel, and what became of each."""

import struct

from uike import event
from uike.net import icmp

_TIMEOUT_MS = 5_000


class Ping:
    """Sends `count` requests, one each `interval_ms`; traces a PING event for every one, answered or timed out."""

    def __init__(self, source, target, count, interval_ms, size, ident, now):
        self.source = source
        self.target = target
        self.left = count
        self.interval_ms = interval_ms
        self.size = size
        self.ident = ident
        self.sequence = 0
        self.next_at = now
        self.sent = []  # (sequence, time)

    def tick(self, appliance, now):
        """Sends what is due and gives up on what stays unanswered. Returns False when the series is over."""
        if self.left and now >= self.next_at:
            self.left -= 1
            self.sequence += 1
            self.next_at = now + self.interval_ms
            self.sent.append((self.sequence, now))
            appliance.endpoint.send_packet(
                icmp.request(self.source, self.target, self.ident, self.sequence, self.size), now
            )
        for sequence, at in list(self.sent):
            if now >= at + _TIMEOUT_MS:
                self._report(appliance, sequence, at, False, now)
        return bool(self.left or self.sent)

    def deadline(self):
        """When `tick` wants to be called."""
        due = [at + _TIMEOUT_MS for _, at in self.sent]
        if self.left:
            due.append(self.next_at)
        return min(due) if due else None

    def receive(self, appliance, packet, now):
        """Whether the inner packet answers one of ours."""
        number = icmp.answered(packet, self.ident)
        for sequence, at in list(self.sent):
            if sequence == number and packet[12:16] == self.target:
                self._report(appliance, sequence, at, True, now)
                return True
        return False

    def _report(self, appliance, sequence, at, answered, now):
        self.sent.remove((sequence, at))
        body = struct.pack(">HBI", sequence, answered, now - at) + self.target + struct.pack(">H", self.size)
        appliance.trace(event.PING, 0, body)
