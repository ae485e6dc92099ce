"""What a ladder shows, in order: the events of a recording as steps between two sides. For both renderers.

The other side's states are those of its own recording, when there is one; else they are what its messages tell.
"""

from dataclasses import dataclass, field

from host_tools import debug, names, payloads, reasons
from host_tools.ladder import notation, states
from uike import iana, reason

_QUIET = (
    "message fragment state retransmit ping greeting self_test seed heap keepalive negotiating garbled offer drop"
    " datagram keys"
)


@dataclass
class Step:
    """kind "message": an arrow, away from us if `out`; "note": a line between the sides; "verdict": an end.

    `words` are in the RFC's notation, `facts` (text, style); `fragments` are (number, of, bytes); `ours` and `theirs`
    are the states that the sides have after this step, None when unchanged; `inferred` if theirs is only concluded."""

    kind: str
    time_ms: int
    sa: int
    title: str
    style: str = ""
    out: bool = True
    again: bool = False  # sent again, so dashed
    lost: bool = False  # it did not get through, or what came was thrown away
    size: str = ""
    words: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    fragments: list[tuple[int, int, int]] = field(default_factory=list)
    ours: str | None = None
    theirs: str | None = None
    ours_bar: str | None = None  # of the SA that is furthest on, when there are several
    theirs_bar: str | None = None
    inferred: bool = False
    pings: list = field(default_factory=list)  # round trips in ms, None for one that was not answered


@dataclass
class Ladder:
    """The steps, and who the sides are: a name and an address each. `role` is ours: "initiator" or "responder"."""

    steps: list[Step]
    us: tuple[str, str]
    them: tuple[str, str]
    role: str
    inferred: bool


def ladder(events, peer_events=None, sa: int | None = None) -> Ladder:
    """The Ladder of a recording; with `sa`, only of that IKE SA. `peer_events` are those of the other side."""
    return _Maker(events, states.of_recording(peer_events) if peer_events else None, sa).made()


def conclude(found: Ladder, case: str, text: str, mending: list[str]) -> None:
    """Put an explanation in the place of what the last failure says by itself."""
    for step in reversed(found.steps):
        if step.kind == "verdict" and step.style == "bad":
            step.title, step.facts = f"{case}: {text}", [(line, "") for line in mending if line]
            return


class _Maker:
    def __init__(self, events, peer_states, only):
        self._events = [each for each in events if only is None or each.sa in (0, only)]
        self._peer = peer_states
        self._steps: list[Step] = []
        self._fragments: dict[tuple, list] = {}  # (out, exchange, response, message ID): those not yet drawn
        self._names = ["this board", "the peer"]
        self._addresses = ["", ""]
        self._role = "responder"
        self._several = len({each.sa for each in self._events if each.sa}) > 1
        self._states: tuple[dict, dict] = ({}, {})  # of each SA, ours and theirs
        self._renderer = debug.Renderer(None)

    def made(self) -> Ladder:
        for each in self._events:
            handler = getattr(self, f"_on_{each.name}", None)
            if handler:
                handler(each, each.fields)
            elif each.name not in _QUIET.split():
                self._note(each)
        self._flush()
        us, them = zip(self._names, self._addresses, strict=True)
        return Ladder(self._steps, us, them, self._role, self._peer is None)

    def _add(self, event, kind, title, style="", **more) -> Step:
        prefix = f"SA {event.sa}: " if self._several and event.sa and title and kind != "message" else ""
        self._steps.append(Step(kind, event.time_ms, event.sa, prefix + title, style, **more))
        return self._steps[-1]

    # -- messages ----------------------------------------------------------------------------------------------------

    def _on_message(self, event, fields):
        head = payloads.header(fields["data"])
        if head is None:
            return
        self._learn(fields, head)
        key = (fields["out"], head.exchange, head.response, head.message_id)
        fragments = self._fragments.pop(key, [])
        self._flush()
        step = self._add(
            event,
            "message",
            _title(head.exchange, head.response, head.message_id),
            out=fields["out"],
            size=f"{fields['length']} bytes",
            words=notation.words(fields["data"], fields["encrypted"]),
            facts=notation.facts(fields["data"]),
            fragments=fragments,
        )
        if any(style == "bad" for _, style in step.facts):
            step.style = "bad"
        if self._peer is None:
            self._become(step, False, event.sa, states.concluded(fields, head))
        else:
            self._become(step, False, event.sa, self._peer.get(states.key(head)))

    def _become(self, step: Step, ours: bool, sa: int, state: str | None) -> None:
        """A side's SA is in another state from this step on."""
        if state is None:
            return
        side = self._states[not ours]
        side[sa] = state
        furthest = states.furthest(side.values())
        label = f"{state} ({sa})" if self._several else state
        if ours:
            step.ours, step.ours_bar = label, furthest
        else:
            step.theirs, step.theirs_bar, step.inferred = label, furthest, self._peer is None

    def _learn(self, fields, head):
        """Who is who: the addresses of the last message, the identities of IKE_AUTH."""
        self._addresses = [names.endpoint_text(fields[side]) for side in ("local", "remote")]
        if head.exchange != iana.IKE_AUTH:
            return
        for kind, body, sound in payloads.chain(fields["data"]):
            if sound and kind in (iana.IDi, iana.IDr) and len(body) > 4:
                mine = (kind == iana.IDi) == (self._role == "initiator")
                if fields["out"] == mine or not mine:  # our own wish for IDr is a name too, until they give theirs
                    self._names[0 if mine else 1] = names.id_text(body[0], body[4:])

    def _on_fragment(self, event, fields):
        key = (fields["out"], fields["exchange"], fields["response"], fields["message_id"])
        found = self._fragments.setdefault(key, [])
        if found and found[0][1] != fields["of"]:  # cut anew
            self._flush()
            found = self._fragments.setdefault(key, [])
        found.append((fields["number"], fields["of"], fields["length"]))
        last = self._steps[-1] if self._steps else None
        if last and last.again and last.out == fields["out"] and last.title.startswith(_title(*key[1:])):
            last.fragments = self._fragments.pop(key)
            self._fragments[key] = last.fragments  # those that follow belong to it too
            if fields["number"] == fields["of"]:
                del self._fragments[key]
        elif not found[:-1]:
            self._fragment_event = event

    def _flush(self):
        """Fragments whose message never became whole."""
        for key, fragments in self._fragments.items():
            out, exchange, response, message_id = key
            step = self._add(self._fragment_event, "message", _title(exchange, response, message_id), "warn", out=out)
            step.fragments, step.lost = fragments, True
            step.facts = [(f"{len(fragments)} of {fragments[0][1]} fragments; the message is not whole", "warn")]
        self._fragments = {}

    def _on_retransmit(self, event, fields):
        title = _title(fields["exchange"], False, fields["message_id"])
        for step in reversed(self._steps):
            if step.kind == "message" and step.out and step.title.startswith(title) and step.sa == event.sa:
                step.lost, step.style = True, step.style or "warn"
                break
        again = f"{title}, sent again ({fields['attempt']} of {fields['of']})"
        self._add(event, "message", again, "warn", again=True)

    def _on_drop(self, event, fields):
        text, _ = reasons.explain(event)
        if not fields["remote"][1]:
            self._add(event, "note", f"dropped: {text}", "warn")
        elif fields["reason"] == reason.COOKIE_WANTED:
            step = self._add(event, "message", _title(iana.IKE_SA_INIT, False, 0), out=False)
            step.facts = [("without a cookie", "")]
            step = self._add(event, "message", _title(iana.IKE_SA_INIT, True, 0))
            step.words, step.facts = ["HDR", "N(COOKIE)"], [("nothing is kept here until it comes back", "")]
        elif fields["reason"] == reason.RETRANSMITTED_REQUEST:
            self._add(event, "message", "the request again; its answer goes out again", "warn", out=False, again=True)
        else:
            step = self._add(event, "message", "dropped", "warn", out=False, lost=True)
            step.facts = [(f"{reasons.NAMES.get(fields['reason'], '?')}: {text}", "warn")]

    # -- states, notes, ends -----------------------------------------------------------------------------------------

    def _on_state(self, event, fields):
        last = self._steps[-1] if self._steps else None
        if last is None or last.sa != event.sa:
            last = self._add(event, "note", "")
        self._become(last, True, event.sa, names.state(fields["new"]))

    def _on_negotiating(self, event, fields):
        self._role = "initiator" if fields["initiator"] else "responder"
        self._addresses = [names.endpoint_text(fields[side]) for side in ("local", "remote")]
        name = names.printable(fields["name"].encode())
        self._add(event, "note", f"connection {name}, we are the {self._role}", "dim")

    def _on_ping(self, event, fields):
        last = self._steps[-1] if self._steps else None
        if last is None or not last.pings:
            last = self._add(event, "note", "", "good")
        last.pings.append(fields["rtt_ms"] if fields["answered"] else None)
        answered = [each for each in last.pings if each is not None]
        last.title = f"ESP: ping to {fields['peer']}, {len(answered)} of {len(last.pings)} answered"
        if answered:
            last.title += f", in {min(answered)} to {max(answered)} ms"
        if len(answered) < len(last.pings):
            last.style = "bad"

    def _on_closed(self, event, fields):
        text, remedy = reasons.explain(event)
        normal = fields["reason"] in debug.NORMAL_ENDS
        name = reasons.NAMES.get(fields["reason"], "?")
        if fields["reason"] in (reason.NO_ANSWER, reason.PEER_DEAD) and self._steps[-1].kind == "message":
            self._steps[-1].lost = self._steps[-1].out
        step = self._add(event, "verdict", f"{name}: {text}", "dim" if normal else "bad")
        if not normal:
            step.facts = [(remedy, "")]

    _on_reject = _on_closed

    def _on_ike_rekeyed(self, event, fields):
        self._note(event)
        if self._peer is None:
            self._become(self._steps[-1], False, fields["successor"], "ESTABLISHED")

    def _note(self, event):
        lines = self._renderer.lines(event)
        step = self._add(event, "note", lines[0][0], lines[0][1])
        step.facts = [(text, style) for text, style in lines[1:]]


def _title(exchange: int, response: bool, message_id: int) -> str:
    return f"{names.exchange(exchange)} {'response' if response else 'request'} {message_id}"
