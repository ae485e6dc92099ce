"""IPv6 addresses as text (RFC 4291 section 2.2): for the configuration, and dropped with it."""


def parse(text):
    """Sixteen bytes of an IPv6 address, its groups in hexadecimal; None for anything else."""
    left, gap, right = text.partition("::")
    head, tail = _groups(left), _groups(right)
    if head is None or tail is None or len(head) + len(tail) > (14 if gap else 16):
        return None
    if not gap and len(head) != 16:
        return None
    return head + bytes(16 - len(head) - len(tail)) + tail


def _groups(text):
    out = b""
    for group in text.split(":") if text else ():
        if not 0 < len(group) <= 4 or [c for c in group if c not in "0123456789abcdefABCDEF"]:
            return None
        out += int(group, 16).to_bytes(2, "big")
    return out
