"""A board for the tests: a thread behind a TCP port that speaks the raw REPL, its file system a directory.

It keeps to MicroPython's protocol to the byte, window included: a host that sends more than it may is told off.
"""

import contextlib
import io
import os
import socket
import struct
import threading
import traceback
from types import SimpleNamespace

WINDOW = 16
BANNER = b"raw REPL; CTRL-B to exit\r\n>"


class Device:
    """`disk` is the directory of its files. `mute` makes it answer nothing; `paste` False, not know raw-paste mode."""

    def __init__(self, disk, mute=False, paste=True):
        self.disk, self.mute, self.paste = disk, mute, paste
        self.programs: list[str] = []
        self.resets = 0
        self.room = 1 << 30  # bytes that a file may still take
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.close()

    def _serve(self):
        with contextlib.suppress(OSError, EOFError):
            self.peer, _ = self.listener.accept()
            with self.peer:
                self.space = self._space()
                while True:
                    self._key(self._read(1))

    def _read(self, count):
        data = b""
        while len(data) < count:
            more = self.peer.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _send(self, data):
        if not self.mute:
            self.peer.sendall(data)

    def _key(self, key):
        if key == b"\x01":
            self._send(b"\r\n" + BANNER)
        elif key == b"\x04":
            self.resets += 1
            self.space = self._space()
            self._send(b"OK\r\nMPY: soft reboot\r\nbooting\r\n" + BANNER)
        elif key == b"\x05" and self._read(2) == b"A\x01":
            self._program() if self.paste else self._send(b"ra")

    def _program(self):
        self._send(b"R\x01" + struct.pack("<H", WINDOW) + b"\x01")
        text, allowed = b"", 2 * WINDOW
        while not text.endswith(b"\x04"):
            self.peer.settimeout(0.02)
            try:
                text += self._read(1)
            except TimeoutError:  # the host has used up what it may send, and waits
                allowed += WINDOW
                self._send(b"\x01")
            if len(text.rstrip(b"\x04")) > allowed:
                return self._send(b"\x04\x04the host sent more than the window\x04>")
            if len(text) % WINDOW == 0 and len(text) >= allowed - WINDOW:
                allowed += WINDOW
                self._send(b"\x01")
        self.peer.settimeout(None)
        self._send(b"\x04")
        self._run(text[:-1].decode())

    def _run(self, source):
        self.programs.append(source)
        output, error = io.StringIO(), b""
        with contextlib.redirect_stdout(output):
            try:
                exec(compile(source, "<stdin>", "exec"), self.space)
            except Exception:
                error = traceback.format_exc().replace("\n", "\r\n").encode()
        self._send(output.getvalue().replace("\n", "\r\n").encode() + b"\x04" + error + b"\x04>")

    # -- what a program finds there ----------------------------------------------------------------------------------

    def _space(self):
        """Globals of a fresh heap: no module of this computer is in reach, and no file outside of the disk."""
        modules = {"os": self._os(), "gc": SimpleNamespace(collect=lambda: None, mem_free=lambda: 1)}
        known = {name: __builtins__[name] for name in ("print", "len", "range", "int", "ValueError")}
        known.update(open=self._open, __import__=lambda name, *_: modules[name])
        return {"__builtins__": known}

    def _path(self, path):
        return self.disk / path.lstrip("/")

    def _open(self, path, mode):
        device, file = self, open(self._path(path), mode)

        class File:
            close = file.close

            @staticmethod
            def write(data):
                taken = data[: device.room]
                device.room -= len(taken)
                return file.write(taken)

        return File

    def _os(self):
        def listing(path):
            return [(e.name, 0x4000 if e.is_dir() else 0x8000, 0, 0) for e in os.scandir(self._path(path))]

        return SimpleNamespace(
            mkdir=lambda path: self._path(path).mkdir(),
            rmdir=lambda path: self._path(path).rmdir(),
            remove=lambda path: self._path(path).unlink(),
            stat=lambda path: tuple(os.stat(self._path(path))),
            listdir=lambda path: os.listdir(self._path(path)),
            ilistdir=listing,
        )
