"""What comes to a board by the link, beside its configuration: certificates and updates. For `app/link`; then dropped.

    {"do": "csr"}       body: JSON, as the console's csr        -->    {"csr": base64 of a request (PKCS #10)}
    {"do": "cert"}      body: certificates, DER, our own first  -->    {"installed": how many}
    {"do": "update", "step": ...}
        "about"                                                 -->    {"number": of what is on, "trial": true, false}
        "open"          body: header, and signature(64)         -->    {"resumed": whether its files are partly there}
        "size", "path"                                          -->    {"size": bytes of that file that are there}
        "write", "path", "at"  body: the next bytes of it       -->    {}
        "commit"                                                -->    {}   on from the next boot, which is the host's

Each wants the proof of `app/admin`, but "about", and what follows an "open" in its session.
"""

import json
from binascii import b2a_base64

from uike.app import admin
from uike.transient import load
from uike.wire.refusal import Refusal

_SIGNATURE = 64
_OPEN = 7  # in `appliance.session`


def do(appliance, command, body):
    """Does it, when its sender may. ValueError with a text for the user."""
    verb = command["do"]
    if verb == "update" and command["step"] != "open":
        return _STEPS[command["step"]](appliance, command, body)
    refused = admin.refusal(appliance, command, body)
    if refused:
        return refused
    if verb == "update":
        return _open(appliance, b"".join(body))
    if not appliance.endpoint:
        raise ValueError("not in safe mode")
    return _csr(appliance.endpoint, json.loads(b"".join(body))) if verb == "csr" else _cert(appliance, b"".join(body))


def _csr(endpoint, asked):
    made = load("uike.app.credentials").request(endpoint, asked)
    return {"csr": b2a_base64(made)[:-1].decode()}


def _cert(appliance, chain):
    try:
        return {"installed": load("uike.app.credentials").accept(appliance, chain)}
    except Refusal as refusal:
        return {"error": "refused", "reason": refusal.reason}


def _about(appliance, command, body):
    return load("uike.app.update").about(appliance.board)


def _open(appliance, data):
    update, package = load("uike.app.update"), (data[:-_SIGNATURE], data[-_SIGNATURE:])
    resumed = update.is_begun(appliance.board, *package)
    if not resumed:
        update.begin(appliance.board, *package)
    appliance.session[_OPEN] = True
    return {"resumed": resumed}


def _size(appliance, command, body):
    return {"size": _opened(appliance).size(appliance.board, command["path"])}


def _write(appliance, command, body):
    _opened(appliance).write(appliance.board, command["path"], command["at"], b"".join(body))


def _commit(appliance, command, body):
    update = _opened(appliance)
    appliance.session[_OPEN] = False
    try:
        update.commit(appliance.board)
    except ValueError:
        update.forget(appliance.board)  # the next try starts anew
        raise


def _opened(appliance):
    if not appliance.session[_OPEN]:
        raise ValueError("update: open comes first")
    return load("uike.app.update")


_STEPS = {"about": _about, "size": _size, "write": _write, "commit": _commit}
