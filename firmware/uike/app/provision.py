"""A new configuration, or none: `{"do": "provision"}` and `{"do": "reset"}`. For `app/link`; then dropped.

A configuration is taken whole or not at all: it is checked by the code that reads it at power-on, stored and read back
in one transaction (`uike.hal`), and acknowledged by the SHA-256 of what was stored. Until then the old one stays. It is
used after a restart. What was stored can be replaced and erased, and by no command read.
"""

import json
from binascii import hexlify
from io import IOBase

from uike import event
from uike.app import admin
from uike.transient import load

_NAMES = ("config.json", "network.json", admin.NAME)


def do(appliance, command, body):
    """Stores the blobs of `body`, whose [name, size] are in the command; or erases everything."""
    refused = admin.refusal(appliance, command, body)
    if refused:
        return refused
    return _reset(appliance) if command["do"] == "reset" else _provision(appliance, command["files"], body)


def _provision(appliance, rows, body):
    _check(_files(rows, body))
    _change(appliance).replace(appliance.board, _files(rows, body))
    digest = admin.digest(body)
    appliance.trace(event.PROVISIONED, 0, digest)
    return {"sha256": hexlify(digest).decode(), "admin": appliance.board.store.read(admin.NAME) is not None}


def _files(rows, body):
    """[(name, pieces)] of what a body holds; ValueError when it is not that."""
    found, body = [], list(body)
    for name, size in rows:
        if name not in _NAMES:
            raise ValueError("no such file: %s" % name)
        pieces = []
        while size > 0 and body:
            piece = body.pop(0)  # as it came: a view of each would take 32 bytes of heap
            if len(piece) > size:
                piece = memoryview(piece)
                body.insert(0, piece[size:])
                piece = piece[:size]
            pieces.append(piece)
            size -= len(piece)
        if size:
            raise ValueError("%s: too short" % name)
        found.append((name, pieces))
    return found


def _check(found):
    """ValueError unless the next power-on can live with them."""
    config = load("uike.config")
    for name, pieces in found:
        if name == admin.NAME:
            if sum([len(piece) for piece in pieces]) != admin.KEY_SIZE:
                raise ValueError("admin: a key of 32 bytes")
            continue
        tree = json.load(_Stream(pieces))
        if name == "config.json":
            try:
                _check_connections(config, tree)
            except config.ConfigError as error:
                raise ValueError("%s: %s; allowed: %s" % (error.key, error.problem, error.allowed))
        elif type(tree) is not dict:
            raise ValueError("%s: not a table" % name)


def _check_connections(config, tree):
    """One by one, since there may be no room for them all beside those in use."""
    tables = tree.get("connection") if type(tree) is dict else None
    if type(tables) is not dict or not 0 < len(tables) <= config.CONNECTIONS_MAX:
        config.load(tree)  # says what is wrong
    while tables:
        name, table = tables.popitem()
        tree["connection"] = {name: table}
        config.load(tree)
        tree.pop("relay", None)  # looked at once


class _Stream(IOBase):
    """Pieces as the file that `json.load` reads: octet by octet on MicroPython, all at once on CPython."""

    def __init__(self, pieces):
        self._pieces = list(pieces)
        self._at = 0

    def readinto(self, buf):
        while self._pieces and self._at == len(self._pieces[0]):
            self._pieces.pop(0)
            self._at = 0
        if not self._pieces:
            return 0
        buf[0] = self._pieces[0][self._at]
        self._at += 1
        return 1

    def read(self):
        return b"".join(self._pieces)


def _reset(appliance):
    _change(appliance).erase(appliance.board)
    appliance.trace(event.ERASED, 0, b"")
    return None


def _change(appliance):
    return load("uike.hal.%s.change" % appliance.board.name)
