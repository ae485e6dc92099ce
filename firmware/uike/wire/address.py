"""IPv4 addresses: "192.0.2.1" and its four bytes."""


def pack(text):
    """Four bytes of a dotted quad; 0.0.0.0 for anything else (a wildcard, a name, no address yet)."""
    parts = text.split(".")
    if len(parts) != 4:
        return bytes(4)
    try:
        return bytes([min(int(part), 255) for part in parts])
    except ValueError:
        return bytes(4)


def text(data, at=0):
    """Dotted quad of the four bytes at `at`."""
    return "%d.%d.%d.%d" % (data[at], data[at + 1], data[at + 2], data[at + 3])
