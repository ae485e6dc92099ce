"""A sensor that publishes its readings over MQTT to a broker behind the tunnel."""

from uike.app.tunnel import start

BROKER = ("10.1.0.1", 1883)
TOPIC = b"plant/7/temperature"


def read():
    """Degrees: the sensor goes here."""
    return 21.5


def text(data):
    return len(data).to_bytes(2, "big") + data


def packet(kind, body):
    return bytes((kind, len(body))) + body


def main(board, count=3, pause_ms=1_000):
    tunnel = start(board)
    tunnel.up()
    broker = tunnel.socket()
    broker.settimeout(10)
    broker.connect(BROKER)
    broker.write(packet(0x10, text(b"MQTT") + b"\x04\x02\x00\x3c" + text(b"sensor-7")))  # CONNECT
    if broker.read(4) == b"\x20\x02\x00\x00":
        for _ in range(count):
            broker.write(packet(0x30, text(TOPIC) + str(read()).encode()))  # PUBLISH
            tunnel.wait(lambda: False, pause_ms)
    broker.write(b"\xe0\x00")  # DISCONNECT
    broker.close()
    tunnel.close()


if __name__ == "__main__":
    from uike.hal import board

    main(board())
