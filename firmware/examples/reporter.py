"""A reporter that posts its state over CoAP (RFC 7252), UDP, to a server behind the tunnel, until that has it."""

from uike.app.tunnel import start
from uike.net.socket import AF_INET, SOCK_DGRAM

SERVER = ("10.1.0.1", 5683)
TIMEOUT_S = 2
TRIES = 4


def post(number, path, payload):
    """A confirmable POST, its message ID `number`; a path of one segment, 12 bytes at most."""
    return b"\x40\x02" + number.to_bytes(2, "big") + bytes((0xB0 + len(path),)) + path + b"\xff" + payload


def main(board):
    tunnel = start(board, False)  # without TCP
    tunnel.up()
    server = tunnel.socket(AF_INET, SOCK_DGRAM)
    request = post(1, b"report", b"all is well")
    for attempt in range(TRIES):
        server.settimeout(TIMEOUT_S << attempt)
        server.sendto(request, SERVER)
        try:
            answer, _ = server.recvfrom(100)
        except OSError:
            continue
        if answer[0] & 0x30 == 0x20 and answer[2:4] == request[2:4]:  # its acknowledgment
            break
    tunnel.close()


if __name__ == "__main__":
    from uike.hal import board

    main(board())
