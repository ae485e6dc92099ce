"""Who may provision and reset: whoever holds the board, until a secret is set; then whoever proves to know it.

    {"do": "challenge"}                                        -->
                                                               <--   {"challenge": 16 random bytes}
    {"do": "provision", "proof": HMAC-SHA-256(key, challenge | verb | SHA-256 of the body), ...}   -->

A challenge serves one try. Wrong proofs are counted in the store before they are looked at, so that neither a power cut
nor a restart is worth anything: from the third on each costs twice the pause of the last, counted from power-on after a
restart, and the last one locks the board until its flash is erased. The key is 32 bytes that the host derives from the
secret (`host_tools/admin.py`). For `app/link` and `app/provision`; then dropped.
"""

from binascii import hexlify, unhexlify
from hashlib import sha256

from uike import event, iana, reason
from uike.crypto import equal

NAME = "admin"
KEY_SIZE = 32
TRIES_MAX = 20
_COUNT = "attempts"
_FREE = 3  # wrong proofs without a pause
_PAUSE_MS = 1_000
_PAUSE_MAX_MS = 3_600_000
_CHALLENGE_SIZE = 16


class Refused(Exception):
    """Number of the reason, and how long to wait, in ms."""


def do(appliance, command, body):
    """Draws the challenge for the next proof."""
    endpoint = appliance.endpoint
    draw = endpoint.random if endpoint else appliance.board.entropy  # in safe mode there is no DRBG
    challenge = appliance.session[5] = draw(_CHALLENGE_SIZE)
    count, pause = _standing(appliance)
    return {"challenge": hexlify(challenge).decode(), "wait": pause, "left": TRIES_MAX - count}


def check(appliance, command, body):
    """Returns when the command may be done. Refused when not."""
    key = appliance.board.store.read(NAME)
    if key is None:
        return
    challenge, appliance.session[5] = appliance.session[5], b""
    count, pause = _standing(appliance)
    if count >= TRIES_MAX:
        _refuse(appliance, reason.ADMIN_LOCKED, count)
    if pause:
        raise Refused(reason.ADMIN_PAUSE, pause)
    if not challenge or type(command.get("proof")) is not str:
        raise Refused(reason.ADMIN_PROOF_WANTED, 0)
    _count(appliance, count + 1)
    data = challenge + command["do"].encode() + digest(body)
    try:
        proof = unhexlify(command["proof"])
    except ValueError:
        proof = b""
    crypto = appliance.endpoint.crypto if appliance.endpoint else appliance.board.crypto()
    if len(key) != KEY_SIZE or not equal(proof, crypto.prf(iana.PRF_HMAC_SHA2_256, key, data)):
        appliance.attempt_at = appliance.board.now()
        _refuse(appliance, reason.ADMIN_PROOF_WRONG, count + 1)
    _count(appliance, 0)


def refusal(appliance, command, body):
    """The answer that refuses the command; None when it may be done."""
    try:
        check(appliance, command, body)
        return None
    except Refused as refused:
        return {"error": "refused", "reason": refused.args[0], "wait": refused.args[1]}


def digest(pieces):
    """SHA-256 over them all."""
    hashed = sha256()
    for piece in pieces:
        hashed.update(piece)
    return hashed.digest()


def _refuse(appliance, number, count):
    appliance.trace(event.ADMIN_REFUSED, 0, bytes((number, count)))
    raise Refused(number, _standing(appliance)[1])


def _standing(appliance):
    """(wrong proofs so far, ms until the next one is looked at)"""
    kept = appliance.board.store.read(_COUNT)
    count = kept[0] if kept else 0
    if count < _FREE:
        return count, 0
    pause = min(_PAUSE_MS << (count - _FREE), _PAUSE_MAX_MS)
    return count, max(0, getattr(appliance, "attempt_at", 0) + pause - appliance.board.now())


def _count(appliance, count):
    appliance.board.store.write(_COUNT, bytes((count,)))
