"""Entry of the firmware: the platform's board, and the appliance on it."""


def main(board=None):
    from uike.app.run import run
    from uike.hal import board as platform_board

    run(board or platform_board())


if __name__ == "__main__":
    main()
