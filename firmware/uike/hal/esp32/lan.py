"""TCP and UDP in the local network on lwIP. A handle is a socket."""

import socket

_NOT_NOW = (11, 115, 116, 119, 128)  # EAGAIN, EINPROGRESS of either table, ETIMEDOUT, ENOTCONN of a young connection
_DATAGRAM_MAX = 1_472  # bytes: of an Ethernet frame; lwIP does not put fragments together


class Lan:
    def listen(self, address, port):
        made = _socket(socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen(2)
        return made

    def accept(self, handle):
        try:
            made, where = handle.accept()
        except OSError:
            return None
        made.setblocking(False)
        return made, where

    def connect(self, address, port):
        made = _socket(socket.SOCK_STREAM)
        _now(made.connect, (address, port))
        return made

    def receive(self, handle, most):
        return _now(handle.recv, most)

    def send(self, handle, data):
        return _now(handle.send, data) or 0

    def bind(self, address, port):
        made = _socket(socket.SOCK_DGRAM)
        made.bind((address, port))
        return made

    def receive_from(self, handle):
        found = _now(handle.recvfrom, _DATAGRAM_MAX)
        return found if found and found[0] else None

    def send_to(self, handle, data, where):
        try:
            handle.sendto(data, where)
        except OSError:  # lost on the way, as datagrams may be
            pass

    def close(self, handle):
        handle.close()


def _socket(kind):
    made = socket.socket(socket.AF_INET, kind)
    made.setblocking(False)
    return made


def _now(call, argument):
    """What the call returns; None when it would have to wait."""
    try:
        return call(argument)
    except OSError as error:
        if error.args[0] in _NOT_NOW:
            return None
        raise
