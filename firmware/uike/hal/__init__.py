"""Platforms: the same file names and operations in each folder, so that nothing above knows where it runs."""

import sys


def board():
    """The board of the platform we run on. On CPython the host makes it: `uike.hal.cpython.board.Board(host)`."""
    if sys.implementation.name != "micropython":
        raise RuntimeError("on CPython a board is made with its host, and passed in")
    from uike.hal.vm.board import Board

    return Board()
