"""Runs on the board: the known answers of power-on, every one that there is."""

from proof.measure import check, provider
from uike.crypto import selftest


def run(module):
    for name, sound in selftest.run(provider(module), _retired):
        check(name.decode(), sound)


def _retired(name):
    check("accelerator " + name, False, "it gave a wrong answer and was retired")
