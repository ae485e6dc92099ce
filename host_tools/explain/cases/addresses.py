"""Traffic selectors and the virtual IP: what was asked for, and what the other side would have."""

from host_tools import names
from uike import iana, reason


def _selectors(message, kind) -> str:
    return ", ".join(names.selector_text(each) for each in message.selectors(kind)) if message else ""


def asked(story):
    """(local, remote) selectors as the initiator asked for them, in our eyes."""
    found = next((each for each in reversed(story.messages) if each.body(iana.TSi) and not each.head.response), None)
    both = [_selectors(found, kind) for kind in (iana.TSi, iana.TSr)]
    return both if found is None or found.out else both[::-1]


def _refused_by_peer(story, verdict):
    here, there = asked(story)
    verdict.payload = "TSi, TSr"
    verdict.ours = [f"local {here}", f"remote {there}"]
    verdict.theirs = ["not said; its local_ts and remote_ts have nothing in common with these"]
    local = "virtual_ip = true" if story.assigned or "0.0.0.0/0" in here else f'local_ts = ["{here}"]'
    verdict.here = [f'remote_ts = ["{there}"]  # to be what its local_ts is', local]
    verdict.there = [f"local_ts = {there}", f"remote_ts = {'dynamic' if local[0] == 'v' else here}"]


def _refused(story, verdict):
    here, there = asked(story)
    verdict.payload = "TSi, TSr"
    verdict.theirs = [f"it asks for local {here}, remote {there}, in our words"]
    verdict.here = [f'local_ts = ["{here}"]', f'remote_ts = ["{there}"]  # or pool']
    verdict.there = ["remote_ts = ...  # our local_ts", "local_ts = dynamic"]


def _no_address(story, verdict):
    verdict.payload = "CP"
    verdict.ours = ["we asked for a virtual IP (CFG_REQUEST, INTERNAL_IP4_ADDRESS)"]
    verdict.theirs = ["it has no pool for this connection, or none of its addresses is free"]
    verdict.here = ["virtual_ip = false", 'local_ts = ["10.8.0.0/24"]  # ours, which it must have as remote_ts']
    verdict.there = ["pools = addresses", "pools { addresses { addrs = 10.9.0.0/24 } }"]


def _pool(story, verdict):
    verdict.payload = "CP"
    verdict.here = ['pool = "10.9.0.0/16"  # a larger one']


def narrowed(story) -> str:
    """What is missing when the Child SA covers less than was asked for; "" when it covers all, or nothing was asked."""
    lost = []
    request = next(
        (each for each in story.messages if each.out and not each.head.response and each.body(iana.TSi)), None
    )
    if request is None or not story.children:
        return ""
    for kind, key in ((iana.TSi, "local_ts"), (iana.TSr, "remote_ts")):
        given = [each for child in story.children for each in child.fields[key]]
        wanted = request.selectors(kind)
        if kind == iana.TSi and story.assigned:
            continue  # the address that was assigned is what it is to be
        missing = [each for each in wanted if not any(_within(each, other) for other in given)]
        if missing:
            lost.append(
                f"{key}: asked for {', '.join(map(names.selector_text, missing))},"
                f" got {', '.join(map(names.selector_text, given))}"
            )
    return "; ".join(lost)


def _within(selector: bytes, other: bytes) -> bool:
    half = len(selector) // 2 + 4
    return len(selector) == len(other) and other[8:half] <= selector[8:half] and selector[half:] <= other[half:]


CASES = {
    reason.TS_REFUSED_BY_PEER: _refused_by_peer,
    reason.TS_REFUSED: _refused,
    reason.NO_ADDRESS_ASSIGNED: _no_address,
    reason.PEER_SAID_ADDRESS_FAILURE: _no_address,
    reason.POOL_EXHAUSTED: _pool,
}
