"""Sockets through the tunnel with the names and manners of MicroPython's own, so that its libraries run over them.

    import sys
    from uike.net import socket
    sys.modules["socket"] = socket          before the library is imported

`tunnel` is a `uike.app.tunnel.Tunnel`, which has the stack and lets the appliance work while a call waits. Addresses
are dotted quads: names are not looked up.
"""

from uike import reason
from uike.wire import address

AF_INET = 2
SOCK_STREAM = 1
SOCK_DGRAM = 2
SOL_SOCKET = 1
SO_REUSEADDR = 4
_EAGAIN = 11
_ECONNRESET = 104
_ENOTCONN = 107
_ECONNREFUSED = 111
_ETIMEDOUT = 110
_CODES = {reason.TCP_TIMEOUT: 110, reason.NO_MEMORY: 12}  # of errno
_OVER = "over"

tunnel = None


def getaddrinfo(host, port, *_):
    """[(family, type, protocol, name, (address, port))] of a dotted quad; OSError for anything else."""
    if not address.parse(host):
        raise OSError(-2)
    return [(AF_INET, SOCK_STREAM, 0, host, (host, port))]


class socket:
    """Blocking with a time-out, or (time-out 0) not: then OSError(EAGAIN) says that it would have to wait."""

    def __init__(self, family=AF_INET, kind=SOCK_STREAM, protocol=0):
        self._kind = kind
        self._core = None  # a Connection, a Listener or a UDP socket
        self._timeout_ms = None
        self._port = 0

    def settimeout(self, seconds):
        """None: for ever."""
        self._timeout_ms = None if seconds is None else int(seconds * 1_000)

    def setblocking(self, flag):
        self._timeout_ms = None if flag else 0

    def setsockopt(self, *_):
        pass

    def bind(self, where):
        self._port = where[1]
        if self._kind == SOCK_DGRAM:
            self._core = tunnel.stack.udp().open(self._port)

    def listen(self, backlog=2):
        self._core = tunnel.stack.tcp().listen(self._port, backlog)

    def accept(self):
        """(socket, (address, port)) of the next connection."""
        made = socket()
        made._core = self._wait(self._core.accept)
        return made, _name(made._core.ends[2:])

    def connect(self, where):
        """OSError when the other end refuses, does not answer, or no tunnel leads there."""
        self._core = tunnel.stack.tcp().connect(address.pack(where[0]), where[1])
        if self._timeout_ms != 0:
            self._wait(self._core.writable, _ECONNREFUSED)

    def send(self, data):
        """Takes at least one byte; returns how many."""
        return self._wait(lambda: self._core.write(data)) if data else 0

    def write(self, data, size=None):
        """Takes all of it, or its first `size` bytes."""
        data = memoryview(data)[:size]
        done = 0
        while done < len(data):
            done += self.send(data[done:])
        return done

    sendall = write

    def recv(self, most):
        """What is there, up to `most` bytes, at least one; none at the end."""
        data = self._wait(lambda: self._core.read(most) or self._core.ended() and not self._core.why) if most else b""
        return b"" if data is True else data

    def read(self, size=-1):
        """`size` bytes, fewer only at the end; all up to the end when it is negative."""
        out = bytearray()
        while size < 0 or len(out) < size:
            part = self.recv(512 if size < 0 else size - len(out))
            if not part:
                break
            out.extend(part)
        return bytes(out)

    def readline(self):
        """Up to and with the next line end."""
        out = bytearray()
        while not out.endswith(b"\n"):
            part = self.recv(1)
            if not part:
                break
            out.extend(part)
        return bytes(out)

    def readinto(self, into, size=None):
        data = self.read(len(into) if size is None else size)
        into[: len(data)] = data
        return len(data)

    def makefile(self, *_):
        return self

    def sendto(self, data, where):
        """OSError when no tunnel leads there, or it does not fit into a packet."""
        if self._core is None:
            self.bind(("", 0))
        self._wait(lambda: self._core.write(data, address.pack(where[0]), where[1]))
        return len(data)

    def recvfrom(self, most):
        """(data, (address, port)) of the next datagram, cut off at `most` bytes."""
        data, where = self._wait(self._core.read)
        return data[:most], _name(where)

    def close(self):
        """What is written still goes out while the appliance works."""
        core, self._core = self._core, None
        if core:
            core.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _wait(self, attempt, when_reset=_ECONNRESET):
        """What attempt() returns, once that is true."""
        if self._core is None:
            raise OSError(_ENOTCONN)
        core = self._core
        found = tunnel.wait(lambda: attempt() or getattr(core, "over", False) and _OVER, self._timeout_ms)
        if found is _OVER:
            raise OSError(_CODES.get(core.why, when_reset))
        if not found:
            raise OSError(_ETIMEDOUT if self._timeout_ms else _EAGAIN)
        return found


def _name(where):
    return address.text(where[0]), where[1]
