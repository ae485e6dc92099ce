"""The admin secret: wrong proofs cost time that no restart gives back, and in the end the board takes no more."""

import hashlib
import hmac
from types import SimpleNamespace

import pytest

from host_tools import admin as host
from uike import reason
from uike.app import admin
from uike.hal.cpython.crypto import Provider

KEY = host.key("open sesame")
COMMAND = {"do": "reset"}


class Board:
    """What the module sees of an appliance; a restart keeps the store alone."""

    def __init__(self):
        self.kept = {"admin": KEY}
        self.order = []
        self.switch_on()

    def switch_on(self):
        self.now = 0
        self.session = [7, 1, 0, [], b"", b"", False]
        self.traced = []
        self.store = SimpleNamespace(read=self.kept.get, write=self._write)
        self.board = SimpleNamespace(store=self.store, now=lambda: self.now)
        self.endpoint = SimpleNamespace(random=lambda n: hashlib.sha256(str(self.order).encode()).digest()[:n])
        self.endpoint.crypto = SimpleNamespace(prf=self._prf)
        self.trace = lambda code, sa, body: self.traced.append(tuple(body))
        self.attempt_at = 0

    def _write(self, name, data):
        self.order.append("stored")
        self.kept[name] = data

    def _prf(self, *arguments):
        self.order.append("looked")
        return Provider().prf(*arguments)

    def attempt(self, key=KEY, body=(), signed=COMMAND):
        """The reason why not, and the pause; None when it was good."""
        challenge = bytes.fromhex(admin.do(self, {}, ())["challenge"])
        proof = hmac.new(key, challenge + signed["do"].encode() + hashlib.sha256(b"".join(body)).digest(), "sha256")
        return self.show(proof.hexdigest(), body)

    def show(self, proof, body=()):
        try:
            return admin.check(self, {**COMMAND, "proof": proof}, body)
        except admin.Refused as refused:
            return refused.args


def test_without_a_secret_whoever_holds_the_board_may():
    board = Board()
    del board.kept["admin"]
    assert admin.check(board, COMMAND, ()) is None


def test_a_proof_is_for_one_challenge_one_command_and_one_body():
    board = Board()
    assert board.attempt() is None
    assert board.attempt(body=(b"a", b"b")) is None
    assert board.attempt(signed={"do": "provision"}) == (reason.ADMIN_PROOF_WRONG, 0)
    challenge = bytes.fromhex(admin.do(board, {}, ())["challenge"])
    proof = hmac.new(KEY, challenge + b"reset" + hashlib.sha256(b"").digest(), "sha256").hexdigest()
    assert board.show(proof) is None
    assert board.show(proof) == (reason.ADMIN_PROOF_WANTED, 0)
    for junk in ("", "zz", "00", "é", None, 7):
        admin.do(board, {}, ())
        assert board.show(junk)[0] in (reason.ADMIN_PROOF_WRONG, reason.ADMIN_PROOF_WANTED, reason.ADMIN_PAUSE)


def test_pauses_double_and_a_restart_gives_none_back():
    board = Board()
    pauses = [board.attempt(b"wrong")[1] for _ in range(3)]
    assert pauses == [0, 0, 1_000]
    for pause in (1_000, 2_000, 4_000, 8_000):
        board.now += pause - 1
        assert board.attempt() == (reason.ADMIN_PAUSE, 1)
        board.now += 1
        assert board.attempt(b"wrong") == (reason.ADMIN_PROOF_WRONG, 2 * pause)
    board.switch_on()
    assert board.attempt() == (reason.ADMIN_PAUSE, 16_000)
    board.now = 16_000
    assert board.attempt() is None
    assert board.attempt(b"wrong") == (reason.ADMIN_PROOF_WRONG, 0), "a good one does not forgive the others"


def test_a_wrong_proof_is_counted_before_it_is_looked_at():
    board = Board()
    board.order.clear()
    board.attempt(b"wrong")
    assert board.order == ["stored", "looked"]


def test_the_board_locks_itself_for_good():
    board = Board()
    for count in range(admin.TRIES_MAX):
        board.now += 3_600_000
        assert board.attempt(b"wrong")[0] == reason.ADMIN_PROOF_WRONG
        assert board.traced[-1] == (reason.ADMIN_PROOF_WRONG, count + 1)
    for _ in range(2):
        board.switch_on()
        board.now = 10 * 3_600_000
        assert board.attempt()[0] == reason.ADMIN_LOCKED


@pytest.mark.parametrize("key", [b"", KEY[:-1]])
def test_a_key_that_is_broken_opens_nothing(key):
    board = Board()
    board.kept["admin"] = key
    assert board.attempt(key)[0] == reason.ADMIN_PROOF_WRONG
