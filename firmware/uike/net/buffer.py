"""A buffer of bytes, first in, first out; what comes early may be laid behind a gap. For TCP.

It takes memory in small blocks, when there is something in them: a heap in use for long has no room for large ones.
"""

_BLOCK = 256  # bytes


class Buffer:
    """`size` bytes are in it, `capacity` fit. Offsets count from the oldest byte."""

    def __init__(self, capacity):
        self.capacity = capacity
        self.size = 0
        self._blocks = []
        self._start = 0  # of the oldest byte in the first block

    def room(self):
        return self.capacity - self.size

    def lay(self, offset, data):
        """Puts `data` at an offset, in it or behind its end, where it fits; `size` stays. MemoryError leaves all as it
        was."""
        at = self._start + offset
        while len(self._blocks) * _BLOCK < at + len(data):
            self._blocks.append(bytearray(_BLOCK))
        done = 0
        while done < len(data):
            block, begin = self._blocks[at // _BLOCK], at % _BLOCK
            count = min(len(data) - done, _BLOCK - begin)
            block[begin : begin + count] = data[done : done + count]
            done += count
            at += count

    def write(self, data):
        """Takes as much of `data` as fits; returns how much that was."""
        count = min(len(data), self.room())
        if count:
            self.lay(self.size, memoryview(data)[:count])
            self.size += count
        return count

    def peek(self, offset, count, into, place):
        """Copies `count` bytes from an offset on to into[place:]."""
        at = self._start + offset
        end = place + count
        while place < end:
            block, begin = self._blocks[at // _BLOCK], at % _BLOCK
            count = min(end - place, _BLOCK - begin)
            into[place : place + count] = memoryview(block)[begin : begin + count]
            place += count
            at += count

    def drop(self, count):
        """Forgets the oldest bytes."""
        self._start += count
        self.size -= count
        whole = self._start // _BLOCK
        if whole:
            self._blocks = self._blocks[whole:]
            self._start -= whole * _BLOCK

    def read(self, most):
        """Takes up to `most` bytes out."""
        count = min(most, self.size)
        out = bytearray(count)
        self.peek(0, count, out, 0)
        self.drop(count)
        return bytes(out)
