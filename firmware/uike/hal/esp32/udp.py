"""UDP on lwIP, IPv4 only.

An empty datagram makes MicroPython believe that the peer has hung up: from then on a socket has nothing but empty
reads (micropython-lib issue 736). Such a socket is made anew. lwIP queues six datagrams a socket, so all of them are
read at each wake-up.
"""

import socket
import time

_SIZE = 2048  # more than fits into an Ethernet frame; lwIP does not reassemble
_NO_MEMORY = (11, 12, 105, 119)  # EAGAIN, ENOMEM, ENOBUFS, EINPROGRESS: the driver's buffers are full
_TRIES = 4
_PAUSE_MS = 5


class Udp:
    """`network.address()` is our own address."""

    def __init__(self, network):
        self._network = network
        self._sockets = {}  # port -> socket, or None while lwIP has none to give
        self.mended = 0  # sockets made anew

    def open(self, ports):
        """Bind the ports; OSError when one cannot be had."""
        for port in ports:
            self._bind(port)

    def _bind(self, port):
        old = self._sockets.get(port)
        self._sockets[port] = None
        if old:
            old.close()
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(("0.0.0.0", port))
            made.setblocking(False)
        except OSError:
            made.close()
            raise
        self._sockets[port] = made

    def ports(self):
        return list(self._sockets)

    def sockets(self):
        return [each for each in self._sockets.values() if each]

    def receive(self):
        """(datagram, (address, port), local port), or None when nothing is there."""
        for port, sock in self._sockets.items():
            try:
                if sock:
                    data, remote = sock.recvfrom(_SIZE)
                    if data:
                        return data, remote, port
                    self.mended += 1
                self._bind(port)
                break  # the table has changed
            except OSError:  # nothing there; what else it may be, the next call or the next send will say
                pass
        return None

    def send(self, datagram, destination, local_port):
        """False when there is no room for it now."""
        sock = self._sockets[local_port]
        if not sock:
            return False
        for _ in range(_TRIES):
            try:
                sock.sendto(datagram, destination)
                return True
            except OSError as error:
                if error.args[0] not in _NO_MEMORY:
                    return False
                time.sleep_ms(_PAUSE_MS)
        return False

    def address_for(self, address):
        """Our own IPv4 address towards another one; None without a network."""
        return self._network.address()

    def resolve(self, name):
        """IPv4 address of a host name, or None."""
        if not [c for c in name if c not in "0123456789."]:
            return name
        try:
            return socket.getaddrinfo(name, 500)[0][-1][0]
        except (OSError, IndexError):
            return None
