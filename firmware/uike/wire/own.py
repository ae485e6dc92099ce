"""Which inner address is ours."""


def own_address(sa, local_ts):
    """The IPv4 address (4 bytes) that is ours in a Child SA of these local selectors: the one that we were assigned, or
    the first host of the first selector; 0.0.0.0 for none."""
    if sa.address and sa.connection.initiator:
        return sa.address
    found = [selector for selector in local_ts if len(selector) == 16]
    selector = found[0] if found else bytes(16)
    start, end = selector[8:12], selector[12:16]
    if start == end:
        return start
    return start[:3] + bytes((start[3] + 1 if start[3] < 255 else 255,))
