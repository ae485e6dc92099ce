"""Changes of all that the board keeps, on CPython. See `uike.hal`."""


def replace(board, found):
    board.host.store_replace({name: b"".join(pieces) for name, pieces in found})


def erase(board):
    board.host.store_erase()


def restart(board):
    board.host.restart()
