"""UDP for emulated boards: the PC's sockets, or a switch inside this process.

Both give a port object with the operations of the firmware's `Board.udp`. Datagrams are told apart by the local port
they used in the protocol's own numbers, 500 and 4500, even where the PC let us have others only.
"""

import collections
import errno
import random
import socket

DATAGRAM_MAX = 2048  # bytes; a longer datagram is dropped and counted, as a board's receive buffer would cut it off
QUEUE_MAX = 64  # datagrams waiting for one board


class Counters:
    """Datagrams that a port moved, and those it dropped with the reason."""

    def __init__(self):
        self.received = self.sent = self.empty = self.too_long = self.overflow = self.unreachable = 0


class SocketPort:
    """Real UDP sockets, one for each local port."""

    def __init__(self, local: str = "0.0.0.0"):
        self.local = local
        self.counters = Counters()
        self.mapping: dict[int, int] = {}  # nominal port to the one we have
        self._sockets: dict[int, socket.socket] = {}
        self._turn = 0

    def open(self, ports) -> None:
        """Bind each port. One that is taken, or needs a privilege we lack, becomes another, see `mapping`.

        A port that is open already stays as it is. OSError for any other trouble.
        """
        for port in ports:
            if port in self._sockets:
                continue
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            try:
                try:
                    sock.bind((self.local, port))
                except OSError as error:
                    if error.errno not in (errno.EACCES, errno.EADDRINUSE):
                        raise
                    sock.bind((self.local, 0))
            except OSError:
                sock.close()
                self.close()
                raise
            self._sockets[port] = sock
            self.mapping[port] = sock.getsockname()[1]

    @property
    def elsewhere(self) -> bool:
        """True when a port could not be had, so that no peer can find us."""
        return any(port != have for port, have in self.mapping.items())

    def close(self) -> None:
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()

    def descriptors(self) -> list[int]:
        """File descriptors that become readable when a datagram comes."""
        return [sock.fileno() for sock in self._sockets.values()]

    def pending(self) -> bool:
        """False: unknown without asking the kernel, which the wait does."""
        return False

    def receive(self):
        """(datagram, (address, port), nominal local port), or None. Sockets take turns, so that none starves."""
        ports = list(self._sockets)
        for offset in range(len(ports)):
            index = (self._turn + offset) % len(ports)
            got = self._receive(self._sockets[ports[index]])
            if got:
                self._turn = index + 1
                return bytearray(got[0]), got[1], ports[index]
        return None

    def _receive(self, sock):
        for _ in range(QUEUE_MAX):
            try:
                data, source = sock.recvfrom(65536)
            except BlockingIOError:
                return None
            except OSError:  # an ICMP error of an earlier datagram: IKE must not believe it (RFC 7296 section 2.21)
                self.counters.unreachable += 1
                continue
            if not data:
                self.counters.empty += 1
            elif len(data) > DATAGRAM_MAX:
                self.counters.too_long += 1
            else:
                self.counters.received += 1
                return data, source
        return None

    def send(self, datagram, destination, local_port) -> bool:
        """False when the kernel has no room now. An address that cannot be reached counts as lost on the way."""
        try:
            self._sockets[local_port].sendto(datagram, destination)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                return False
            self.counters.unreachable += 1
        else:
            self.counters.sent += 1
        return True

    def address_for(self, address: str) -> str:
        """The address we would send from; "0.0.0.0" when there is no route."""
        if self.local != "0.0.0.0":
            return self.local
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.connect((address, 4500))
            except OSError:
                return "0.0.0.0"
            return sock.getsockname()[0]

    def resolve(self, name: str) -> str | None:
        try:
            return socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_DGRAM)[0][4][0]
        except (OSError, UnicodeError):
            return None


class Switch:
    """An IPv4 network in this process, with faults on demand. Same seed, same faults."""

    def __init__(self, clock, *, seed: int = 0, latency_ms: int = 0, jitter_ms: int = 0, loss=0.0, duplicate=0.0):
        """`loss` and `duplicate` are probabilities; the delays need a virtual clock."""
        self.clock = clock
        self.latency_ms, self.jitter_ms = latency_ms, jitter_ms
        self.loss, self.duplicate = loss, duplicate
        self.names: dict[str, str] = {}
        self.log: list[tuple] = []  # (ms, source, destination, datagram) of everything sent, when `recording`
        self.recording = False
        self._ports: dict[str, SwitchPort] = {}
        self._random = random.Random(seed)

    def attach(self, address: str) -> "SwitchPort":
        """A port for a board at this IPv4 address."""
        self._ports[address] = SwitchPort(self, address)
        return self._ports[address]

    def move(self, port: "SwitchPort", address: str) -> None:
        """A board's port has another address from now on, as when its DHCP server gives it one."""
        del self._ports[port.address]
        port.address = address
        self._ports[address] = port

    def inject(self, datagram: bytes, source: tuple[str, int], destination: tuple[str, int]) -> None:
        """A datagram from anywhere, delivered like any other."""
        self.carry(bytes(datagram), source, destination)

    def carry(self, datagram: bytes, source, destination) -> None:
        if self.recording:
            self.log.append((self.clock.now(), source, destination, datagram))
        copies = 0 if self.loss and self._random.random() < self.loss else 1
        if copies and self.duplicate and self._random.random() < self.duplicate:
            copies = 2
        for _ in range(copies):
            delay = self.latency_ms + (self._random.randint(0, self.jitter_ms) if self.jitter_ms else 0)
            self.clock.after(delay, lambda: self._deliver(datagram, source, destination))

    def _deliver(self, datagram, source, destination) -> None:
        port = self._ports.get(destination[0])
        if port:
            port.put(datagram, source, destination[1])


class SwitchPort:
    """One board's place at a switch."""

    mapping: dict = {}
    elsewhere = False

    def __init__(self, switch: Switch, address: str):
        self.switch = switch
        self.address = address
        self.counters = Counters()
        self.on_arrival = lambda: None
        self._open: tuple = ()
        self._queue: collections.deque = collections.deque()

    def open(self, ports) -> None:
        self._open = tuple(ports)

    def close(self) -> None:
        self._open = ()

    def descriptors(self) -> list[int]:
        return []

    def pending(self) -> bool:
        return bool(self._queue)

    def put(self, datagram: bytes, source, local_port: int) -> None:
        """A datagram arrives; from any thread."""
        if local_port not in self._open:
            self.counters.unreachable += 1
        elif not datagram:
            self.counters.empty += 1
        elif len(datagram) > DATAGRAM_MAX:
            self.counters.too_long += 1
        elif len(self._queue) >= QUEUE_MAX:
            self.counters.overflow += 1
        else:
            self.counters.received += 1
            self._queue.append((datagram, source, local_port))
            self.on_arrival()

    def receive(self):
        try:
            datagram, source, local_port = self._queue.popleft()
        except IndexError:
            return None
        return bytearray(datagram), source, local_port

    def send(self, datagram, destination, local_port) -> bool:
        self.counters.sent += 1
        self.switch.carry(bytes(datagram), (self.address, local_port), (destination[0], destination[1]))
        return True

    def address_for(self, address: str) -> str:
        return self.address

    def resolve(self, name: str) -> str | None:
        parts = name.split(".")
        if len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts):
            return name
        return self.switch.names.get(name)
