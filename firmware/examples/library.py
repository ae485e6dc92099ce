"""uike in a program of one's own, in ten lines: what a service behind the tunnel says."""

from uike.app.tunnel import start


def main(board):
    tunnel = start(board)  # its connections are in config.json on the board
    if tunnel.up():
        with tunnel.socket() as service:
            service.connect(("10.1.0.1", 7))
            service.write(b"hello\n")
            board.said = service.readline()
    tunnel.close()


if __name__ == "__main__":
    from uike.hal import board

    main(board())
