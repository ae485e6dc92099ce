"""Power-on: the configuration, the self-test and the stored seed, in this order. For `uike.app.run`; then dropped.

Whatever a step loads is gone before the next one begins, and the engine is loaded after all of them. The DRBG made
here stays: its code is kept by the object.
"""

import json
import sys

from uike import VERSION, event, iana, reason
from uike.crypto import Failure, seed
from uike.crypto.drbg import Drbg
from uike.crypto.health import watch
from uike.transient import drop, load
from uike.wire.refusal import Refusal


def start(board, trace):
    """(connections, crypto provider, random source, trace, secret), what the engine stands on, and the relays. Failure
    when it must not."""
    trace(event.GREETING, 0, ("uike %s on %s" % (VERSION, board.name)).encode())
    if board.life:
        board.life.tell(trace)
    crypto = board.crypto()
    tree = _read_config(board.store, trace)
    connections, relays = _connections(tree, trace)
    _check(crypto, connections, board, trace)
    if tree.get("trace_datagrams"):
        load("uike.app.wiretap").datagrams(board, trace)
    if tree.get("trace_keys"):
        load("uike.app.wiretap").keys(crypto, trace)
    random = board.random = Drbg(watch(board.entropy), crypto.prf)
    for number in seed.reseed(random, board.store):
        trace(event.SEED, 0, bytes((number,)))
    secret = _secret(connections, random, board.store, trace)
    for name in board.store.fallen if board.life else ():
        trace(event.STORE_FALLEN, 0, name.encode())
    return (connections, crypto, random, trace, secret), relays


def _secret(connections, random, store, trace):
    """The secret of `ike/crash`, when a connection wants one; none, and the reason traced, when it cannot be kept."""
    secret = b""
    if [1 for connection in connections if connection.crash_detection]:
        secret = seed.keep(random, store)
        if not secret:
            trace(event.SEED, 0, bytes((reason.SECRET_NOT_KEPT,)))
    return secret


def _read_config(store, trace):
    """The tree of "config.json"; an empty one, and the reason traced, when it is not JSON."""
    text = store.read("config.json")
    try:
        tree = json.loads(text) if text else {}
        return tree if type(tree) is dict else {"connection": tree}
    except ValueError:
        trace(event.CONFIG_ERROR, 0, b"config.json\tnot JSON\t")
    return {}


def _connections(tree, trace):
    """Its connections and relays; none, and the reason traced, when it is refused."""
    config = load("uike.config")
    try:
        relays = load("uike.relays").load(tree.pop("relay")) if "relay" in tree else ()
        return config.load(tree) if tree or relays else [], relays
    except config.ConfigError as error:
        said = (error.key, error.problem, error.allowed)
        trace(event.CONFIG_ERROR, 0, "\t".join([str(part) for part in said]).encode())
        tree.clear()
    finally:
        del config
        drop()
    return [], ()


def _check(crypto, connections, board, trace):
    """Asks each primitive that a connection may lead to for a known answer. Failure when one gives another."""
    wanted = _transforms(connections)
    wanted.update(_keys(connections))
    drop()
    before = list(sys.modules)  # what a provider loads for a test goes after it
    started, count = board.now(), 0
    for name, sound in load("uike.crypto.selftest").run(crypto, trace, wanted):
        drop(before)
        board.now()  # a watchdog wants to know
        if not sound:
            raise Failure(reason.SELF_TEST_FAILED, name)
        count += 1
    trace(event.SELF_TEST, 0, bytes((count,)) + (board.now() - started).to_bytes(4, "big"))


def _transforms(connections):
    """The transforms of all proposals, a set; one of integrity brings its PRF."""
    found = set()
    for connection in connections:
        for proposal in connection.proposals + connection.esp_proposals:
            for kind, number, bits in proposal:
                found.add((kind, number, bits))
                if kind == iana.INTEG:
                    found.add((iana.PRF, number - iana.AUTH_HMAC_SHA2_256_128 + iana.PRF_HMAC_SHA2_256, 0))
    return found


def _keys(connections):
    """(CERT, kind of key, 0) of each certificate of ours and of the CAs that we trust, a set: the peers' are alike. And
    of raw public keys."""
    found = set()
    for connection in connections:
        for data in connection.cert + connection.cacerts:
            try:
                spki = data
                if load("uike.wire.cert").encoding(data) == iana.CERT_X509_SIGNATURE:
                    spki = load("uike.pki.certificate").Certificate(data).spki
                key = load("uike.pki.key").parse_public(spki)
            except Refusal:  # whoever needs it will say so
                continue
            if key:
                found.add((iana.CERT, key[0], 0))
    return found
