"""What is worth knowing beside the verdict, whether the tunnel is up or not: a line each, from the whole recording.

An observation is a function (story) that gives lines. `traffic` can be the verdict on a tunnel that is up.
"""

from host_tools import names, reasons
from host_tools.explain.cases.addresses import narrowed
from uike import iana, reason

_REPEATED = (reason.RETRANSMITTED_REQUEST, reason.COOKIE_WANTED, reason.FRAGMENT_REPEATED, reason.UNEXPECTED_RESPONSE)
_ENDINGS = (reason.NONE, reason.DELETED_BY_US, reason.DELETED_BY_PEER, reason.REPLACED, reason.REDIRECTED)
_COLLISIONS = (reason.REKEY_COLLISION, reason.PEER_SAID_LATER)
_ASKED_AGAIN = (reason.PEER_SAID_NO_PROPOSAL, reason.NO_ANSWER, reason.GROUP_REFUSED)  # on purpose, or said already
_SLOW_MS = 2_000


def traffic(story) -> tuple[str, str] | None:
    """(text, remedy) when the counters say that packets go one way only, or pings are not answered."""
    if not story.children:
        return None
    into = sum(each.fields["packets_in"] for each in story.children_down)
    out = sum(each.fields["packets_out"] for each in story.children_down)
    unanswered = bool(story.pings) and not any(each["answered"] for each in story.pings)
    if story.children_down and out and not into:
        return (
            f"{out} packets went into the tunnel and none came out of it",
            "the way back is missing: at the gateway look for a route or a firewall rule for our inner address, and"
            " whether ESP in UDP comes in from it; the host behind it must answer through it",
        )
    if story.children_down and into and not out:
        return (
            f"{into} packets came out of the tunnel and none went into it",
            "nothing here answers: compare local_ts with the addresses that are asked, or start what is to answer",
        )
    if unanswered and not (into and out):
        return (
            "no ping was answered",
            "see whether the host that is pinged answers pings at all, and to our inner address",
        )
    return None


def _drops(story):
    for number, count in story.drops.most_common():
        if number not in _REPEATED:
            times = f"{count} times" if count > 1 else "once"
            yield f"dropped {times}: {reasons.text(number)}; {reasons.remedy(number)}"


def _narrowed(story):
    lost = narrowed(story)
    if lost:
        yield f"the tunnel covers less than was asked for: {lost}; widen local_ts at the gateway"


def _collisions(story):
    for each in story.rekeys:
        if each.fields["collision"]:
            what = "Child SA" if each.name == "child_rekeyed" else "IKE SA"
            kept = "ours was kept" if each.fields["collision"] == 1 else "the peer's was kept"
            yield f"both sides replaced the same {what} at once; {kept}, by the nonces (RFC 7296 section 2.8)"
    for each in story.rejects:
        if each.fields["reason"] in _COLLISIONS:
            yield f"{reasons.text(each.fields['reason'])}: {reasons.remedy(each.fields['reason'])}"


def _both_at_once(story):
    begun = [each for each in story.everything if each.name == "negotiating"]
    for one, other in zip(begun, begun[1:], strict=False):
        opposite = one.fields["initiator"] != other.fields["initiator"]
        if opposite and one.fields["remote"][0] == other.fields["remote"][0] and other.time_ms - one.time_ms < 5_000:
            yield (
                "both sides began at once, so there are two IKE SAs; let one of them only answer"
                ' (here role = "responder", or there start_action = none)'
            )
            return


def _slow(story):
    per_exchange: dict[str, int] = {}
    for each in story.retransmits:
        name = names.exchange(each.fields["exchange"])
        per_exchange[name] = per_exchange.get(name, 0) + 1
    for name, count in per_exchange.items():
        if story.failure is None or story.failure.fields["reason"] not in _ASKED_AGAIN:
            yield f"{name} went out {count + 1} times: datagrams are lost, or the other side is slow"
    if story.established_ms and story.established_ms > _SLOW_MS and not per_exchange:
        yield f"it took {story.established_ms} ms without a loss: see the ladder for who made the other wait"


def _again(story):
    groups = [each for each in story.of(iana.IKE_SA_INIT, True) if each.notify(iana.INVALID_KE_PAYLOAD) is not None]
    for each in groups:
        group = names.group(int.from_bytes(each.notify(iana.INVALID_KE_PAYLOAD), "big"))
        yield f"a round trip more: {story.peer()} wanted the group {group}; put it first in proposals"
    if any(each.notify(iana.COOKIE) is not None for each in story.of(iana.IKE_SA_INIT, True)):
        yield f"a round trip more: {story.peer()} asked for a cookie, as it does under load"


def _refused_beside(story):
    for each in story.rejects:
        same = story.failure is not None and each.fields["reason"] == story.failure.fields["reason"]
        if not same and each.fields["reason"] not in _COLLISIONS:
            text, remedy = reasons.explain(each)
            yield f"refused on the way: {text}; {remedy}"


def _earlier(story):
    failed = [
        each
        for each in story.everything
        if each.name == "closed" and each not in story.events and each.fields["reason"] not in _ENDINGS
    ]
    if failed:
        kinds = sorted({reasons.NAMES.get(each.fields["reason"], "?") for each in failed})
        yield f"{len(failed)} earlier attempts in this recording failed: {', '.join(kinds)}"


_ALL = (_narrowed, _again, _slow, _collisions, _both_at_once, _refused_beside, _drops, _earlier)


def lines(story) -> list[str]:
    """Every observation on a story."""
    return [line for observe in _ALL for line in observe(story)]
