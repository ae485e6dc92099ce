"""A relay of UDP: each peer that sends has a socket of its own on the other side, so that answers find back to it.

For `uike.app.relay`, loaded when the configuration has one.
"""

from uike import event, reason
from uike.wire.address import pack, text

_BURST = 4  # datagrams a turn


class UdpRelay:
    tokens = filled_at = 0

    def __init__(self, relays, number, row):
        self.relays = relays
        self.number = number
        self.listen, self.to, self.side, _, self.connections, self.rate, self.idle_ms = row
        self.pairs = {}  # (address, port) of a peer: [socket on the other side, time of its last datagram]
        self._here = self._there = None
        if self.side == "lan":
            self._here, self._there = LanSide(relays.lan), TunnelSide(relays.tunnel.stack)
        else:
            self._here, self._there = TunnelSide(relays.tunnel.stack), LanSide(relays.lan)
        self._socket = None

    def tick(self, now):
        """Carries datagrams both ways. Returns how many bytes."""
        if self._socket is None:
            try:
                self._socket = self._here.open(self.listen)
            except OSError:
                return 0
        moved = 0
        for _ in range(_BURST):
            if self.rate and self.tokens <= 0:
                return moved
            found = self._here.read(self._socket)
            if not found:
                break
            moved += self._count(self._carry(found[0], found[1], now))
        for peer, row in list(self.pairs.items()):
            found = self._there.read(row[0])
            if found and found[1] == self.to:
                row[1] = now
                self._here.write(self._socket, found[0], peer)
                moved += self._count(len(found[0]))
            elif now - row[1] >= self.idle_ms:
                self._forget(peer)
        return moved

    def _count(self, size):
        self.tokens -= size
        return size

    def _carry(self, data, peer, now):
        """One datagram of a peer, to the target. Returns how many bytes went."""
        try:
            if peer not in self.pairs:
                if len(self.pairs) >= self.connections:
                    self._forget(min(self.pairs, key=lambda each: self.pairs[each][1]))
                self.pairs[peer] = [self._there.open(None), now]
            self.pairs[peer][1] = now
            self._there.write(self.pairs[peer][0], data, self.to)
            return len(data)
        except OSError:
            body = bytes((self.number, reason.NET_UNREACHABLE)) + peer[0] + peer[1].to_bytes(2, "big")
            self.relays.trace(event.RELAY_REFUSED, 0, body)
            return 0

    def _forget(self, peer):
        self._there.close(self.pairs.pop(peer)[0])


class TunnelSide:
    """UDP in the tunnel; places are (address of four bytes, port)."""

    def __init__(self, stack):
        self._udp = stack.udp()

    def open(self, place):
        return self._udp.open(place[1] if place else 0)

    def read(self, socket):
        return socket.read()

    def write(self, socket, data, place):
        socket.write(data, place[0], place[1])

    def close(self, socket):
        socket.close()


class LanSide:
    """UDP in the local network."""

    def __init__(self, lan):
        self._lan = lan

    def open(self, place):
        return self._lan.bind(text(place[0]), place[1]) if place else self._lan.bind("0.0.0.0", 0)

    def read(self, socket):
        found = self._lan.receive_from(socket)
        return (found[0], (pack(found[1][0]), found[1][1])) if found else None

    def write(self, socket, data, place):
        self._lan.send_to(socket, data, (text(place[0]), place[1]))

    def close(self, socket):
        self._lan.close(socket)
