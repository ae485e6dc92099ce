"""What a recording tells of one negotiation, in the terms in which it can be explained.

A recording may hold many attempts. The story is that of the last one; an IKE SA that replaces another goes on with its
story. Nothing here judges: that is for the cases.
"""

from collections import Counter
from typing import NamedTuple

from host_tools import names, payloads
from uike import event as codes
from uike import iana, reason

_NORMAL = (reason.NONE, reason.DELETED_BY_US, reason.REPLACED, reason.REDIRECTED, reason.SENT_AWAY)


class Message(NamedTuple):
    """An IKE message of the recording."""

    time_ms: int
    sa: int
    out: bool
    encrypted: bool
    length: int
    head: payloads.Header
    bodies: list[tuple[int, bytes]]  # (payload type, body)

    def body(self, kind: int) -> bytes | None:
        """The first payload of a type."""
        return next((body for each, body in self.bodies if each == kind), None)

    def notify(self, kind: int) -> bytes | None:
        """The data of the first notify of a type."""
        for each, body in self.bodies:
            if each == iana.N and len(body) >= 4 and int.from_bytes(body[2:4], "big") == kind:
                return body[4 + body[1] :]
        return None

    def identity(self, kind: int) -> str | None:
        """The identity in IDi or IDr."""
        body = self.body(kind)
        return names.id_text(body[0], body[4:]) if body and len(body) > 4 else None

    def offers(self) -> list[list[tuple[int, int, int]]]:
        """The proposals of its SA payload."""
        try:
            return [each.transforms for each in payloads.offers(self.body(iana.SA) or b"")]
        except (ValueError, IndexError):
            return []

    def selectors(self, kind: int) -> list[bytes]:
        """Those of TSi or TSr, in wire form."""
        body, found, at = self.body(kind) or b"", [], 4
        while at + 8 <= len(body):
            size = int.from_bytes(body[at + 2 : at + 4], "big")
            if size not in (16, 40) or at + size > len(body):
                break
            found.append(body[at : at + size])
            at += size
        return found


class Story:
    """The last attempt of a recording. `failure` is the event that says why it ended, None if it did not fail."""

    def __init__(self, events):
        self.events = _last_attempt(events)
        self.everything = list(events)
        self.initiator = True
        self.name = ""
        self.local = self.remote = ("", 0)
        self.messages: list[Message] = []
        self.established = self.established_ms = None  # the event; how long it took
        self.children: list = []  # child_up events
        self.children_down: list = []
        self.pings: list = []
        self.drops: Counter = Counter()
        self.retransmits: list = []
        self.fragments: list = []
        self.rejects: list = []
        self.rekeys: list = []
        self.closed = None  # the last IKE SA's end
        self.offer: list = []  # what we would have taken, when nothing was common
        self.assigned = None
        for each in self.events:
            handler = getattr(self, f"_on_{each.name}", None)
            if handler:
                handler(each, each.fields)
        self.failure = self._failure()

    # -- questions ---------------------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """A tunnel came up, and did not break down."""
        return bool(self.children) and self.failure is None

    def first(self, exchange: int, response: bool) -> Message | None:
        """The last try's first message of a kind: a cookie or another group makes a new one."""
        found = self.of(exchange, response)
        return found[-1] if found and exchange == iana.IKE_SA_INIT else found[0] if found else None

    def of(self, exchange: int, response: bool) -> list[Message]:
        return [each for each in self.messages if (each.head.exchange, each.head.response) == (exchange, response)]

    def who(self, ours: bool) -> str:
        """The identity that a side gave, "" when it gave none."""
        kind = iana.IDi if ours == self.initiator else iana.IDr
        for each in self.of(iana.IKE_AUTH, kind == iana.IDr):
            if each.out == ours and each.identity(kind):
                return each.identity(kind)
        return ""

    def wanted(self) -> str:
        """The identity that the initiator asked for in IDr."""
        for each in self.of(iana.IKE_AUTH, False):
            if each.identity(iana.IDr):
                return each.identity(iana.IDr)
        return ""

    def peer(self) -> str:
        """The other side in a word: a gateway when we began."""
        return "the gateway" if self.initiator else "the peer"

    def proposals(self, exchange: int, response: bool) -> list:
        """The proposals of the last message of a kind that had some."""
        found = [each.offers() for each in self.of(exchange, response) if each.offers()]
        return found[-1] if found else []

    # -- events ------------------------------------------------------------------------------------------------------

    def _on_negotiating(self, event, fields):
        self.initiator, self.name = fields["initiator"], names.printable(fields["name"].encode())
        self.local, self.remote = fields["local"], fields["remote"]

    def _on_message(self, event, fields):
        head = payloads.header(fields["data"])
        if head:
            bodies = [(kind, body) for kind, body, sound in payloads.chain(fields["data"]) if sound]
            said = (event.time_ms, event.sa, fields["out"], fields["encrypted"], fields["length"], head, bodies)
            self.messages.append(Message(*said))
            self.local, self.remote = fields["local"], fields["remote"]

    def _on_established(self, event, fields):
        self.established, self.established_ms = event, fields["elapsed_ms"]

    def _on_child_up(self, event, fields):
        self.children.append(event)

    def _on_child_down(self, event, fields):
        self.children_down.append(event)

    def _on_address(self, event, fields):
        self.assigned = fields["address"] or fields["address6"]

    def _on_ping(self, event, fields):
        self.pings.append(fields)

    def _on_drop(self, event, fields):
        self.drops[fields["reason"]] += 1

    def _on_retransmit(self, event, fields):
        self.retransmits.append(event)

    def _on_fragment(self, event, fields):
        self.fragments.append(fields)

    def _on_reject(self, event, fields):
        self.rejects.append(event)

    def _on_closed(self, event, fields):
        self.closed = event

    def _on_child_rekeyed(self, event, fields):
        self.rekeys.append(event)

    _on_ike_rekeyed = _on_child_rekeyed

    def _on_offer(self, event, fields):
        if fields["ours"]:
            try:
                self.offer += [each.transforms for each in payloads.offers(fields["data"])]
            except (ValueError, IndexError):
                pass  # a garbled record

    def _failure(self):
        """Why it is not up: what ended it; else what was refused while it went on."""
        ended = [each for each in self.events if each.name == "closed" and each.fields["reason"] not in _NORMAL]
        if ended and not (self.children and ended[-1].fields["reason"] == reason.DELETED_BY_PEER):
            for each in self.rejects:  # a refusal that went before it says more than "we gave up"
                if ended[-1].fields["reason"] in (reason.DELETED_BY_PEER, reason.NONE):
                    return each
            return ended[-1]
        if self.children:
            return None
        if self.rejects:
            return self.rejects[-1]
        return ended[-1] if ended else None


def _last_attempt(events) -> list:
    """The events from the last attempt on; without one, all of them."""
    events = list(events)
    starts = [index for index, each in enumerate(events) if each.name == "negotiating"]
    if not starts:
        return events
    sas = {events[starts[-1]].sa}
    for each in events[starts[-1] :]:
        if each.sa in sas and each.code in (codes.IKE_REKEYED, codes.REAUTHENTICATED):
            sas.add(each.fields["successor"])
    return [each for each in events[starts[-1] :] if each.sa in sas or each.sa == 0]
