"""A buffer of bytes of fixed size, first in, first out; what comes early may be laid behind a gap. For TCP."""


class Ring:
    """`size` bytes are in it, `len(data)` fit. Offsets count from the oldest byte."""

    def __init__(self, capacity):
        self.data = bytearray(capacity)
        self.start = 0
        self.size = 0

    def room(self):
        return len(self.data) - self.size

    def lay(self, offset, data):
        """Puts `data` at an offset, in it or behind its end, where it fits; `size` stays."""
        at = (self.start + offset) % len(self.data)
        first = min(len(data), len(self.data) - at)
        if first == len(data):
            self.data[at : at + first] = data
        else:
            self.data[at:] = data[:first]
            self.data[: len(data) - first] = data[first:]

    def write(self, data):
        """Takes as much of `data` as fits; returns how much that was."""
        count = min(len(data), self.room())
        if count:
            self.lay(self.size, data if count == len(data) else memoryview(data)[:count])
            self.size += count
        return count

    def copy(self, offset, count, into, at):
        """Copies `count` bytes from an offset on to into[at:]."""
        begin = (self.start + offset) % len(self.data)
        first = min(count, len(self.data) - begin)
        view = memoryview(self.data)
        into[at : at + first] = view[begin : begin + first]
        if count > first:
            into[at + first : at + count] = view[: count - first]

    def drop(self, count):
        """Forgets the oldest bytes."""
        self.start = (self.start + count) % len(self.data)
        self.size -= count

    def read(self, most):
        """Takes up to `most` bytes out."""
        count = min(most, self.size)
        out = bytearray(count)
        self.copy(0, count, out, 0)
        self.drop(count)
        return bytes(out)
