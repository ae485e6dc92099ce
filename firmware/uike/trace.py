"""The trace: numeric events as lines on the console. Texts are the host's business (`host_tools/debug.py`)."""

import struct
from binascii import b2a_base64


class Trace:
    """Callable (event code, SA number, body): writes `#` and the base64 of a record, see `uike.event`."""

    def __init__(self, board):
        self.board = board

    def __call__(self, code, sa, body):
        head = struct.pack(">BHI", code, sa, self.board.now() & 0xFFFFFFFF)
        self.board.console.write(b"#" + b2a_base64(head + body, newline=False))
