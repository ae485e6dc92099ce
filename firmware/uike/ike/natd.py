"""NAT detection in IKE_SA_INIT (RFC 7296 section 2.23).

MicroPython has no raw sockets worth the name, so our ESP is always in UDP. We make every peer agree to that by sending
a source hash that matches nothing: to the peer we are behind a NAT, whether there is one or not.
"""

import struct

from uike import event, iana
from uike.wire.address import pack
from uike.wire.message import notify

_HASH = 20


def notifies(sa, path=None):
    """The two NAT_DETECTION notifies of a message that goes along `path`, an `ike/path.Path`; None for the SA's own."""
    destination = _hash(sa, sa.spi_i + sa.spi_r, (path or sa).remote)
    return [
        notify(iana.NAT_DETECTION_SOURCE_IP, sa.endpoint.random(_HASH)),
        notify(iana.NAT_DETECTION_DESTINATION_IP, destination),
    ]


def detect(sa, message, path=None):
    """Reads the peer's hashes. Sets `behind_nat` when our address is not the one that the peer sees, and
    `peer_behind_nat` when the peer says that it sends from another one than we see.

    Returns False when the peer sent none: it cannot encapsulate ESP in UDP."""
    spis = message.spi_i + message.spi_r
    sources = seen = None
    path = path or sa
    theirs = _hash(sa, spis, path.remote)
    for kind, data in message.notifies():
        if len(data) != _HASH:
            continue
        if kind == iana.NAT_DETECTION_SOURCE_IP:
            sources = bool(sources) or data == theirs  # one for each address that the peer might send from
        elif kind == iana.NAT_DETECTION_DESTINATION_IP:
            seen = data
    supported = sources is not None and seen is not None
    sa.behind_nat = supported and seen != _hash(sa, spis, path.local)
    sa.peer_behind_nat = supported and not sources
    if sa.behind_nat or sa.seen:
        sa.seen = seen
    if sa.endpoint.trace:
        sa.endpoint.trace(event.NAT, sa.number, bytes((sa.behind_nat, sa.peer_behind_nat, supported)))
    return supported


def _hash(sa, spis, where):
    return sa.endpoint.crypto.sha1(spis + pack(where[0]) + struct.pack(">H", where[1]))
