"""A verdict: who said no, where, whether that can be believed, what each side offered, and what would mend it."""

from dataclasses import asdict, dataclass, field

from host_tools import names, reasons
from host_tools.explain.story import Story
from uike import iana, reason

NOBODY = (reason.NO_ANSWER, reason.PEER_DEAD, reason.HALF_OPEN_TIMEOUT)
_ABOUT = {  # the payload that a refusal is about, where that is always the same
    iana.NO_PROPOSAL_CHOSEN: "SA",
    iana.INVALID_KE_PAYLOAD: "KE",
    iana.AUTHENTICATION_FAILED: "AUTH",
    iana.TS_UNACCEPTABLE: "TSi, TSr",
    iana.INTERNAL_ADDRESS_FAILURE: "CP",
    iana.FAILED_CP_REQUIRED: "CP",
}


@dataclass
class Verdict:
    """`case` names it: a reason of `uike.reason`, or what was seen. Lines of configuration are ready to be typed:
    `here` in this device's file, `there` in strongSwan's swanctl.conf. `also` are further observations."""

    up: bool
    case: str
    text: str
    remedy: str = ""
    who: str = ""  # said no
    exchange: str = ""
    message_id: int | None = None
    payload: str = ""
    notify: str = ""
    authenticated: bool | None = None  # whether the message that said so was
    ours: list[str] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)
    difference: str = ""
    here: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    also: list[str] = field(default_factory=list)

    def as_dict(self) -> dict:
        """What `--json` prints."""
        return asdict(self)


def of_failure(story: Story, failure) -> Verdict:
    """What the event of a failure says by itself, for a case to add to."""
    fields = failure.fields
    text, remedy = reasons.explain(failure._replace(fields={"reason": fields["reason"], "detail": fields["detail"]}))
    made = Verdict(False, reasons.NAMES.get(fields["reason"], str(fields["reason"])), text, remedy)
    number = fields.get("notify") or 0
    made.notify = names.notify(number) if number else ""
    exchange = fields.get("exchange") or _exchange(story)
    made.exchange = names.exchange(exchange) if exchange else ""
    made.message_id = fields.get("message_id")
    made.payload = _ABOUT.get(number, "")
    made.who = _who(story, fields["reason"])
    if made.who != "nobody":
        made.authenticated = fields.get("authenticated", exchange != iana.IKE_SA_INIT)
    return made


def _exchange(story: Story) -> int:
    return story.messages[-1].head.exchange if story.messages else 0


_THEIRS = (reason.PEER_ERROR, reason.SYNTAX_ERROR, reason.GROUP_REFUSED, reason.EAP_FAILED)


def _who(story: Story, number: int) -> str:
    """Theirs are the reasons that say so by their names."""
    if number in NOBODY:
        return "nobody"
    name = reasons.NAMES.get(number, "")
    theirs = name.startswith(("PEER_SAID", "PEER_REFUSED")) or name.endswith("BY_PEER") and name != "TS_WIDENED_BY_PEER"
    theirs = theirs or number in _THEIRS
    return story.peer() if theirs else "this board"
