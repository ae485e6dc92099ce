"""Datagrams and keys in the trace, when the configuration asks for them: `trace_datagrams`, `trace_keys`.

Put between the appliance and its board at power-on (`uike.app.boot`) or by the console; a board that is not asked has
none of this in memory. Keys are all that a reader needs to decrypt every tunnel: nothing else lets them out.
"""

import struct

from uike import event
from uike.wire.address import pack


class Udp:
    """The board's UDP, and a record of each datagram that passes."""

    def __init__(self, board, trace):
        self.inner = board.udp
        self.trace = trace
        for name in ("open", "address_for", "resolve", "sockets"):
            if hasattr(self.inner, name):
                setattr(self, name, getattr(self.inner, name))

    def receive(self):
        got = self.inner.receive()
        if got:
            self._say(0, got[0], got[1], got[2])
        return got

    def send(self, datagram, destination, local_port):
        self._say(1, datagram, destination, local_port)
        return self.inner.send(datagram, destination, local_port)

    def _say(self, out, datagram, remote, local_port):
        try:
            where = pack(self.inner.address_for(remote[0])) + struct.pack(">H", local_port)
            where += pack(remote[0]) + struct.pack(">H", remote[1])
            self.trace(event.DATAGRAM, 0, bytes((out,)) + where + datagram)
        except MemoryError:  # the datagram goes its way all the same
            pass


def datagrams(board, trace):
    """From here on each datagram is traced."""
    if type(board.udp) is not Udp:
        board.udp = Udp(board, trace)


def keys(crypto, trace):
    """From here on each key is traced that a cipher is made with: of both directions, the initiator's first."""
    cipher = crypto.cipher

    def told(encr, key, integ, integ_key):
        trace(event.KEYS, 0, struct.pack(">HBHB", encr, len(key), integ, len(integ_key)) + key + integ_key)
        return cipher(encr, key, integ, integ_key)

    crypto.cipher = told
