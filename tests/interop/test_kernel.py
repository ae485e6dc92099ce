"""Our TCP and UDP against Linux's, through a TUN device: 1 MB both ways at once, with loss and reordering."""

import socket

import pytest

from host_tools.peers.inside import listening
from tests.interop.kernel import kernel
from tests.net.transfer import Kernels, Ours, transfer
from tests.net.wire import OURS, THEIRS
from uike import event

MEGABYTE = 1_000_000


def to_kernel(wire, size):
    """(our connection to the kernel, its socket)."""
    listener = listening(socket.inet_ntoa(THEIRS), 80)
    listener.setblocking(False)
    connection = wire.stack.tcp().connect(THEIRS, 80, size=size)
    accepted = []

    def over():
        try:
            accepted.append(listener.accept()[0])
        except BlockingIOError:
            return False
        return connection.state == event.STATE_TCP_ESTABLISHED

    assert wire.run(over)
    listener.close()
    return connection, accepted[0]


def from_kernel(wire, size):
    """(our end of a connection that the kernel began, its socket)."""
    listener = wire.stack.tcp().listen(80, size=size)
    sock = socket.socket()
    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.connect((socket.inet_ntoa(OURS), 80))
    assert wire.run(lambda: listener.ready)
    return listener.accept(), sock


@pytest.mark.parametrize("begin", [to_kernel, from_kernel])
@pytest.mark.parametrize(("size", "loss", "reorder"), [(4_096, 0, 0), (16_384, 0.05, 0.05)])
def test_a_megabyte_both_ways(begin, size, loss, reorder):
    with kernel(loss=loss, reorder=reorder) as wire:
        ours, theirs = begin(wire, size)
        transfer(lambda until: wire.run(until, 90), Ours(ours), Kernels(theirs), MEGABYTE)
        theirs.close()
