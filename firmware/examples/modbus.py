"""A Modbus/TCP server for the headquarters: holding registers of this board, read through the tunnel."""

from uike.app.tunnel import start

PORT = 502


def register(number):
    """A value of 16 bits: the device goes here."""
    return 1_000 + number


def answer(request):
    """Response to a request: function code and data both."""
    first, count = int.from_bytes(request[1:3], "big"), int.from_bytes(request[3:5], "big")
    if request[0] != 3 or len(request) != 5 or not 1 <= count <= 125:
        return bytes((request[0] | 0x80, 1 if request[0] != 3 else 3))
    return bytes((3, 2 * count)) + b"".join([register(first + i).to_bytes(2, "big") for i in range(count)])


def main(board, clients=1):
    tunnel = start(board)
    tunnel.up()
    listener = tunnel.socket()
    listener.bind(("", PORT))
    listener.listen(1)
    for _ in range(clients):
        client, _ = listener.accept()
        header = client.read(7)  # transaction, protocol, length of what follows it, unit
        while len(header) == 7:
            response = answer(client.read(int.from_bytes(header[4:6], "big") - 1))
            client.write(header[:4] + (len(response) + 1).to_bytes(2, "big") + header[6:] + response)
            header = client.read(7)
        client.close()
    tunnel.close()


if __name__ == "__main__":
    from uike.hal import board

    main(board())
