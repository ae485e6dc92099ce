"""The retransmission timer of TCP (RFC 6298), in milliseconds."""

_FIRST_MS = 1_000
_LEAST_MS = 1_000
_MOST_MS = 60_000
_CLOCK_MS = 10  # granularity of a board's clock between two turns of its loop


class Rto:
    """`ms` is the time-out to use now."""

    def __init__(self):
        self.smooth = 0  # SRTT, eight times: no fraction is lost
        self.variation = 0  # RTTVAR, four times
        self.ms = _FIRST_MS

    def sample(self, rtt_ms):
        """A segment that was sent once was acknowledged after this time (section 2)."""
        if not self.smooth:
            self.smooth = rtt_ms * 8
            self.variation = rtt_ms * 2
        else:
            error = rtt_ms - self.smooth // 8
            self.variation += abs(error) - self.variation // 4
            self.smooth += error
        self.ms = min(_MOST_MS, max(_LEAST_MS, self.smooth // 8 + max(_CLOCK_MS, self.variation)))

    def back_off(self):
        """The timer has expired (section 5.5)."""
        self.ms = min(_MOST_MS, self.ms * 2)
