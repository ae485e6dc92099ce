"""The console of the board: the UART or USB that its prompt has. Boot messages and stray prints may come in between.

The system's buffer holds 260 bytes and has no flow control on a UART, so all that is there is read at once.
"""

import select
import sys

_LINE_MAX = 1024  # bytes; what is longer is no command
_TURN = 512  # bytes read in one go


class Console:
    def __init__(self):
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._line = bytearray()
        self.heard = False  # a line came in since power-on

    def read(self):
        """The next line, without its end, or None."""
        for _ in range(_TURN):
            if not self._poll.poll(0):
                return None
            c = sys.stdin.buffer.read(1)
            if c == b"\n" or c == b"\r":
                line, self._line = bytes(self._line), bytearray()
                if line and len(line) <= _LINE_MAX:
                    self.heard = True
                    return line
            elif len(self._line) <= _LINE_MAX:
                self._line.extend(c)
        return None

    def write(self, line):
        """Write one line of bytes."""
        sys.stdout.buffer.write(line + b"\r\n")
