"""MicroPython's raw REPL over a serial port (docs/reference/repl.rst, "Raw mode" and "Raw-paste mode").

Raw-paste mode has flow control of its own, which a UART without handshake lines and a buffer of 260 bytes needs.
The link is anything with pyserial's `read`, `write` and `timeout`: a port, or a socket to an emulator.
"""

import struct
import time
from collections.abc import Callable, Mapping

_INTERRUPT, _RAW, _END, _PASTE = b"\x03", b"\x01", b"\x04", b"\x05A\x01"
_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
_MORE = 1  # the device is ready for another window of text
_POLL_S = 0.2
_CHUNK = 512  # bytes of a file sent at once: on the device it is a few times that while it is compiled


class ReplError(Exception):
    """The device does not answer as a MicroPython prompt does; the text says what came instead."""


class GuestError(Exception):
    """What ran on the device raised; the text is its traceback."""


class Repl:
    """A prompt in raw mode. Times are in seconds; `boot_s` is how long a device may take to come to its prompt."""

    def __init__(self, link, boot_s: float = 30):
        self.link = link
        self.boot_s = boot_s
        self.pending = b""
        link.timeout = _POLL_S

    def enter(self) -> None:
        """Interrupts whatever runs and enters raw mode. ReplError if there is no prompt."""
        end = time.monotonic() + self.boot_s
        while True:
            self._send(b"\r" + _INTERRUPT + _INTERRUPT + b"\r" + _RAW)
            try:
                self._until(_BANNER, 2)
                return self._settle()
            except ReplError:
                if time.monotonic() > end:
                    raise

    def soft_reset(self) -> None:
        """A fresh heap. `boot.py` runs, `main.py` does not (it is skipped in raw mode)."""
        self._send(_END)
        self._until(b"soft reboot\r\n", self.boot_s)
        self._until(_BANNER, self.boot_s)

    def run(self, source: str, on_line: Callable[[str], None], silence_s: float = 60) -> None:
        """Runs a program; every line that it prints goes to `on_line` at once. GuestError if it raises.

        `silence_s` is the longest time without any output before ReplError.
        """
        self._paste(source.encode())
        self._lines(on_line, silence_s)
        error = self._until(_END, silence_s)[:-1]
        self._until(b">", 5)
        if error:
            raise GuestError(error.decode("utf-8", "replace").replace("\r\n", "\n").strip())

    def ask(self, source: str) -> str:
        """What a short program prints, without the last newline."""
        lines: list[str] = []
        self.run(source, lines.append)
        return "\n".join(lines)

    # -- files -------------------------------------------------------------------------------------------------------

    def put(self, files: Mapping[str, bytes], directory: str) -> None:
        """Writes files, path to contents, below a directory that is made anew. Nothing else on the device changes."""
        self.remove(directory)
        made = set()
        for path in sorted(files):
            parts = f"{directory}/{path}".strip("/").split("/")
            for depth in range(1, len(parts)):
                parent = "/" + "/".join(parts[:depth])
                if parent not in made:
                    self.ask(f"import os\nos.mkdir({parent!r})")
                    made.add(parent)
            self._put("/" + "/".join(parts), files[path])

    def _put(self, path: str, data: bytes) -> None:
        self.ask(f"f = open({path!r}, 'wb')")
        for at in range(0, len(data), _CHUNK):
            self.ask(f"f.write({data[at : at + _CHUNK]!r})")
        size = int(self.ask(f"f.close()\nimport os\nprint(os.stat({path!r})[6])"))
        if size != len(data):
            raise ReplError(f"{path} has {size} bytes on the device, not {len(data)}: is its file system full?")

    def remove(self, directory: str) -> None:
        """Deletes a directory and what is in it, if it is there."""
        self.ask(
            "import os\n"
            "def remove(path):\n"
            "    for name, kind, *_ in os.ilistdir(path):\n"
            "        (remove if kind == 0x4000 else os.remove)(path + '/' + name)\n"
            "    os.rmdir(path)\n"
            f"if {directory.strip('/')!r} in os.listdir('/'):\n"
            f"    remove({directory!r})\n"
        )

    # -- bytes -------------------------------------------------------------------------------------------------------

    def _paste(self, text: bytes) -> None:
        self._send(_PASTE)
        answer = self._take(2, 5)
        if answer != b"R\x01":
            raise ReplError(f"the device has no raw-paste mode: it answered {answer!r}")
        (window,) = struct.unpack("<H", self._take(2, 5))
        room = window
        while text:
            while not room or self.pending:
                mark = self._take(1, 10)[0]
                if mark != _MORE:
                    raise ReplError("the device stopped taking the program")
                room += window
            self._send(text[:room])
            text, room = text[room:], room - len(text[:room])
        self._send(_END)
        self._until(_END, 10)

    def _lines(self, on_line, silence_s: float) -> None:
        """Lines up to the mark that ends the output."""
        rest = b""
        while True:
            data = self._some(silence_s)
            output, mark, after = data.partition(_END)
            *lines, rest = (rest + output).split(b"\n")
            for line in lines + ([rest] if mark and rest else []):
                on_line(line.rstrip(b"\r").decode("utf-8", "replace"))
            if mark:
                self.pending = after
                return

    def _send(self, data: bytes) -> None:
        self.link.write(data)

    def _settle(self) -> None:
        """Reads away what a second banner or an echo may have left."""
        self.pending = b""
        while self.link.read(4096):
            pass

    def _some(self, silence_s: float) -> bytes:
        """At least one byte."""
        if self.pending:
            data, self.pending = self.pending, b""
            return data
        end = time.monotonic() + silence_s
        while time.monotonic() < end:
            data = self.link.read(1)
            if data:
                waiting = getattr(self.link, "in_waiting", 0)
                return data + (self.link.read(waiting) if waiting else b"")
        raise ReplError(f"nothing came from the device for {silence_s:g} s")

    def _take(self, count: int, silence_s: float) -> bytes:
        data = b""
        while len(data) < count:
            data += self._some(silence_s)
        self.pending = data[count:]
        return data[:count]

    def _until(self, mark: bytes, limit_s: float) -> bytes:
        """Everything up to the mark, the mark included. ReplError if it does not come in time."""
        end, data = time.monotonic() + limit_s, b""
        while mark not in data:
            if time.monotonic() > end:
                raise ReplError(f"no MicroPython prompt: expected {mark!r}, the last that came was {data[-60:]!r}")
            try:
                data += self._some(max(_POLL_S, end - time.monotonic()))
            except ReplError:
                continue
        before, _, self.pending = data.partition(mark)
        return before + mark
