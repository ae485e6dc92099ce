"""Data both ways between two ends at once, and whether it arrived whole."""

import random

from uike import event


def transfer(run, ours, theirs, size, seed=1):
    """Each end (write(data) -> taken, finish(), read() -> data, ended()) sends `size` bytes; run(until) -> bool carries
    packets. Asserts that both get what the other sent."""
    data = [random.Random(f"{seed}/{who}").randbytes(size) for who in "ot"]
    at, got = [0, 0], [bytearray(), bytearray()]
    ends = (ours, theirs)

    def pump():
        for me, end in enumerate(ends):
            if at[me] is not None:
                at[me] += end.write(data[me][at[me] : at[me] + 70_000])
                if at[me] == size:
                    at[me] = None
                    end.finish()
            got[1 - me] += end.read()
        return all(end.ended() for end in ends) and at == [None, None]

    assert run(pump), [len(each) for each in got]
    assert got == data


class Ours:
    """An end of our own TCP."""

    def __init__(self, connection):
        self.connection = connection
        self.write, self.finish = connection.write, connection.finish

    def read(self):
        return self.connection.read(1 << 20)

    def ended(self):
        assert not self.connection.why, self.connection.why
        return (
            self.connection.state in (event.STATE_TCP_CLOSED, event.STATE_TCP_TIME_WAIT)
            and not self.connection.readable()
        )


class Kernels:
    """An end of the kernel's TCP: a connected socket."""

    def __init__(self, socket):
        self.socket = socket
        self._over = False
        socket.setblocking(False)

    def write(self, data):
        try:
            return self.socket.send(data) if data else 0
        except BlockingIOError:
            return 0

    def finish(self):
        self.socket.shutdown(1)

    def read(self):
        try:
            data = b"" if self._over else self.socket.recv(65536)
        except BlockingIOError:
            return b""
        self._over = not data
        return data

    def ended(self):
        return self._over
