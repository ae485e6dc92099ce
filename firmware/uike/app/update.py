"""An update of the application: files beside those that run, checked, and on from the next boot. For the console; then
dropped. Keys and configuration are not touched.

    begin(board, header, signature)     the package's header was signed by the key of this board: room is made
    write(board, path, offset, data)    the next bytes of a file, in order; after a break `size` says where it stopped,
                                        and `is_begun` whether it goes on there
    commit(board)                       every file is what the header vouches for: the new version is on, on trial
    restart                             is the caller's: board.life.restart(reason.RESTART_ASKED)

Each raises ValueError with a text when it refuses; what runs stays then. `app/carry` calls them. Whether the new
version is any good the board finds out by itself (uike/hal/esp32/life.py), and goes back when it is not.

    header      JSON: {"number": 7, "version": "0.2.0", "platform": "esp32", "machine": 10, "list": SHA-256 of the list}
    signature   Ed25519 over b"uike update 1\\n" and the header; the public key, 32 bytes, is in the store: "update.key"
    list        the file "list": for each other file a line with its SHA-256 in hex, its size and its path
"""

import hashlib
import json
from binascii import hexlify

from uike import event, iana

MARK = b"uike update 1\n"
LIST = "list"
HEADER_MAX = 1_024  # bytes
FILE_MAX = 65_536
_FREE_MIN = 65_536  # bytes of flash that stay free
_OWN = ("package", "signature")  # files beside the application's: what `begin` was given
_PATH_MAX = 64
_PATH = "abcdefghijklmnopqrstuvwxyz0123456789_./"


def begin(board, header, signature):
    """Empties the folder that does not run, if the package is for this board and newer than what runs."""
    slots = _slots(board)
    told = _checked(board, slots, header, signature)
    slots.erase()
    for name, data in zip(_OWN, (header, signature)):
        slots.append(name, data)
    board.life.trace(event.UPDATE, 0, b"\x01" + str(told["version"]).encode())


def is_begun(board, header, signature):
    """Whether `begin` was given just this, and its files may be there in part. Refuses what `begin` refuses."""
    slots = _slots(board)
    _checked(board, slots, header, signature)
    try:
        return not slots.read()[1] and _package(slots) == [header, signature]
    except OSError:
        return False


def forget(board):
    """Takes away what there is of the new version."""
    _slots(board).erase()


def about(board):
    """The number of the version that is on, and whether it still has to prove itself."""
    slots = _slots(board)
    return {"number": number(slots), "trial": slots.read()[1]}


def write(board, path, offset, data):
    """Appends to a file of the new version."""
    slots = _slots(board)
    if slots.size(_OWN[1]) is None:
        raise ValueError("update: begin comes first")
    _check_path(path)
    there = slots.size(path) or 0
    if offset != there:
        raise ValueError("update: %s has %d bytes" % (path, there))
    if there + len(data) > FILE_MAX or slots.free() < _FREE_MIN:
        raise ValueError("update: no room")
    slots.append(path, data)


def size(board, path):
    """Bytes of a file of the new version that are there."""
    return _slots(board).size(path) or 0


def commit(board):
    """Switches the new version on, to be started at the next boot. All is read back from the flash, and checked."""
    slots = _slots(board)
    told = _checked(board, slots, *_package(slots))
    if _digest(slots, LIST) != told["list"]:
        raise ValueError("update: the list is not that of the header")
    count = len(_OWN) + 1
    started = False
    for line in slots.lines(LIST):
        board.now()  # it takes a while, and the watchdog wants to know
        digest, length, path = line.split()
        _check_path(path)
        if slots.size(path) != int(length) or _digest(slots, path) != digest:
            raise ValueError("update: %s is not what was signed" % path)
        started = started or path == "main.mpy"
        count += 1
    if not started or slots.count() != count:
        raise ValueError("update: files without a signature, or without a start")
    slots.switch()
    board.life.trace(event.UPDATE, 0, b"\x02" + str(told["version"]).encode())


def number(slots):
    """The number of the version that runs; 0 for the one that came with the image."""
    try:
        return json.loads(b"".join(slots.blocks(_OWN[0], True)))["number"]
    except (OSError, ValueError):
        return 0


def _slots(board):
    if not board.life:
        raise ValueError("update: not on this platform")
    return board.life.slots()


def _package(slots):
    """[header, signature] of the new version. OSError when there are none."""
    return [b"".join(slots.blocks(name)) for name in _OWN]


def _checked(board, slots, header, signature):
    """The header as a dict, if its signature is that of our key and it is for this board and newer than what runs."""
    key = board.store.read("update.key")
    if not key or len(key) != 32:
        raise ValueError("update: this board has no update key")
    if not 0 < len(header) <= HEADER_MAX or len(signature) != 64:
        raise ValueError("update: no package")
    crypto = board.crypto()
    good = crypto.verify(iana.EDDSA + iana.HASH_IDENTITY, (iana.KEY_ED25519, key), MARK + header, signature)
    crypto.release()
    if not good:
        raise ValueError("update: not signed by this board's key")
    told = json.loads(header)
    if told["platform"] != board.name or told["machine"] != board.life.machine:
        raise ValueError("update: for another kind of board")
    if told["number"] <= number(slots):
        raise ValueError("update: number %d runs already" % number(slots))
    return told


def _check_path(path):
    parts = path.split("/")
    if not 0 < len(path) <= _PATH_MAX or path in _OWN or [c for c in path if c not in _PATH]:
        raise ValueError("update: bad path")
    if [part for part in parts if part in ("", ".", "..")]:
        raise ValueError("update: bad path")


def _digest(slots, path):
    digest = hashlib.sha256()
    for block in slots.blocks(path):
        digest.update(block)
    return hexlify(digest.digest()).decode()
