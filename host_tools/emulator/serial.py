"""The serial port of an emulated board: its console as a pseudo-terminal or a TCP socket, with a UART's narrow buffer.

Bytes that a board does not read in time are lost beyond those that its buffer holds, as on the chip; bytes for a host
that is slow, or not there, are lost too.
"""

import os
import pty
import select
import socket
import threading
import tty
from urllib.parse import urlsplit

from host_tools.emulator.host import Host

RING = 260  # bytes that MicroPython's console buffers
LINE_MAX = 1024  # bytes of a line, as in uike/hal/esp32/console.py
_READ = 4096
_ACCEPT_S = 0.2


class SerialError(Exception):
    """There is no such port to be had; the text says which and why."""


class SerialPort:
    """Made from "pty" or "socket://HOST:PORT" (port 0: any that is free). `url` is what a host opens."""

    def __init__(self, host: Host, where: str):
        self._host = host
        self._line = bytearray()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._client: int | None = None  # descriptor of whoever is connected
        self._connection: socket.socket | None = None
        self._listener: socket.socket | None = None
        if where == "pty":
            self._client, self._slave = pty.openpty()
            tty.setraw(self._slave)
            self.url = os.ttyname(self._slave)
        else:
            self._listen(where)
        if self._client is not None:
            os.set_blocking(self._client, False)
        host.on_serial = self.write
        self._thread = threading.Thread(target=self._work, name=f"serial {host.name}", daemon=True)
        self._thread.start()

    def _listen(self, where: str) -> None:
        parts = urlsplit(where)
        try:
            if parts.scheme != "socket" or parts.hostname is None or parts.port is None:
                raise SerialError(f"{where}: neither pty nor socket://HOST:PORT")
            self._listener = socket.create_server((parts.hostname, parts.port))
        except (OSError, ValueError) as error:
            raise SerialError(f"{where}: {getattr(error, 'strerror', None) or error}") from error
        self._listener.settimeout(_ACCEPT_S)
        self.url = "socket://{}:{}".format(*self._listener.getsockname()[:2])

    def write(self, line: bytes) -> None:
        """A line from the board; in its thread."""
        with self._lock:
            if self._client is None:
                return
            try:
                os.write(self._client, line + b"\r\n")
            except OSError:
                pass  # nobody reads

    def close(self) -> None:
        self._closed.set()
        self._thread.join(2)
        for part in (self._listener, self._connection):
            if part:
                part.close()
        if not self._listener:
            os.close(self._client)
            os.close(self._slave)

    def _work(self) -> None:
        while not self._closed.is_set():
            if self._client is None:
                self._accept()
                continue
            if not select.select([self._client], [], [], _ACCEPT_S)[0]:
                continue
            try:
                data = os.read(self._client, _READ)
            except OSError:  # a pseudo-terminal that nobody has open
                data = b""
            if data:
                self._take(data)
            elif self._listener:
                self._hang_up()
            else:
                self._closed.wait(_ACCEPT_S)

    def _accept(self) -> None:
        try:
            self._connection = self._listener.accept()[0]
        except OSError:
            return
        self._connection.setblocking(False)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._client = self._connection.fileno()

    def _hang_up(self) -> None:
        with self._lock:
            self._client = None
        self._connection.close()
        self._line.clear()

    def _take(self, data: bytes) -> None:
        for byte in data:
            if byte in b"\r\n":
                line, self._line = bytes(self._line), bytearray()
                if line and len(line) <= LINE_MAX:
                    self._host.type_line(line)
            elif self._host.unread() + len(self._line) < RING or not self._host.unread():
                self._line.append(byte)
