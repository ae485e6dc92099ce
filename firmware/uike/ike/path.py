"""Where an IKE SA and its Child SAs go: (address, port) here and there, and when that changes without MOBIKE (RFC 7296
section 2.23). Called by the endpoint when an authentic packet came along another path."""

from uike import event
from uike.ike.exchange import pack_where


class Path:
    """One of them; an IKE SA and a received message have the same two attributes."""

    def __init__(self, local, remote):
        self.local = local
        self.remote = remote


def follow(sa, local, remote):
    """An authentic packet, newer than all before it, came along this path: is the peer there now?

    The question arises only for the responder of a connection, whatever its role in this IKE SA, and without MOBIKE:

    1. An initiator never follows. It knows its gateway by configuration; that the gateway seems to be behind a NAT may
       be no more than its wish for ESP in UDP, as it is with ours (`ike/natd`).
    2. With MOBIKE the initiator says when it moves, and proves it (`ike/mobike`).
    3. A responder behind a NAT does not follow, unless the peer is behind one too, or says so: a peer with an address
       of its own keeps it, and it could only be someone on our side of our NAT who shows another.

    A replay is refused before it gets here, and so is an ESP packet that is not the newest; a forgery is not authentic.
    What remains is who can hold a packet back and send it from elsewhere: the next one of the peer moves us back."""
    if sa.setup or not sa.behind_nat or sa.peer_behind_nat:
        move(sa, local, remote)


def move(sa, local, remote):
    """From now on this SA and its Child SAs go along this path."""
    if sa.endpoint.trace and not sa.setup:  # before it is up, it floats to port 4500
        body = pack_where(sa.local) + pack_where(sa.remote) + pack_where(local) + pack_where(remote)
        sa.endpoint.trace(event.ADDRESS_CHANGED, sa.number, body)
    sa.local, sa.remote = local, remote
