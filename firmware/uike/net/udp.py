"""UDP over the tunnel (RFC 768). For `uike.net.stack`."""

import struct

from uike import iana, reason
from uike.net import header
from uike.wire import ipv4

_HEADER = 8
_IP = 20
SOCKETS_MAX = 8
_EADDRINUSE = 98
_EMSGSIZE = 90
_QUEUE_MAX = 4  # datagrams, each way of a socket; what comes when it is full is lost


class Socket:
    """One port: `read` and `write` datagrams. `changed` is called when one has come."""

    def __init__(self, udp, port):
        self.udp = udp
        self.port = port
        self.came = []
        self.out = []
        self.changed = lambda: None

    def read(self):
        """(data, (address of four bytes, port)), or None."""
        return self.came.pop(0) if self.came else None

    def write(self, data, address, port):
        """Whether there was room for it. OSError when no tunnel leads there, or it is too long for one packet."""
        source, mtu = self.udp.stack.towards(address)
        if len(data) > mtu - _IP - _HEADER:
            raise OSError(_EMSGSIZE)
        if len(self.out) >= _QUEUE_MAX:
            return False
        self.out.append(build((source, self.port, address, port), data))
        return True

    def close(self):
        """What is written still goes out, if the stack is asked for it before the next socket is opened."""
        self.udp.sockets.pop(self.port, None)
        self.udp.leaving += self.out


class Udp:
    """All sockets of a board."""

    def __init__(self, stack):
        self.stack = stack
        self.sockets = {}
        self.leaving = []

    def open(self, port=0):
        """A Socket; port 0 is any. OSError when there is none."""
        port = port or self.stack.free_port(lambda port: port in self.sockets)
        if port in self.sockets or len(self.sockets) >= SOCKETS_MAX:
            raise OSError(_EADDRINUSE)
        self.leaving = []
        self.sockets[port] = made = Socket(self, port)
        return made

    def receive(self, packet, at, now):
        """Takes the packet whose datagram begins at `at`. Returns 0, or the reason why nobody got it."""
        size = len(packet) - at
        if size < _HEADER:
            return reason.NET_PACKET
        source, port, length, total = struct.unpack_from(">HHHH", packet, at)
        if not _HEADER <= length <= size:
            return reason.NET_PACKET
        if total and ipv4.checksum(packet, at, at + length, header.pseudo(packet, iana.IPPROTO_UDP, length)):
            return reason.NET_PACKET
        socket = self.sockets.get(port)
        if socket is None:
            return reason.NET_NOBODY
        if len(socket.came) >= _QUEUE_MAX:
            return reason.NET_FULL
        socket.came.append((bytes(packet[at + _HEADER : at + length]), (bytes(packet[12:16]), source)))
        socket.changed()
        return 0

    def next_packet(self, now):
        """The next packet to send, or None."""
        if self.leaving:
            return self.leaving.pop(0)
        for socket in self.sockets.values():
            if socket.out:
                return socket.out.pop(0)
        return None

    def busy(self):
        """Whether a datagram has not left."""
        return bool(self.leaving or [socket for socket in self.sockets.values() if socket.out])

    def tick(self, now):
        pass

    def deadline(self):
        return None


def build(ends, data):
    """The packet that carries `data`. ends: (our address, our port, theirs, theirs)."""
    size = _HEADER + len(data)
    packet = header.build(ends[0], ends[2], iana.IPPROTO_UDP, size)
    struct.pack_into(">HHH", packet, _IP, ends[1], ends[3], size)
    packet[_IP + _HEADER :] = data
    total = ipv4.checksum(packet, _IP, len(packet), header.pseudo(packet, iana.IPPROTO_UDP, size))
    struct.pack_into(">H", packet, _IP + 6, total or 0xFFFF)
    return packet
