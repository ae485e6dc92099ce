"""A program on the board for test_net.py: asks Linux behind the tunnel for an echo of what it writes, then answers."""

from uike.app.tunnel import start
from uike.net.socket import AF_INET, SOCK_DGRAM

INNER = "10.1.0.1"
SIZE = 20_000


def main(board):
    tunnel = start(board)
    if tunnel.up():
        ask(tunnel)
        answer(tunnel)
    tunnel.close()


def ask(tunnel):
    udp = tunnel.socket(AF_INET, SOCK_DGRAM)
    udp.settimeout(5)
    udp.sendto(b"one datagram", (INNER, 7001))
    data, where = udp.recvfrom(2_000)
    udp.sendto(data + b" came back", where)
    udp.close()
    tcp = tunnel.socket()
    tcp.settimeout(20)
    tcp.connect((INNER, 7002))
    for i in range(SIZE // 1_000):
        tcp.write(bytes([i]) * 1_000)
        if tcp.read(1_000) != bytes([i]) * 1_000:
            raise ValueError("another echo")
    tcp.close()


def answer(tunnel):
    """One connection to a port of ours: what comes goes back."""
    listener = tunnel.socket()
    listener.bind(("", 7003))
    listener.listen(1)
    listener.settimeout(20)
    tcp, where = listener.accept()
    tcp.settimeout(20)
    data = tcp.recv(1_000)
    while data:
        tcp.write(data)
        data = tcp.recv(1_000)
    tcp.close()
    listener.close()


if __name__ == "__main__":
    from uike.hal import board

    main(board())
