"""How much of what is written may be under way (RFC 5681, RFC 6582; RFC 5827). For `uike.net.tcp`. Bytes."""

_INITIAL = 3  # segments (RFC 5681 section 3.1, of more than 1095 bytes)
_DUPLICATES = 3
_MOST = 65_535


class Flow:
    def __init__(self, mss):
        self.mss = mss
        self.window = _INITIAL * mss
        self.threshold = _MOST
        self.duplicates = 0
        self.recover = None  # what was sent when a loss was seen; None when all is well

    def duplicate(self, flight, top):
        """An acknowledgment said nothing new. Returns whether the oldest segment is to be sent again.

        With little under way there are few of them to wait for (RFC 5827 section 3.1)."""
        self.duplicates += 1
        segments = (flight + self.mss - 1) // self.mss
        if self.recover is not None or self.duplicates < min(_DUPLICATES, max(1, segments - 1)):
            return False
        self._halve(flight)
        self.window = self.threshold + self.duplicates * self.mss
        self.recover = top
        return True

    def advance(self, acked, una, top):
        """Bytes have arrived, up to `una`. Returns whether there is one more gap behind them."""
        self.duplicates = 0
        if self.recover is not None:
            if (una - self.recover) & 0xFFFFFFFF >= 1 << 31:
                self.window = max(self.mss, self.window - acked + self.mss)
                return True
            self.window = self.threshold
            self.recover = None
        elif self.window < self.threshold:
            self.window += min(acked, self.mss)
        else:
            self.window += max(1, self.mss * self.mss // self.window)
        self.window = min(self.window, _MOST)
        return False

    def timeout(self, flight, first):
        """The timer has expired; `first` for the first time."""
        if first:
            self._halve(flight)
        self.window = self.mss
        self.duplicates = 0
        self.recover = None

    def _halve(self, flight):
        self.threshold = max(flight // 2, 2 * self.mss)
