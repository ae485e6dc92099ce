"""A new configuration, or none: `{"do": "provision"}` and `{"do": "reset"}`. For `app/link`; then dropped.

A configuration is taken whole or not at all: it is checked by the code that reads it at power-on, stored in one
transaction (`uike.hal`), read back, and acknowledged by the SHA-256 of what was read. Until then the old one
stays. It is used after a restart. What was stored can be replaced and erased, and by no command read.
"""

import json
from binascii import hexlify
from hashlib import sha256

from uike import event
from uike.app import admin
from uike.transient import load

_NAMES = ("config.json", "network.json", "relay.json", admin.NAME)


def do(appliance, command, body):
    """Stores the blobs of `body`, whose [name, size] are in the command; or erases everything."""
    try:
        admin.check(appliance, command, body)
    except admin.Refused as refused:
        return {"error": "refused", "reason": refused.args[0], "wait": refused.args[1]}
    return _reset(appliance) if command["do"] == "reset" else _provision(appliance, command["files"], body)


def _provision(appliance, rows, body):
    blobs, at = {}, 0
    for name, size in rows:
        if name not in _NAMES or type(size) is not int or not 0 <= size <= len(body) - at:
            raise ValueError("no such file: %s" % name)
        blobs[name] = bytes(body[at : at + size])
        at += size
    del body
    _check(blobs)
    store = appliance.board.store
    _change(appliance).replace(appliance.board, blobs)
    digest = sha256()
    for name, _ in rows:
        digest.update(store.read(name) or b"")
    digest = digest.digest()
    appliance.trace(event.PROVISIONED, 0, digest)
    return {"sha256": hexlify(digest).decode(), "admin": store.read(admin.NAME) is not None}


def _check(blobs):
    """ValueError unless the next power-on can live with them."""
    config = load("uike.config")
    for name in blobs:
        if name == admin.NAME:
            if len(blobs[name]) != admin.KEY_SIZE:
                raise ValueError("admin: a key of 32 bytes")
            continue
        tree = json.loads(blobs[name])
        if name == "config.json":
            try:
                config.load(tree)
            except config.ConfigError as error:
                raise ValueError("%s: %s; allowed: %s" % (error.key, error.problem, error.allowed))
        elif type(tree) is not (list if name == "relay.json" else dict):
            raise ValueError("%s: not a table" % name)


def _reset(appliance):
    _change(appliance).erase(appliance.board)
    appliance.trace(event.ERASED, 0, b"")
    return None


def _change(appliance):
    return load("uike.hal.%s.change" % appliance.board.name)
