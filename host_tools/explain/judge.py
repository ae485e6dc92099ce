"""From a recording to its verdict: the story, the case that its failure is, and what was seen beside it."""

from host_tools import names
from host_tools.explain import observations
from host_tools.explain.cases import TABLE
from host_tools.explain.cases.addresses import narrowed
from host_tools.explain.story import Story
from host_tools.explain.verdict import Verdict, of_failure
from uike import event as codes
from uike import reason

_STOPPERS = ("stopped", "config_error", "command_error")  # no negotiation was even begun


_CRASHES = (  # what a console shows of a board that is no more: a part of the line, case, text, remedy
    ("MemoryError", "NO_MEMORY", "the board ran out of memory before it could begin", "a board with more memory"),
    ("Brownout", "BROWNOUT", "the board's supply voltage fell too low", "a better supply or cable"),
    ("Guru Meditation", "CRASHED", "MicroPython itself crashed", "please report it with this recording"),
    ("Traceback", "CRASHED", "the firmware ended with an exception", "please report it with this recording"),
)


def judge(events, texts=()) -> tuple[Story, Verdict]:
    """The story of a recording's last attempt, and the verdict on it. `texts` are its lines that are no records."""
    story = Story(events)
    if story.failure:
        verdict = _failed(story)
    elif story.children:
        verdict = _up(story)
    else:
        verdict = _crashed(texts) or _unfinished(story)
    verdict.also += [line for line in observations.lines(story) if line not in verdict.also]
    return story, verdict


def _crashed(texts) -> Verdict | None:
    for part, case, text, remedy in _CRASHES:
        if any(part in line for line in texts):
            return Verdict(False, case, text, remedy, who="this board")
    return None


def _failed(story: Story) -> Verdict:
    verdict = of_failure(story, story.failure)
    case = TABLE.get(story.failure.fields["reason"])
    if case:
        case(story, verdict)
    return verdict


def _up(story: Story) -> Verdict:
    """The tunnel is up: it may still carry nothing, or less than was asked for."""
    silent = observations.traffic(story)
    if silent:
        return Verdict(True, "NO_TRAFFIC", f"the tunnel is up, but {silent[0]}", silent[1])
    if narrowed(story):
        there = "widen local_ts at the gateway, or ask for less (remote_ts)"
        return Verdict(True, "NARROWED", f"the tunnel is up, for less than was asked: {narrowed(story)}", there)
    took = f" after {story.established_ms} ms" if story.established_ms is not None else ""
    return Verdict(True, "UP", f"the tunnel came up{took}")


def _unfinished(story: Story) -> Verdict:
    """The recording ends before anything was decided; the silence so far is what there is to explain."""
    for each in reversed(story.everything):
        if each.name in _STOPPERS:
            return _stopped(each)
        if each.name == "not_started" and not story.messages:
            fields = {"notify": 0, "exchange": 0, "authenticated": True, **each.fields}
            story.failure = each._replace(code=codes.CLOSED, name="closed", fields=fields)
            return _failed(story)
    waiting = story.messages and story.messages[-1].out and not story.messages[-1].head.response
    if not waiting and not story.retransmits:
        names = [each.name for each in story.everything if each.sa]
        if names and "negotiating" not in names:
            what = "the recording began behind the negotiation, and no failure is in it"
            return Verdict(False, "UNFINISHED", what, "uike status has what is up; record from the board's start on")
        return Verdict(False, "UNFINISHED", "the recording ends before the tunnel is up", "record for longer")
    last = story.messages[-1]
    fields = {"reason": reason.NO_ANSWER, "notify": 0, "exchange": last.head.exchange, "detail": b""}
    fields.update({"message_id": last.head.message_id, "authenticated": False})
    story.failure = story.events[-1]._replace(code=codes.CLOSED, name="closed", fields=fields)
    return _failed(story)


def _stopped(event) -> Verdict:
    if event.name == "stopped":
        return of_failure(Story([]), event)
    text = names.printable(event.fields["text"].replace("\t", ": ").encode(), 400)
    return Verdict(False, event.name.upper(), text, "correct it, and start again", who="this board")
