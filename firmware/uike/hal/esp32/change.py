"""Changes of all that the board keeps. See `uike.hal`; loaded for one, and at power-on when one was cut off.

Blobs are written beside the old ones, as journal-NAME, and read again. Then the blob `journal` says what is to be done:
JSON, the names. Once that is whole it will be done, now or at the next power-on.
"""

import json
import os
from binascii import crc32

from uike import reason
from uike.hal.esp32 import store as files
from uike.hal.esp32.erasure import destroy

_STAGED = files.JOURNAL + "-"
_READ = 256


def replace(board, found):
    store = board.store
    for name, pieces in found:
        path = store.directory + "/" + _STAGED + name
        total = 0
        for piece in pieces:
            total = crc32(piece, total)
        with open(path, "wb") as file:
            file.write(total.to_bytes(files.SUM, "big"))
            for piece in pieces:
                file.write(piece)
        if _checksum(path) != total:
            raise OSError
    store.write(files.JOURNAL, json.dumps([name for name, _ in found]).encode())
    finish(store)


def erase(board):
    board.store.erase(board.life.feed)


def restart(board):
    board.life.restart(reason.RESTART_ASKED)


def finish(store):
    """Does what the journal says, as often as it takes, and forgets it. One that is not whole says nothing."""
    for name in json.loads(store.read(files.JOURNAL) or b"[]"):
        path, staged = store.directory + "/" + name, store.directory + "/" + _STAGED + name
        if files.exists(staged):
            _destroy(store.directory, name + ".new")  # of a write that was cut off before
            if files.exists(path):
                os.rename(path, path + ".old")
            os.rename(staged, path)
    for end in (".old", "", ".new"):  # in this order no older journal is found in place of this one
        _destroy(store.directory, files.JOURNAL + end)
    for name in os.listdir(store.directory):
        if name.startswith(_STAGED):
            _destroy(store.directory, name)


def _checksum(path):
    """That of a file's blob, as it is on the flash."""
    total = 0
    with open(path, "rb") as file:
        file.read(files.SUM)
        data = file.read(_READ)
        while data:
            total = crc32(data, total)
            data = file.read(_READ)
    return total


def _destroy(directory, name):
    """The file of that name, if it is there."""
    if files.exists(directory + "/" + name):
        destroy(directory + "/" + name)
