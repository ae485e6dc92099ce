"""Streams and datagrams through the tunnel for programs with asyncio, in the manner of its own streams.

    asyncio.create_task(serve(tunnel))                  the appliance works while others wait
    stream = await open_connection(tunnel, "10.1.0.1", 1883)
    stream.write(b"..."); await stream.drain(); data = await stream.read(100)

`tunnel` is a `uike.app.tunnel.Tunnel`. A stream reads and writes; OSError when the connection breaks.
"""

import asyncio

from uike.wire import address

_ECONNRESET = 104
_SLEEP_S = 0.01  # the granularity of a board's clock


async def serve(tunnel):
    """Lets the appliance work until it is to stop. It never sleeps for long: other tasks may write."""
    while tunnel.poll(0):
        await asyncio.sleep(_SLEEP_S)


async def open_connection(tunnel, host, port):
    """A Stream to a dotted quad behind the tunnel. OSError when no tunnel leads there, or nobody answers."""
    stream = Stream(tunnel.stack.tcp().connect(address.pack(host), port))
    while not stream.connection.writable():
        await stream.wait()
    return stream


async def start_server(tunnel, serve_client, port, backlog=2):
    """Calls serve_client(stream), a coroutine function, as a task for each connection to a port of ours. Returns the
    Listener, whose `close` ends that."""
    listener = tunnel.stack.tcp().listen(port, backlog)

    def ready():
        connection = listener.accept()
        while connection:
            asyncio.create_task(serve_client(Stream(connection)))
            connection = listener.accept()

    listener.changed = ready
    return listener


class Stream:
    """Both directions of a connection."""

    def __init__(self, connection):
        self.connection = connection
        self._rest = b""
        self._event = asyncio.Event()
        connection.changed = self._event.set

    async def wait(self):
        """Until something has changed. OSError when the connection is broken."""
        if self.connection.why:
            raise OSError(_ECONNRESET)
        self._event.clear()
        await self._event.wait()

    async def read(self, most):
        """What is there, up to `most` bytes, at least one; none at the end."""
        while True:
            data = self.connection.read(most)
            if data or self.connection.ended() and not self.connection.why:
                return data
            await self.wait()

    async def readexactly(self, size):
        """`size` bytes; EOFError when the stream ends before."""
        out = b""
        while len(out) < size:
            part = await self.read(size - len(out))
            if not part:
                raise EOFError
            out += part
        return out

    async def readline(self):
        """Up to and with the next line end, or the end of the stream."""
        out = b""
        while out[-1:] != b"\n":
            part = await self.read(1)
            if not part:
                break
            out += part
        return out

    def write(self, data):
        """Takes all of it; `drain` waits until the connection has."""
        self._rest += data
        self._rest = self._rest[self.connection.write(self._rest) :]

    async def drain(self):
        self.write(b"")
        while self._rest:
            if self.connection.over:
                raise OSError(_ECONNRESET)
            await self.wait()
            self.write(b"")

    async def finish(self):
        """We write no more; the other end may."""
        await self.drain()
        self.connection.finish()

    def close(self):
        """What `drain` has not waited for is lost."""
        self.connection.close()


class Datagrams:
    """UDP at a port of ours, 0 for any."""

    def __init__(self, tunnel, port=0):
        self.socket = tunnel.stack.udp().open(port)
        self._event = asyncio.Event()
        self.socket.changed = self._event.set

    def sendto(self, data, where):
        """Whether there was room for it. OSError when no tunnel leads there, or it does not fit into a packet."""
        return self.socket.write(data, address.pack(where[0]), where[1])

    async def recvfrom(self):
        """(data, (address, port)) of the next datagram."""
        while True:
            found = self.socket.read()
            if found:
                return found[0], (address.text(found[1][0]), found[1][1])
            self._event.clear()
            await self._event.wait()

    def close(self):
        self.socket.close()
