"""The trace: numeric events as lines on the console. Texts are the host's business (`host_tools/debug.py`)."""

import struct
from binascii import b2a_base64

from uike import event


class Trace:
    """Callable (event code, SA number, body): writes `#` and the base64 of a record, see `uike.event`."""

    def __init__(self, board):
        self.board = board

    def __call__(self, code, sa, body):
        head = struct.pack(">BHI", code, sa, self.board.now() & 0xFFFFFFFF)
        self.board.console.write(b"#" + b2a_base64(head + body, newline=False))

    def heap(self):
        """Traces the heap in use and free, where there is such a thing."""
        heap = self.board.heap()
        if heap:
            self(event.HEAP, 0, struct.pack(">II", heap[0], heap[1]))
