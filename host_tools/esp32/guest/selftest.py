"""Runs on the board: the known answers of power-on, every one that there is."""

from proof.measure import check, provider
from uike.crypto import selftest


def run(crypto_name):
    for name, sound in selftest.run(provider(crypto_name), _trace):
        check(name.decode(), sound)


def _trace(code, sa, body):
    check("engine " + body.decode(), False, "it gave a wrong answer and was retired")
