"""Changes of all that the board keeps. See `uike.hal`; loaded for one, and at power-on when one was cut off.

What is to be done is written first, as a blob of its own, the journal: a line of JSON, [[name, size], ...] or null for
erasing everything, and the blobs. Once that is whole it will be done: now, or at the next power-on.
"""

import json
import os

from uike.hal.esp32 import store as files

_KEPT = (files.JOURNAL, "board")  # what an erased board keeps: its journal for now, and what kind of board it is
_ENDS = (".old", "", ".new")  # the order in which no older journal is found in place of this one


def replace(board, blobs):
    _begin(board.store, [[name, len(blobs[name])] for name in blobs], blobs)


def erase(board):
    _begin(board.store, None, {})


def restart(board):
    import machine

    machine.reset()


def finish(store):
    """Does what the journal says, as often as it takes, and forgets it."""
    head, _, data = (store.read(files.JOURNAL) or b"[]\n").partition(b"\n")
    rows = json.loads(head)
    if rows is None:
        for name in os.listdir(store.directory):
            if name.split(".")[0] not in _KEPT:
                _destroy(store.directory + "/" + name)
    for name, size in rows or ():
        store.write(name, data[:size])
        data = data[size:]
    for end in _ENDS:
        if files.exists(store.directory + "/" + files.JOURNAL + end):
            _destroy(store.directory + "/" + files.JOURNAL + end)


def _begin(store, rows, blobs):
    text = json.dumps(rows).encode() + b"\n"
    for name, _ in rows or ():
        text += blobs[name]
    store.write(files.JOURNAL, text)
    finish(store)


def _destroy(path):
    """Overwrites and removes a file. (A file system that moves what it writes may keep the old blocks for a while.)"""
    size = os.stat(path)[6]
    with open(path, "wb") as file:
        file.write(bytes(size))
    os.remove(path)
