"""Safe mode: the console alone, on a board whose last boots all failed or whose strap pin says so.

No configuration is read and no network listened to, so whatever it was cannot happen here. After a quarter of an hour
without a command the board tries once more: nobody may be near to press a button.
"""

from uike import VERSION, event
from uike.trace import Trace
from uike.transient import drop, load

_QUIET_MS = 900_000


def run(board):
    """Until the board is restarted."""
    Safe(board).run()


class Safe:
    """As much of an Appliance as the console needs; there is no `endpoint`."""

    def __init__(self, board):
        self.board = board
        self.trace = Trace(board)
        self.session = self.endpoint = self.quit_at = None
        self.trace(event.GREETING, 0, ("uike %s on %s" % (VERSION, board.name)).encode())
        board.life.tell(self.trace)

    def run(self):
        heard_at = self.board.now()
        while self.board.running() and self.quit_at is None:
            now = self.board.now()
            line = self.board.console.read()
            if line:
                heard_at = now
                self._command(line)
            elif now - heard_at >= _QUIET_MS:
                self.board.life.retry()
            else:
                self.board.wait(heard_at + _QUIET_MS - now)

    def _command(self, line):
        try:
            load("uike.app.link").run(self, line)
        except AttributeError:
            self.trace(event.COMMAND_ERROR, 0, b"not in safe mode")
        except (ValueError, OSError, MemoryError) as error:
            self.trace(event.COMMAND_ERROR, 0, str(error).encode())
        drop()
