"""The appliance for programs: a stack whose packets go through its tunnels, and turns of its loop while they wait.

    tunnel = start(board)           power-on, as `uike.app.run` does it
    tunnel.up(30_000)               waits until a tunnel is up
    s = tunnel.socket()             as MicroPython's, see `uike.net.socket`; `uike.net.stream` for asyncio
    tunnel.wait(condition, 1_000)   lets the appliance work; tunnel.poll(ms) for a loop of one's own

Used by relays and programs; an appliance without them never loads it. The names of these functions are among those that
an image keeps (`host_tools/shorten.py`), so that programs find them.
"""

from uike import event, reason
from uike.app.run import Appliance
from uike.net.path import UNKNOWN_MTU, inner_mtu
from uike.net.stack import Stack
from uike.wire.own import own_address

_BURST = 8  # packets of ours, before others have their turn
_TURN_MS = 1_000
_CLOSE_MS = 3_000


def start(board, streams=True):
    """A Tunnel: the appliance on a board (`uike.hal`), for a program. Without `streams` TCP is not loaded."""
    return Tunnel(Appliance(board), streams)


class Tunnel:
    """`stack` is a `uike.net.stack.Stack`."""

    def __init__(self, appliance, streams=True):
        """Before the tunnel is up, so that the code is laid into one piece of the heap; `streams`: that of TCP too."""
        self.appliance = appliance
        self.stack = Stack(self._route, appliance.endpoint.random)
        self._known = {}
        self._children = []
        self._more = False
        appliance.users.append(self)
        if streams:
            self.stack.tcp()

    # -- for programs ------------------------------------------------------------------------------------------------

    def up(self, timeout_ms=30_000):
        """Waits until a tunnel is up. Whether it came to that."""
        return bool(self.wait(lambda: self.appliance.endpoint.sad.outbound, timeout_ms))

    def wait(self, attempt, timeout_ms=None):
        """Lets the appliance work until attempt() is true: returns that, or what it was when the time was over or the
        appliance is to stop."""
        end = None if timeout_ms is None else self.now() + timeout_ms
        found, most = attempt(), 0  # at first only what is written goes out
        while not found and (end is None or self.now() < end) and self.poll(most):
            found = attempt()
            most = _TURN_MS if end is None else min(_TURN_MS, max(0, end - self.now()))
        return found

    def poll(self, most_ms=_TURN_MS):
        """Sleeps until something is to be done, at most so long, then does it. False once the appliance is to stop."""
        due, up = self.appliance.wait_ms(), self.appliance.endpoint.sad.outbound
        self.appliance.board.wait(most_ms if due is None else min(due, most_ms), up)
        return self.appliance.turn()

    def now(self):
        return self.appliance.board.now()

    def socket(self, *kind):
        """A socket whose peer is behind the tunnel; further arguments as of MicroPython's `socket.socket`."""
        from uike.net import socket

        socket.tunnel = self
        return socket.socket(*kind)

    def close(self):
        """Ends the tunnels, and the appliance with them, once what is written has left."""
        self.wait(lambda: not self.stack.busy(), _CLOSE_MS)
        now = self.now()
        self.appliance.endpoint.close(None, now)
        self.appliance.quit_at = now + _TURN_MS
        self.wait(lambda: False)

    def dissolve(self):
        """It is of no use any more, and no part of it leads to the others."""
        self.stack.protocols.clear()
        self.stack = self.appliance = None

    # -- for the appliance -------------------------------------------------------------------------------------------

    def receive(self, appliance, packet, now):
        """Whether the inner packet is for the stack."""
        try:
            why = self.stack.receive(packet, now)
        except MemoryError:
            why = reason.NO_MEMORY
        if why and why != reason.TCP_SEQUENCE:  # repetitions are the daily life of TCP
            appliance.endpoint.drop(why)
        return why is not None

    def tick(self, appliance, now):
        """Sends what is due."""
        try:
            self.stack.tick(now)
            self._more = self._send(appliance, now)
        except MemoryError:
            appliance.endpoint.drop(reason.NO_MEMORY)
        return True

    def _send(self, appliance, now):
        for _ in range(_BURST):
            packet = self.stack.next_packet(now)
            if packet is None:
                return False
            appliance.endpoint.send_packet(packet, now)
            appliance.transmit()
        return True

    def deadline(self):
        """When `tick` wants to be called."""
        return 0 if self._more else self.stack.deadline()

    def _route(self, address):
        """(our address, bytes of a packet) towards `address`, or None: what the Child SAs say, until they change."""
        outbound = self.appliance.endpoint.sad.outbound
        if outbound != self._children:
            self._children = list(outbound)
            self._known = {}
        if address not in self._known:
            if len(self._known) >= _BURST:
                self._known = {}
            self._known[address] = self._find(address)
        return self._known[address]

    def _find(self, address):
        endpoint = self.appliance.endpoint
        for child in endpoint.sad.outbound:
            own = child.own
            if any(own) and _covers(child.remote_ts, address):
                mtu = inner_mtu(child.seal, self.appliance.board.heap())
                self.appliance.trace(event.INNER_PATH, child.owner.number, own + mtu.to_bytes(2, "big"))
                return own, mtu
        for sa in endpoint.sas:  # whose first packet makes the Child SA
            for policy in sa.connection.policies():
                own = own_address(sa, policy.local_ts)
                if any(own) and _covers(policy.remote_ts, address):
                    return own, UNKNOWN_MTU
        return None


def _covers(selectors, address):
    for selector in selectors:
        if len(selector) == 16 and selector[8:12] <= address <= selector[12:16]:
            return True
    return False
