"""IPv4 addresses: "192.0.2.1" and its four bytes."""


def number(text, most):
    """A decimal number of up to five ASCII digits and of at most `most`; None for anything else."""
    if not 0 < len(text) <= 5 or [c for c in text if c not in "0123456789"]:
        return None
    value = int(text)
    return value if value <= most else None


def parse(text):
    """Four bytes of a dotted quad; None for anything else."""
    numbers = [number(part, 255) for part in text.split(".")]
    return bytes(numbers) if len(numbers) == 4 and None not in numbers else None


def pack(text):
    """Four bytes of a dotted quad; 0.0.0.0 for anything else (a wildcard, a name, no address yet)."""
    return parse(text) or bytes(4)


def text(data, at=0):
    """Dotted quad of the four bytes at `at`."""
    return "%d.%d.%d.%d" % (data[at], data[at + 1], data[at + 2], data[at + 3])
