"""The link: commands and their answers as frames in lines of the console, beside whatever else is printed there.

    line     "@" and the base64 of a frame, 194 bytes at most: a board buffers 260 and has no flow control
    frame    kind(1) session(2) number(1) left(2) data(0..134) CRC-32(4), big endian

    host                                             board
    HELLO  session, version                    -->
                                               <--   HELLO  session, version, longest request; its greeting
    SEND   session, number, left, data         -->         the request of that number; `left` bytes of it follow
                                               <--   SEND   session, number, left: bytes that are still wanted
    PULL   session, number, offset; size       -->
                                               <--   PULL   session, number, left, data of the answer from that offset
    CLOSE  session                             -->
                                               <--   CLOSE  session

The host asks and repeats, with one line under way at a time; the board only answers, so it needs no clock, and each of
its answers follows from what it holds: a frame that comes twice changes nothing. What is acknowledged is a number of
bytes, so the host may cut the same request into smaller pieces when lines get lost. LOST is the answer to a session
that the board does not know: one of the two has started anew.

A request is a line of JSON and, after a line feed, bytes; its answer is JSON. It stays in the pieces that it came in:
beside a tunnel there is room for it, but not in one place. For `uike.app.run`, then dropped; the host uses `pack` and
`unpack` too (`host_tools/link.py`).
"""

import json
import struct
from binascii import a2b_base64, b2a_base64, crc32

from uike import VERSION
from uike.transient import load

PROTOCOL = 1
HELLO = 1
SEND = 2
PULL = 3
CLOSE = 4
LOST = 5
ANSWER = 128  # in the kind of what a board says: an echo of our own is no answer

DATA_MAX = 134  # bytes in a frame
REQUEST_MAX = 16384  # bytes
MARK = b"@"
_HEAD = ">BHBH"
_HEAD_SIZE = 6
_SUM = 4

_PARTS = {  # what does a command; the others are the console's
    "status": "uike.app.status",
    "provision": "uike.app.provision",
    "reset": "uike.app.provision",
    "challenge": "uike.app.admin",
    "csr": "uike.app.carry",
    "cert": "uike.app.carry",
    "update": "uike.app.carry",
}


def pack(kind, session, number, left, data=b""):
    """A line, without its end."""
    frame = struct.pack(_HEAD, kind, session, number, left) + data
    return MARK + b2a_base64(frame + crc32(frame).to_bytes(_SUM, "big"))[:-1]


def unpack(line):
    """(kind, session, number, left, data) of a line, whatever stands before the frame in it; None when there is none
    that is whole."""
    _, mark, text = line.rpartition(MARK)
    try:
        frame = a2b_base64(text)
    except ValueError:
        return None
    if not mark or len(frame) < _HEAD_SIZE + _SUM or crc32(frame[:-_SUM]).to_bytes(_SUM, "big") != frame[-_SUM:]:
        return None
    return struct.unpack_from(_HEAD, frame, 0) + (frame[_HEAD_SIZE:-_SUM],)


def run(appliance, line):
    """Takes a line of the console: a frame of the link, or a command that somebody typed. ValueError for neither."""
    frame = unpack(line)
    if frame:
        state = appliance.session
        answer = _answer(appliance, *frame)
        if answer:
            kind, session, number, left, data = answer
            appliance.board.console.write(pack(kind | ANSWER, session, number, left, data))
        if state and state[6] and not appliance.session:
            _restart(appliance)
    elif MARK not in line:
        try:
            load("uike.app.console").run(appliance, line)
        except MemoryError:
            raise ValueError("not enough memory")


def _answer(appliance, kind, session, number, left, data):
    """What to say to a frame, or None. `appliance.session`: [session, number of the request, bytes wanted of it,
    its pieces, the answer, the challenge of `app/admin`, whether the board restarts after it, whether an update was
    opened in it (`app/carry`)]."""
    state = appliance.session
    known = state and state[0] == session
    if kind & ANSWER:
        return None
    if kind == HELLO:
        if not known:
            appliance.session = [session, 0, 0, [], b"", b"", False, False]
        return HELLO, session, PROTOCOL, REQUEST_MAX, ("uike %s on %s" % (VERSION, appliance.board.name)).encode()
    if kind == CLOSE:
        if known:
            appliance.session = None
        return CLOSE, session, number, 0, b""
    if not known:
        return LOST, session, number, 0, b""
    if kind == SEND:
        return _take(appliance, state, number, left, data)
    if kind == PULL and number == state[1] and not state[2] and len(data) == 1:
        piece = state[4][left : left + min(data[0], DATA_MAX)]
        return PULL, session, number, len(state[4]) - left - len(piece), piece
    return None


def _restart(appliance):
    """The peers are told, and nobody waits for their answer."""
    board, endpoint = appliance.board, appliance.endpoint
    if endpoint:  # not in safe mode
        endpoint.close(None, board.now())
        for datagram, remote, port in endpoint.outgoing():
            board.udp.send(datagram, remote, port)
    load("uike.hal.%s.change" % board.name).restart(board)


def _take(appliance, state, number, left, data):
    if number == (state[1] + 1) & 0xFF and 0 < len(data) + left <= REQUEST_MAX:
        state[1:5] = number, len(data) + left, [], b""
    elif number != state[1]:
        return None
    if data and state[2] == len(data) + left:
        state[3].append(data)
        state[2] = left
        if not left:
            pieces, state[3] = state[3], []
            state[4] = _do(appliance, pieces)
    return SEND, state[0], number, state[2], b""


def _do(appliance, pieces):
    """The answer to a whole request: JSON, with an "error" when nothing came of it."""
    try:
        head = b""
        while pieces and b"\n" not in head:
            head += pieces.pop(0)
        head, _, rest = head.partition(b"\n")
        pieces.insert(0, rest)
        command = json.loads(head)
        verb = command.get("do") if type(command) is dict else None
        found = load(_PARTS.get(verb, "uike.app.console")).do(appliance, command, pieces) or {}
    except MemoryError:
        found = {"error": "not enough memory"}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        found = {"error": str(error)}
    except OSError:
        found = {"error": "the store cannot be written"}
    return json.dumps(found).encode()
