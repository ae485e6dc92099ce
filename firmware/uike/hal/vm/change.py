"""Changes of all that the board keeps, in the VM. See `uike.hal`; loaded for one, then dropped."""

from uike.hal.vm import call, give


def replace(board, blobs):
    for name in blobs:
        give("store_stage", blobs[name], name)
    call("store_commit")


def erase(board):
    call("store_erase")


def restart(board):
    call("restart")
