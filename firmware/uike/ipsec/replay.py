"""The anti-replay window of an inbound SA (RFC 4303 section 3.4.3, in the ring form of RFC 6479).

One bit a sequence number in a ring of 32 bytes. The byte that holds the newest number belongs to the window whole, so
248 numbers behind the newest are remembered, whatever its position in that byte.
"""

_RING = 32
WINDOW = (_RING - 1) * 8


class Window:
    """`check` before the packet is authenticated, `accept` after. Neither allocates."""

    def __init__(self):
        self.top = 0
        self.ring = bytearray(_RING)

    def check(self, sequence):
        """True when this number is new: never seen, and not older than the window."""
        if sequence > self.top:
            return True
        if sequence == 0 or sequence + WINDOW <= self.top:
            return False
        return not self.seen(sequence)

    def accept(self, sequence):
        """Marks a number as seen; the caller has checked it."""
        if sequence > self.top:
            self.advance(sequence, (sequence >> 3) - (self.top >> 3))
        self.ring[(sequence >> 3) % _RING] |= 1 << (sequence & 7)

    def advance(self, sequence, ahead):
        """Makes it the newest number; its byte is `ahead` bytes from the newest until now."""
        ring = self.ring
        for i in range(1, min(ahead, _RING) + 1):
            ring[((self.top >> 3) + i) % _RING] = 0
        self.top = sequence

    def seen(self, sequence):
        """Whether a number inside the window was accepted."""
        return self.ring[(sequence >> 3) % _RING] & 1 << (sequence & 7) != 0
