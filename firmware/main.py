"""Entry of the firmware: the platform's board, and the appliance on it."""


def main(board=None):
    from uike.hal import board as platform_board

    board = board or platform_board()
    if board.life and board.life.safe:
        from uike.app.safe import run
    else:
        from uike.app.run import run
    run(board)


if __name__ == "__main__":
    main()
