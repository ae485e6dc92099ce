"""The host's side of the link: commands to a board and their answers, over any stream of bytes.

The firmware's own file describes frames and order (`firmware/uike/app/link.py`). Here are the clock and the repeating:
a line without an answer is sent again, cut into smaller pieces the more of them get lost.
"""

import json
import secrets
import time

from uike.app import link

TRIES = 40
TRY_S = 0.5  # until a line is sent again; a board in the middle of a handshake takes as long, or longer
TRY_MAX_S = 2.0
HELLO_TRIES = 6
PIECE_MIN = 12  # bytes
LINE_MAX = 4096  # bytes of a line that a board prints; what is longer is noise
_MESSAGES = 256


class LinkError(Exception):
    """There is no working link; the text says what to try."""


class NoAnswer(LinkError):
    """Nothing came back, or nothing that was meant for us."""


class Restarted(LinkError):
    """The board has started anew, or another program has spoken to it."""


class CommandError(Exception):
    """The board refused a command. `answer` is what it said: "error", and perhaps "reason" and "wait" (ms)."""

    def __init__(self, answer: dict):
        super().__init__(answer.get("error", ""))
        self.answer = answer


class Lines:
    """Cuts a stream into lines, and keeps the rest."""

    def __init__(self):
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self._rest = self._rest[-LINE_MAX:]
        return [line for line in lines if line]


class Link:
    """`port` has write(bytes) and read(timeout_s) -> bytes, empty when nothing came. `on_line` hears of every line that
    is none of the link's: the trace, boot messages, stray prints. `hello` before the first request."""

    def __init__(self, port, on_line=lambda line: None, *, clock=time.monotonic, draw=secrets.randbelow, tries=TRIES):
        self._port = port
        self._on_line = on_line
        self._clock = clock
        self._draw = draw
        self._tries = tries
        self._lines = Lines()
        self._waiting: list[bytes] = []
        self._session = 0
        self._number = 0
        self._piece = link.DATA_MAX
        self.greeting = ""
        self.request_max = link.REQUEST_MAX

    def hello(self, tries: int = HELLO_TRIES) -> str:
        """Begins a session; returns the board's greeting. NoAnswer, or LinkError when it speaks another version."""
        self._session, self._number = 1 + self._draw(0xFFFF), 0
        frame = link.pack(link.HELLO, self._session, link.PROTOCOL, 0)
        kind, _, version, self.request_max, greeting = self._ask(lambda: frame, lambda got: got[0] == link.HELLO, tries)
        if version != link.PROTOCOL:
            raise LinkError(f"the board speaks version {version} of the link, this tool version {link.PROTOCOL}")
        self.greeting = greeting.decode("utf-8", "replace")
        return self.greeting

    def request(self, command: dict, body: bytes = b"") -> dict:
        """The board's answer. CommandError when it refuses; NoAnswer; Restarted when it lost the session, and may have
        done the command or not."""
        message = json.dumps(command).encode() + b"\n" + body
        if len(message) > self.request_max:
            raise LinkError(f"{len(message)} bytes are too many: the board takes {self.request_max} at a time")
        self._number = (self._number + 1) % _MESSAGES
        self._send(message)
        answer = json.loads(self._pull())
        if "error" in answer:
            raise CommandError(answer)
        return answer

    def close(self) -> None:
        """Ends the session, if the board still listens."""
        if self._session:
            frame = link.pack(link.CLOSE, self._session, 0, 0)
            try:
                self._ask(lambda: frame, lambda got: got[0] == link.CLOSE, 3)
            except LinkError:
                pass  # it forgets the session with the next hello
            self._session = 0

    def listen(self, timeout_s: float) -> None:
        """Hand what the board prints to `on_line` for a while."""
        self._frame(self._clock() + timeout_s)

    def _send(self, message: bytes) -> None:
        wanted = len(message)
        while wanted:

            def frame(wanted=wanted):
                at = len(message) - wanted
                piece = message[at : at + self._piece]
                return link.pack(link.SEND, self._session, self._number, wanted - len(piece), piece)

            def news(got, wanted=wanted):
                return got[0] == link.SEND and got[2] == self._number and got[3] < wanted

            wanted = self._ask(frame, news)[3]

    def _pull(self) -> bytes:
        answer, total = b"", None
        while total is None or len(answer) < total:
            at = len(answer)

            def frame(at=at):
                return link.pack(link.PULL, self._session, self._number, at, bytes((self._piece,)))

            def news(got, at=at, total=total):
                _, _, number, left, data = got
                return got[0] == link.PULL and number == self._number and total in (None, at + len(data) + left)

            _, _, _, left, data = self._ask(frame, news)
            total = len(answer) + len(data) + left
            answer += data
        return answer

    def _ask(self, frame, is_answer, tries: int | None = None):
        """Sends `frame()` until a frame comes that `is_answer` takes."""
        tries = tries or self._tries
        for attempt in range(tries):
            self._port.write(frame() + b"\n")
            until = self._clock() + min(TRY_S * (1 + attempt / 4), TRY_MAX_S)
            got = self._frame(until)
            while got:
                if got[1] == self._session and got[0] == link.LOST:
                    raise Restarted("the board lost the session (it has started anew, or had no memory): try again")
                if got[1] == self._session and is_answer(got):
                    self._piece = min(link.DATA_MAX, self._piece + 1 + self._piece // 8)
                    return got
                got = self._frame(until)
            self._piece = max(PIECE_MIN, self._piece * 2 // 3)
        raise NoAnswer(f"no answer to {tries} lines")

    def _frame(self, until: float):
        """The next frame that comes before then, or None."""
        while True:
            while self._waiting:
                line = self._waiting.pop(0)
                got = link.unpack(line)
                if got and got[0] & link.ANSWER:
                    return got[0] & ~link.ANSWER, *got[1:]
                if got is None and not line.startswith(b"@"):
                    self._on_line(line)
            left = until - self._clock()
            if left <= 0:
                return None
            self._waiting += self._lines.feed(self._port.read(left))
