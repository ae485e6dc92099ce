"""Puts the fragments of a message together: RFC 7383 section 2.6. Transient: loaded by `ike/sk` for a fragment whose
ICV is right, and not before.

An SA holds at most one request and one response in the making. Their bytes lie in order in the buffer that becomes the
message: it is reserved once, for the size that the first fragment promises, and what comes late is shifted in.
"""

from uike import event, reason
from uike.wire import fragment
from uike.wire.message import HEADER
from uike.wire.refusal import Refusal

FRAGMENTS_MAX = 32  # of one message
MESSAGE_MAX = 8192  # bytes of one message
HELD_MAX = 12288  # bytes reserved for all SAs
HELD_MS = 30_000
# The same while the peer is a stranger: anybody can come as far as that
SETUP_MESSAGE_MAX = 6144
SETUP_HELD_MAX = 8192
SETUP_HELD_MS = 15_000


class Parts:
    """What has come of one message."""

    def __init__(self, message, total):
        self.id = message.id
        self.exchange = message.exchange
        self.total = total
        self.sizes = {}  # number of a fragment -> its bytes
        self.first = 0  # payload type, from fragment 1
        self.buffer = bytearray(message.buffer[:HEADER])
        self.room = HEADER

    def reserve(self, size):
        """Makes room for `size` bytes in all: a bytearray that shrinks keeps its memory."""
        try:
            buffer = bytearray(size)
        except MemoryError:
            raise Refusal(reason.NO_MEMORY)
        used = len(self.buffer)
        buffer[:used] = self.buffer
        buffer[used:] = b""
        self.buffer, self.room = buffer, size


def add(sa, message, start, end):
    """Keeps the part at [start:end] of an authentic fragment. Returns True when `message` is now the whole message, its
    payloads read; raises Refusal for a fragment that is of no use."""
    if end < start:
        raise Refusal(reason.BAD_PADDING)
    number, total = fragment.read(message.buffer)
    parts = _parts(sa, message, number, total)
    size = end - start
    _make_room(sa, message.response, parts, size)
    at = HEADER
    for other in parts.sizes:
        if other < number:
            at += parts.sizes[other]
    parts.buffer[at:at] = memoryview(message.buffer)[start:end]
    parts.sizes[number] = size
    if number == 1:
        parts.first = message.buffer[HEADER]  # says nothing in the others
    if sa.fragments.get(message.response) is not parts:
        sa.fragments[message.response] = parts
        sa.fragments_until = sa.endpoint.now + (SETUP_HELD_MS if _is_stranger(sa) else HELD_MS)
    if sa.endpoint.trace:
        sa.endpoint.trace(event.FRAGMENT, sa.number, fragment.describe(False, message.buffer))
    if len(parts.sizes) < total:
        return False
    sa.fragments.pop(message.response)
    message.buffer, message.first = parts.buffer, parts.first
    message.authentic = True
    message.read(parts.first, HEADER, len(parts.buffer))
    return True


def _parts(sa, message, number, total):
    """The Parts that this fragment belongs to, new ones if need be."""
    if not 1 <= number <= total:
        raise Refusal(reason.FRAGMENT_NUMBER)
    if total > FRAGMENTS_MAX:
        raise Refusal(reason.TOO_MANY_FRAGMENTS)
    parts = sa.fragments.get(message.response)
    if parts is None or parts.id != message.id or parts.total < total:  # more of them: the peer cut it anew
        return Parts(message, total)
    if total < parts.total or message.exchange != parts.exchange:
        raise Refusal(reason.FRAGMENT_STALE)
    if number in parts.sizes:
        raise Refusal(reason.FRAGMENT_REPEATED)
    return parts


def _make_room(sa, response, parts, size):
    """Raises Refusal when `size` bytes more are too many for the message, or for all SAs together."""
    stranger = _is_stranger(sa)
    limit, held_max = (SETUP_MESSAGE_MAX, SETUP_HELD_MAX) if stranger else (MESSAGE_MAX, HELD_MAX)
    needed = len(parts.buffer) + size
    if needed > limit:
        sa.fragments.pop(response, None)
        raise Refusal(reason.FRAGMENTS_TOO_LONG)
    if needed <= parts.room:
        return
    room = max(needed, min(limit, HEADER + parts.total * size))
    held = room
    for other in sa.endpoint.sas:
        if not stranger or _is_stranger(other):
            for key in other.fragments:
                if other is not sa or key != response:
                    held += other.fragments[key].room
    if held > held_max:
        raise Refusal(reason.FRAGMENTS_HELD)
    if response in sa.fragments and sa.fragments[response] is not parts:
        sa.fragments.pop(response)  # superseded: its memory first
    parts.reserve(room)


def _is_stranger(sa):
    return sa.state == event.STATE_AUTH
