"""The main loop: carries datagrams, packets, console lines and time between the board and the engine."""

from uike import VERSION, event
from uike.crypto import Failure
from uike.trace import Trace
from uike.transient import drop, load
from uike.wire import ipv4

_BURST = 16


def run(board):
    """The appliance on a board, to its end. What must not be used is traced, and ends it."""
    try:
        Appliance(board).run()
    except Failure as failure:
        number, detail = failure.args
        Trace(board)(event.STOPPED, 0, bytes((number,)) + detail)
        if board.life:
            board.life.restart(number, detail)


class Appliance:
    """One board at work. `board` is a platform's Board (`uike.hal`)."""

    def __init__(self, board):
        self.board = board
        self.trace = Trace(board)
        self.trace(event.GREETING, 0, ("uike %s on %s" % (VERSION, board.name)).encode())
        board.report = self._engine_failed
        parts, relays = load("uike.app.boot").start(board, self.trace)
        drop()
        self.users = []  # of the tunnel: each has tick, deadline and receive, see app/ping
        self.session = None  # see app/link
        self.quit_at = None
        self.link = None  # what the board calls its network: our address there
        self.retries = {}  # connection -> when to start it, see app/reconnect
        self.failures = {}  # connection -> attempts since it was last up; None -> how the last SAs ended
        load("uike.app.setup").start(self, parts, relays)
        drop()

    def run(self):
        """Until the board or the console says stop."""
        while self.turn():
            self.board.wait(self.wait_ms(), self.endpoint.sad.outbound)

    def turn(self):
        """Does what is to be done now. False once the board or the console says stop."""
        now = self.board.now()
        self._connect(now)
        self._receive()
        self.endpoint.tick(now)
        if self.users:
            self._serve(now)
        self._deliver(now)
        self.transmit()
        return self.board.running() and not self._over()

    def _serve(self, now):
        for user in list(self.users):
            if not user.tick(self, now):
                self.users.remove(user)

    def _connect(self, now):
        """Follows the network, and starts what is due."""
        link = self.board.link()
        if link != self.link:
            self.link = link
            load("uike.app.reconnect").link_changed(self, link, now)
            drop()
        if self.link and self.retries and min(self.retries.values()) <= now:
            load("uike.app.reconnect").due(self, now)
            drop()

    def _receive(self):
        board = self.board
        for _ in range(_BURST):
            try:
                got = board.udp.receive()
            except MemoryError:
                got = None
            if got is None:
                break
            datagram, remote, port = got
            local = (board.udp.address_for(remote[0]), port)
            self.endpoint.receive(datagram, local, remote, board.now())
            self._deliver(board.now())
            self.transmit()
        packet = board.tun.read() if board.tun else None
        while packet:
            self.endpoint.send_packet(packet, board.now())
            self.transmit()
            packet = board.tun.read()
        line = board.console.read()
        while line:
            self._command(line)
            line = board.console.read()

    def _command(self, line):
        try:
            load("uike.app.link").run(self, line)
        except (ValueError, AttributeError) as error:
            self.trace(event.COMMAND_ERROR, 0, str(error).encode())
        drop()

    def _deliver(self, now):
        for kind, subject, value in self.endpoint.events():
            if kind == event.PACKET:
                self._inner(subject, now)
            elif kind == event.ESTABLISHED:
                self.failures.pop(subject.connection, None)
                self.trace.heap()
            elif kind == event.CLOSED:
                load("uike.app.reconnect").closed(self, subject, value, now)

    def _inner(self, packet, now):
        for user in self.users:
            if user.receive(self, packet, now):
                return
        if self.board.tun:
            self.board.tun.write(packet)
            return
        for child in self.endpoint.sad.outbound:
            answer = ipv4.echo_reply(packet, own_address(child.owner, child.local_ts))
            if answer:
                self.endpoint.send_packet(answer, now)
                return

    def transmit(self):
        for datagram, remote, port in self.endpoint.outgoing():
            self.board.udp.send(datagram, remote, port)

    def wait_ms(self):
        """How long nothing is to be done; None for ever."""
        due = [self.endpoint.next_deadline(), self.quit_at] + [user.deadline() for user in self.users]
        if self.link:
            due += list(self.retries.values())
        due = [at for at in due if at is not None]
        return max(0, min(due) - self.board.now()) if due else None

    def _over(self):
        if self.quit_at is None:
            return False
        return not self.endpoint.sas or self.board.now() >= self.quit_at

    def _engine_failed(self, name, code):
        """An accelerator did not do its work, and software did."""
        self.trace(event.ENGINE_FAULT, 0, bytes((code,)) + name.encode())


def own_address(sa, local_ts):
    """The IPv4 address that is ours in a Child SA of these local selectors: the one that we were assigned, or the first
    host of the first selector; 0.0.0.0 for none."""
    if sa.address and sa.connection.initiator:
        return sa.address
    found = [selector for selector in local_ts if len(selector) == 16]
    selector = found[0] if found else bytes(16)
    start, end = selector[8:12], selector[12:16]
    if start == end:
        return start
    return start[:3] + bytes((start[3] + 1 if start[3] < 255 else 255,))
