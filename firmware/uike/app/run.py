"""The main loop: carries datagrams, packets, console lines and time between the board and the engine."""

from uike import event, reason
from uike.crypto import Failure
from uike.trace import Trace
from uike.transient import drop, load
from uike.wire import ipv4

_BURST = 16
_PATIENCE_MS = 1_000


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
        board.report = self._engine_failed
        parts, relays = load("uike.app.boot").start(board, self.trace)
        drop()
        self.users = []  # of the tunnel: each has tick, deadline and receive, see app/ping
        self.serving = False  # whether one of them is at work
        self.session = None  # see app/link
        self.quit_at = None
        self.link = None  # what the board calls its network: our address there
        self.ended = []  # (SA, reason), each until there was memory to look at it
        self.look_at = 0  # at that again, if there was none
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
        self.serving = False
        try:
            self._follow(now)
            self._receive()
            self.endpoint.tick(now)
            if self.users:
                self._serve(now)
            self._deliver(now)
            self.transmit()
        except MemoryError:  # as if the network had lost something
            self.endpoint.drop(reason.NO_MEMORY)
        if self.quit_at is not None and (not self.endpoint.sas or self.board.now() >= self.quit_at):
            return False
        return self.board.running()

    def _serve(self, now):
        self.serving = True
        for user in list(self.users):
            if not user.tick(self, now):
                self.users.remove(user)
        self.serving = False

    def _follow(self, now):
        """Follows the network and what ended, and starts what is due; without the memory for that, a second later."""
        link = self.board.link()
        due = link and self.retries and min(self.retries.values()) <= now
        if now >= self.look_at and (due or self.ended or link != self.link or self.look_at):
            try:
                load("uike.app.reconnect").follow(self, link, now)
                self.look_at = 0
            except MemoryError:
                self.look_at = now + _PATIENCE_MS
                self.endpoint.drop(reason.NO_MEMORY)
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
            got = datagram = None  # a datagram is long, and what follows may want its place
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
        except (ValueError, AttributeError, MemoryError) as error:
            self.trace(event.COMMAND_ERROR, 0, str(error).encode())
        drop()

    def _deliver(self, now):
        for kind, subject, value in self.endpoint.events():
            if kind == event.PACKET:
                self.serving = True
                self._inner(subject, now)
                self.serving = False
            elif kind == event.ESTABLISHED:
                self.failures.pop(subject.connection, None)
                self.trace.heap()
            elif kind == event.CLOSED:
                self.ended.append((subject, value))

    def _inner(self, packet, now):
        try:
            for user in self.users:
                if user.receive(self, packet, now):
                    return
            if self.board.tun:
                self.board.tun.write(packet)
                return
            for child in self.endpoint.sad.outbound:
                answer = ipv4.echo_reply(packet, child.own)
                if answer:
                    self.endpoint.send_packet(answer, now)
                    return
        except MemoryError:
            self.endpoint.drop(reason.NO_MEMORY)

    def transmit(self):
        for datagram, remote, port in self.endpoint.outgoing():
            self.board.udp.send(datagram, remote, port)

    def wait_ms(self):
        """How long nothing is to be done; None for ever."""
        due = [self.endpoint.next_deadline(), self.quit_at] + [user.deadline() for user in self.users]
        if self.look_at or self.ended:
            due.append(self.look_at)
        elif self.link:
            due += self.retries.values()
        while None in due:
            due.remove(None)
        return max(0, min(due) - self.board.now()) if due else None

    def _engine_failed(self, name, code):
        """An accelerator did not do its work, and software did."""
        self.trace(event.ENGINE_FAULT, 0, bytes((code,)) + name.encode())
