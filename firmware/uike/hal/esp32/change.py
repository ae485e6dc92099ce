"""Changes of all that the board keeps. See `uike.hal`; loaded for one, and at power-on when one was cut off.

What is to be replaced is written first, as a blob of its own, the journal: a line of JSON, [[name, size], ...], and
the blobs. Once that is whole it will be done: now, or at the next power-on.
"""

import json
import os

from uike import reason
from uike.hal.esp32 import store as files

_ENDS = (".old", "", ".new")  # the order in which no older journal is found in place of this one


def replace(board, blobs):
    text = json.dumps([[name, len(blobs[name])] for name in blobs]).encode() + b"\n"
    for name in blobs:  # in the order of the line before it
        text += blobs[name]
    board.store.write(files.JOURNAL, text)
    finish(board.store)


def erase(board):
    board.store.erase(board.life.feed)


def restart(board):
    board.life.restart(reason.RESTART_ASKED)


def finish(store):
    """Does what the journal says, as often as it takes, and forgets it."""
    head, _, data = (store.read(files.JOURNAL) or b"[]\n").partition(b"\n")
    for name, size in json.loads(head):
        store.write(name, data[:size])
        data = data[size:]
    for end in _ENDS:
        if files.exists(store.directory + "/" + files.JOURNAL + end):
            _destroy(store.directory + "/" + files.JOURNAL + end)


def _destroy(path):
    """Overwrites and removes a file. (A file system that moves what it writes may keep the old blocks for a while.)"""
    size = os.stat(path)[6]
    with open(path, "wb") as file:
        file.write(bytes(size))
    os.remove(path)
