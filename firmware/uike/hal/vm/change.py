"""Changes of all that the board keeps, in the VM. See `uike.hal`; loaded for one, then dropped."""

from uike.hal.vm import call, give


def replace(board, found):
    for name, pieces in found:
        give("store_stage", b"", name)
        for piece in pieces:
            give("store_stage", piece, name)
    call("store_commit")


def erase(board):
    call("store_erase")


def restart(board):
    call("restart")
