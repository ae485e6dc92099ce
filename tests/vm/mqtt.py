"""A device of the local network that publishes over MQTT 3.1.1, and a broker: as much of both as a day's work needs.

Both are sockets of this PC that never block; whoever runs virtual time calls `step` meanwhile. The device is one that
does not know that there is a tunnel: when its connection ends, or nothing happens for a while, it makes another.
"""

import contextlib
import socket

CONNECT = b"\x10\x13\0\4MQTT\4\2\0\x3c\0\7machine"
CONNACK = b"\x20\2\0\0"
DISCONNECT = b"\xe0\0"
TOPIC = b"\0\4lamp"
PATIENCE_MS = 20_000


def publish(number):
    data = TOPIC + b"%d" % number
    return bytes((0x30, len(data))) + data


def packets(data):
    """(whole packets, the rest); all here are shorter than 128 bytes."""
    found = []
    while len(data) >= 2 and len(data) >= 2 + data[1]:
        found.append(data[: 2 + data[1]])
        data = data[2 + data[1] :]
    return found, data


class Broker:
    """`heard`: the numbers that were published."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self.heard = []
        self._clients = {}

    def step(self):
        with contextlib.suppress(BlockingIOError):
            client = self._listener.accept()[0]
            client.setblocking(False)
            self._clients[client] = b""
        for client in list(self._clients):
            try:
                data = client.recv(4096)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            found, self._clients[client] = packets(self._clients[client] + data)
            for packet in found:
                self._take(client, packet)
            if not data:
                client.close()
                del self._clients[client]

    def _take(self, client, packet):
        if packet == CONNECT:
            client.sendall(CONNACK)
        elif packet.startswith(b"\x30"):
            assert packet[2:8] == TOPIC
            self.heard.append(int(packet[8:]))

    def close(self):
        for each in (self._listener, *self._clients):
            each.close()


class Device:
    """Publishes `number` whenever that is a new one, by way of a relay at `port`. `made` counts its connections."""

    def __init__(self, port):
        self.port = port
        self.number = self._sent = 0
        self.made = 0
        self._socket = None
        self._data = b""
        self._welcome = False
        self._alive_at = 0

    def step(self, now):
        if self._socket is None and self.number != self._sent:
            self._connect(now)
        if self._socket and self._listen(now) and self._welcome and self.number != self._sent:
            self._socket.sendall(publish(self.number))
            self._sent, self._alive_at = self.number, now

    def _connect(self, now):
        made = socket.socket()
        try:
            made.connect(("127.0.0.1", self.port))  # of this PC, so at once
        except OSError:
            made.close()
            return
        made.setblocking(False)
        made.sendall(CONNECT)
        self._socket, self._data, self._welcome, self._alive_at = made, b"", False, now
        self.made += 1

    def _listen(self, now):
        """Whether the connection is still there."""
        try:
            data = self._socket.recv(4096)
        except BlockingIOError:
            data = None
        except OSError:
            data = b""
        if data:
            self._data += data
            self._welcome = self._welcome or self._data == CONNACK
            self._alive_at = now
        if data == b"" or not self._welcome and now - self._alive_at > PATIENCE_MS:
            self._gone()
            return False
        return True

    def _gone(self):
        self._socket.close()
        self._socket, self._welcome = None, False

    def leave(self):
        """As a device that goes to sleep, or has lost its patience. What it sends next is sent on another connection."""
        if self._socket:
            with contextlib.suppress(OSError):
                self._socket.sendall(DISCONNECT)
            self._gone()
        self._sent = 0
