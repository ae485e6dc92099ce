"""Entry of the firmware: the platform's board, and the appliance on it."""


def main(board=None):
    from uike.app.run import Appliance
    from uike.hal import board as platform_board

    Appliance(board or platform_board()).run()


if __name__ == "__main__":
    main()
