"""The pre-shared key of a peer, where a connection has one for each. For `ike/accept`. Transient."""

from uike import iana, reason
from uike.pki.identity import match
from uike.wire.refusal import Refusal

_SHOWN = 30  # bytes of an identity: both fit into a record of the trace


def choose(connection, peer):
    """The secret of `peer`, (ID type, data): of the same identity, else of the longest pattern "*..." that it ends
    like, else the one for any. Refusal, with the peer's identity and the nearest of ours, when there is none."""
    best, secret = -1, connection.psk
    nearest, likeness = b"", -1
    for identity, each in connection.psks:
        rank = _rank(identity, peer)
        if rank > best:
            best, secret = rank, each
        if identity and _likeness(identity[1], peer[1]) > likeness:
            likeness = _likeness(identity[1], peer[1])
            nearest = bytes((identity[0],)) + identity[1][:_SHOWN]
    if not secret:
        shown = peer[1][:_SHOWN]
        said = bytes((len(shown), peer[0])) + shown + nearest
        raise Refusal(reason.NO_PSK_FOR_PEER, iana.AUTHENTICATION_FAILED, said)
    return secret


def _rank(identity, peer):
    """How well a row fits: -1 not at all, 0 as any does."""
    if identity is None:
        return 0
    if match(identity[0], identity[1], peer[0], peer[1], False):
        return 1 << 16
    return len(identity[1]) if match(identity[0], identity[1], peer[0], peer[1]) else -1


def _likeness(ours, theirs):
    """Bytes that two identities have in common at both ends."""
    size = min(len(ours), len(theirs))
    front = back = 0
    while front < size and ours[front] == theirs[front]:
        front += 1
    while back < size and ours[-1 - back] == theirs[-1 - back]:
        back += 1
    return front + back
