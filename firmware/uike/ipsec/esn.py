"""The anti-replay window of extended sequence numbers (RFC 4303 section 2.2.1, appendix A2). Made by `ipsec/sad`.

Only the lower half is sent. The upper one is guessed: of the numbers with that lower half, the one in the window or
next after it. A wrong guess fails the integrity check, for the cipher authenticates the guess.
"""

from uike.ipsec.replay import WINDOW, Window

_BYTES = 1 << 29  # of the ring, that one upper half passes through


class ExtendedWindow(Window):
    """A `Window` of lower halves. `guess` is the cipher's `high`: four bytes, which `check` fills in."""

    def __init__(self, guess):
        super().__init__()
        self.guess = guess
        self.high = bytearray(4)  # of the newest number
        self.turn = 0  # guess - high

    def check(self, sequence):
        """True when the number with this lower half is new: never seen, and not older than the window."""
        top = self.top
        if top >= WINDOW - 1:
            self.turn = 0 if sequence > top - WINDOW else 1
        else:
            self.turn = -1 if sequence - top > 0xFFFFFFFF - WINDOW + 1 else 0
        if not self._turn_guess():
            return False
        if self.turn > 0 or self.turn == 0 and sequence > top:
            return True
        if sequence == 0 and self.guess == b"\0\0\0\0":
            return False
        return not self.seen(sequence)

    def accept(self, sequence):
        """Marks the number as seen; the caller has checked it."""
        if self.turn > 0:
            self.advance(sequence, (sequence >> 3) + _BYTES - (self.top >> 3))
            self.high[:] = self.guess
        if self.turn < 0:
            self.ring[(sequence >> 3) % len(self.ring)] |= 1 << (sequence & 7)
        else:
            super().accept(sequence)

    def _turn_guess(self):
        """Sets the guess to `high` and `turn`; False when there is no such number."""
        guess, turn = self.guess, self.turn
        guess[:] = self.high
        end = 255 if turn > 0 else 0
        i = 3
        while turn and guess[i] == end:
            guess[i] = 255 - end
            if i == 0:
                return False
            i -= 1
        guess[i] += turn
        return True
