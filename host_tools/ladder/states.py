"""The other side's states: as its own recording has them, or as its messages tell. For `steps`."""

from host_tools import names, payloads
from uike import event as codes
from uike import iana

_PROGRESS = ("DEAD", "IDLE", "DELETING", "INIT", "AUTH", "ESTABLISHED")


def furthest(found) -> str:
    """Of the states of several IKE SAs the one that stands for all."""
    return max(found, key=_PROGRESS.index)


def key(head) -> tuple:
    """What tells a message from others, on both sides."""
    return head.spi_i, head.exchange, head.response, head.message_id, head.from_initiator


def concluded(fields, head) -> str | None:
    """The state that the other side must have after a message, if that says anything."""
    kinds = [kind for kind, _, _ in payloads.chain(fields["data"])]
    theirs = not fields["out"]
    if head.exchange == iana.IKE_SA_INIT and iana.SA in kinds:
        return ("AUTH" if head.response else "INIT") if theirs else ("AUTH" if head.response else None)
    if head.exchange == iana.IKE_AUTH and iana.AUTH in kinds and head.response:
        return "ESTABLISHED"
    if head.exchange == iana.INFORMATIONAL and iana.D in kinds and not head.response:
        deleted = [body for kind, body, _ in payloads.chain(fields["data"]) if kind == iana.D]
        return "DELETING" if any(body[0] == iana.PROTO_IKE for body in deleted if body) else None
    return None


def of_recording(events) -> dict[tuple, str]:
    """The other side's state after each message of its own recording."""
    found, at = {}, None
    before = []
    for each in events:
        if each.name == "message":
            head = payloads.header(each.fields["data"])
            at = head and key(head)
            for state in before:
                found[at] = state
            before = []
        elif each.code == codes.STATE:
            state = names.state(each.fields["new"])
            if at is None:
                before.append(state)
            else:
                found[at] = state
    return found
