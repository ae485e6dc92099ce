"""The stack: inner packets and time in, inner packets out. No socket, clock or tunnel inside (`uike.app.tunnel` has
them).

    stack.receive(packet, now)          an inner packet came in
    stack.next_packet(now)              the next one that wants to leave, until there is none
    stack.tick(now); stack.deadline()   what time asks for, and when
    stack.udp(), stack.tcp()            the sockets of each protocol, whose code is loaded when they are first asked for
"""

from uike import iana, reason
from uike.wire import ipv4

_PORTS_FROM, _PORTS = 49_152, 16_384  # ephemeral ones (RFC 6335 section 6)
_DRAWS = 16
_ENOBUFS = 105
_EHOSTUNREACH = 113


class Stack:
    """route(address of four bytes) -> (our own towards it, bytes that a packet may have), or None; random(n) the
    DRBG's."""

    def __init__(self, route, random):
        self.route = route
        self.random = random
        self.protocols = {}

    def udp(self):
        if iana.IPPROTO_UDP not in self.protocols:
            from uike.net.udp import Udp

            self.protocols[iana.IPPROTO_UDP] = Udp(self)
        return self.protocols[iana.IPPROTO_UDP]

    def tcp(self):
        if iana.IPPROTO_TCP not in self.protocols:
            from uike.net.connections import Tcp

            self.protocols[iana.IPPROTO_TCP] = Tcp(self)
        return self.protocols[iana.IPPROTO_TCP]

    def receive(self, packet, now):
        """Takes a packet. Returns 0, or the reason why it was dropped; None for one that is not for this stack."""
        protocol = self.protocols.get(packet[9]) if len(packet) > 9 else None
        if protocol is None:
            return None
        at = ipv4.payload(packet)
        if not at:
            return reason.NET_PACKET
        found = self.route(bytes(packet[12:16]))
        if not found or found[0] != packet[16:20]:
            return None
        return protocol.receive(packet, at, now)

    def next_packet(self, now):
        """The next packet to send; None when nothing is to be sent now."""
        for protocol in self.protocols.values():
            packet = protocol.next_packet(now)
            if packet:
                return packet
        return None

    def tick(self, now):
        for protocol in self.protocols.values():
            protocol.tick(now)

    def busy(self):
        """Whether something of ours has not left, or a connection has not ended."""
        return bool([protocol for protocol in self.protocols.values() if protocol.busy()])

    def deadline(self):
        """When `tick` wants to be called, in ms; None when nothing is awaited."""
        due = [protocol.deadline() for protocol in self.protocols.values()]
        due = [at for at in due if at is not None]
        return min(due) if due else None

    # -- lent to the protocols ---------------------------------------------------------------------------------------

    def towards(self, address):
        """(our address, bytes that a packet may have) towards another one. OSError when no tunnel leads there."""
        found = self.route(address)
        if not found:
            raise OSError(_EHOSTUNREACH)
        return found

    def free_port(self, taken):
        """An unpredictable port for which taken(port) is false (RFC 6056)."""
        for _ in range(_DRAWS):
            port = _PORTS_FROM + int.from_bytes(self.random(2), "big") % _PORTS
            if not taken(port):
                return port
        raise OSError(_ENOBUFS)
