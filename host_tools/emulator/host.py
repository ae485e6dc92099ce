"""What an emulated board stands on: one object with clock, random, UDP, console, store and TUN, for both runtimes.

The CPython board calls these methods directly; the VM reaches the same ones through its door (`door.py`).
"""

import collections
import hashlib
import os
import select
import socket
import threading
import time

from host_tools.emulator.lan import Lan

VIRTUAL_EPOCH = 1_800_000_000  # where the clock of a board in virtual time begins


class Host:
    """The world of one board. Its methods are called in the board's thread, except where they say otherwise."""

    def __init__(self, name: str, clock, port, *, seed: int | None = None, files=None, tun=None, measure=False):
        """`port` from `network`; `seed` makes the board's entropy repeatable; `files` is what its store holds.

        `measure` asks a VM board for the bytes in use at each console line (slower: a collection each time).
        """
        self.name = name
        self.clock = clock
        self.port = port
        self.files: dict[str, bytes] = dict(files or {})
        self.tun = tun
        self.lan = Lan()
        self.measure = measure
        self.heap_samples: list[int] = []
        self.on_line = lambda line: None  # called with each console line, in the board's thread
        self.on_serial = lambda line: None  # the same, for whoever is at the board's serial port
        self.restarting = False
        self.knows_time = True
        self._entropy = _Entropy(name, seed) if seed is not None else None
        self._input: collections.deque = collections.deque()
        self._running = True
        self._link: str | None = "0.0.0.0"
        self._link_is_news = False
        self._waker, self._alarm = socket.socketpair()
        self._waker.setblocking(False)
        self._alarm.setblocking(False)
        self._lock = threading.Lock()
        port.on_arrival = lambda: clock.wake(self)

    # Time and randomness

    def now(self) -> int:
        return self.clock.now()

    def clock_s(self) -> int | None:
        """Seconds since 1970, None while nobody knows; in virtual time, from a fixed day on."""
        if not self.knows_time:
            return None
        return VIRTUAL_EPOCH + self.now() // 1000 if self.clock.virtual else int(time.time())

    def wait(self, timeout_ms: int | None) -> None:
        if not self.ready():
            self.clock.wait(self, timeout_ms)

    def ready(self) -> bool:
        """Whether the board has something to read, as far as that is known without asking the kernel."""
        return bool(self._input) or not self._running or self._link_is_news or self.port.pending()

    def poll(self, timeout_ms: int | None) -> None:
        """Block until a descriptor is readable, `interrupt` is called, or the time is over."""
        poller = select.poll()
        for descriptor in [self._waker.fileno(), *self.port.descriptors(), *([self.tun.fileno()] if self.tun else [])]:
            poller.register(descriptor, select.POLLIN)
        poller.poll(timeout_ms)
        try:
            while self._waker.recv(64):
                pass
        except BlockingIOError:
            pass

    def interrupt(self) -> None:
        """End a `poll`; from any thread."""
        try:
            self._alarm.send(b"!")
        except OSError:
            pass  # it is full, so the alarm is on already, or the board is gone

    def entropy(self, n: int) -> bytes:
        return self._entropy.read(n) if self._entropy else os.urandom(n)

    def running(self) -> bool:
        return self._running

    def stop(self) -> None:
        """Make `running()` false; from any thread."""
        self._running = False
        self.clock.wake(self)

    def restart(self) -> None:
        """Make `running()` false until the board is switched on again."""
        self.restarting = True
        self.stop()

    def begin(self) -> None:
        """The board is switched on, or on again."""
        self._running, self.restarting = True, False
        self._input.clear()

    def close(self) -> None:
        """Let go of sockets, when the board has ended."""
        self.port.close()
        self.lan.close_all()
        self._waker.close()
        self._alarm.close()

    # UDP

    def udp_open(self, ports) -> None:
        self.port.open(tuple(ports))

    def udp_receive(self):
        return self.port.receive()

    def udp_send(self, datagram, destination, local_port: int) -> bool:
        return self.port.send(datagram, destination, local_port)

    def address_for(self, address: str) -> str:
        return self.port.address_for(address)

    def resolve(self, name: str) -> str | None:
        return self.port.resolve(name)

    def link(self) -> str | None:
        """The board's address in its network: what its firmware compares with the last one. None without a network."""
        self._link_is_news = False
        return self._link

    def set_link(self, link: str | None) -> None:
        """Plug the network out or in, or give the board another address; from any thread."""
        self._link, self._link_is_news = link, True
        self.clock.wake(self)

    # Console

    def console_read(self) -> bytes | None:
        try:
            return self._input.popleft()
        except IndexError:
            return None

    def console_write(self, line) -> None:
        self.say(line.encode() if isinstance(line, str) else bytes(line))

    def say(self, line: bytes) -> None:
        """A line that the board, or its VM, has printed; in the board's thread."""
        self.on_line(line)
        self.on_serial(line)

    def type_line(self, line: bytes) -> None:
        """Give the board a line on its console; from any thread."""
        self._input.append(line)
        self.clock.wake(self)

    def unread(self) -> int:
        """Bytes typed that the board has not read yet."""
        return sum(len(line) + 1 for line in list(self._input))

    # Store and TUN

    def store_read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def store_write(self, name: str, data) -> None:
        self.files[name] = bytes(data)

    def store_replace(self, blobs) -> None:
        self.files.update({name: bytes(data) for name, data in blobs.items()})

    def store_erase(self) -> None:
        self.files = {name: data for name, data in self.files.items() if name == "board.json"}

    def has_tun(self) -> bool:
        return self.tun is not None

    def tun_read(self) -> bytearray | None:
        return self.tun.read()

    def tun_write(self, packet) -> None:
        self.tun.write(packet)


class _Entropy:
    """Bytes that look random and come out the same for the same board name and seed. For tests only."""

    def __init__(self, name: str, seed: int):
        self._key = f"{name}/{seed}/".encode()
        self._count = 0

    def read(self, n: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(self._key + str(self._count).encode()).digest(n)
