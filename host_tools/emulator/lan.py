"""TCP and UDP of an emulated board in its local network: the PC's own sockets, without blocking. Handles are numbers.

The operations are those of `lan` in `firmware/uike/hal`; OSError when something fails for good.
"""

import errno
import socket

SOCKETS_MAX = 32
_NOT_NOW = {errno.EAGAIN, errno.EINPROGRESS, errno.ENOTCONN}


class Lan:
    def __init__(self):
        self._sockets: dict[int, socket.socket] = {}
        self._numbered = 0

    def _keep(self, sock: socket.socket) -> int:
        if len(self._sockets) >= SOCKETS_MAX:
            sock.close()
            raise OSError(errno.ENFILE, "too many sockets")
        sock.setblocking(False)
        self._numbered += 1
        self._sockets[self._numbered] = sock
        return self._numbered

    def _open(self, kind, address: str, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((address, port))
        except OSError:
            sock.close()
            raise
        return sock

    def _now(self, call, *arguments):
        try:
            return call(*arguments)
        except OSError as error:
            if error.errno in _NOT_NOW:
                return None
            raise

    def listen(self, address: str, port: int) -> int:
        sock = self._open(socket.SOCK_STREAM, address, port)
        sock.listen(4)
        return self._keep(sock)

    def accept(self, handle: int):
        try:
            made, where = self._sockets[handle].accept()
        except OSError:
            return None
        return self._keep(made), where

    def connect(self, address: str, port: int) -> int:
        handle = self._keep(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        self._now(self._sockets[handle].connect, (address, port))
        return handle

    def receive(self, handle: int, most: int) -> bytes | None:
        return self._now(self._sockets[handle].recv, most)

    def send(self, handle: int, data) -> int:
        return self._now(self._sockets[handle].send, bytes(data)) or 0

    def bind(self, address: str, port: int) -> int:
        return self._keep(self._open(socket.SOCK_DGRAM, address, port))

    def receive_from(self, handle: int):
        return self._now(self._sockets[handle].recvfrom, 2048)

    def send_to(self, handle: int, data, where) -> None:
        try:
            self._sockets[handle].sendto(bytes(data), tuple(where))
        except OSError:  # lost on the way, as datagrams may be
            pass

    def close(self, handle: int) -> None:
        sock = self._sockets.pop(handle, None)
        if sock:
            sock.close()

    def close_all(self) -> None:
        for handle in list(self._sockets):
            self.close(handle)
