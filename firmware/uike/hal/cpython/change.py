"""Changes of all that the board keeps, on CPython. See `uike.hal`."""


def replace(board, blobs):
    board.host.store_replace(blobs)


def erase(board):
    board.host.store_erase()


def restart(board):
    board.host.restart()
