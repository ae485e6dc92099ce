"""No proposal is common: of the IKE SA, of the Child SA; or the key exchange group is one that we do not offer."""

from host_tools import algorithms, names
from host_tools.explain import compare
from uike import iana, reason

_UNSAID = "not said: NO_PROPOSAL_CHOSEN has no data; the gateway's log has it (--log FILE)"


def _refused(key: str, exchange: int):
    """Theirs to refuse: what they would take is not on the wire."""

    def case(story, verdict):
        offered = story.proposals(exchange, False)
        verdict.ours = compare.words(offered)
        verdict.theirs = [_UNSAID + (", or --probe" if exchange == iana.IKE_SA_INIT else "")]
        verdict.payload = "SAi1" if exchange == iana.IKE_SA_INIT else "SAi2"
        verdict.there = [compare.swanctl(key, verdict.ours)]

    return case


def _none(key: str, exchange: int):
    """Ours to refuse: both offers are in the trace."""

    def case(story, verdict):
        theirs = story.proposals(exchange, False)
        ours = story.offer
        verdict.ours, verdict.theirs = compare.words(ours), compare.words(theirs)
        verdict.payload = "SAi1" if exchange == iana.IKE_SA_INIT else "SAi2"
        compared(verdict, key, ours, theirs)

    return case


def compared(verdict, key, ours, theirs) -> None:
    """Say where they part, and write the lines that would join them."""
    found = compare.difference(ours, theirs)
    if found:
        verdict.difference = found.text()
    takeable = compare.takeable(theirs)
    if takeable:
        verdict.here = [compare.toml(key, [*verdict.ours, takeable[0]])]
    else:
        verdict.remedy = f"add one of ours to the other side: this firmware speaks none of {', '.join(verdict.theirs)}"
    verdict.there = [compare.swanctl(key, [*verdict.theirs, *verdict.ours[:1]])]


def _group(story, verdict):
    verdict.payload = "KEi"
    verdict.ours = compare.words(story.proposals(iana.IKE_SA_INIT, False))
    data = story.failure.fields["detail"]
    wanted = (iana.KE_METHOD, int.from_bytes(data, "big"), 0)
    verdict.theirs = [names.transform_text(wanted)]
    ours = sorted(
        {
            names.transform_text(each)
            for rows in story.proposals(iana.IKE_SA_INIT, False)
            for each in rows
            if each[0] == iana.KE_METHOD
        }
    )
    verdict.difference = f"key exchange group (KE_METHOD): here {' or '.join(ours)}, there {verdict.theirs[0]}"
    word = algorithms.word(wanted)
    if word and algorithms.supported(wanted):
        verdict.here = [compare.toml("proposals", [f"{each}-{word}" for each in verdict.ours])]
    else:
        verdict.remedy = f"give the gateway a group of ours: this firmware does not speak {verdict.theirs[0]}"
    verdict.there = [compare.swanctl("proposals", verdict.ours)]


CASES = {
    reason.PEER_SAID_NO_PROPOSAL: _refused("proposals", iana.IKE_SA_INIT),
    reason.NO_COMMON_PROPOSAL: _none("proposals", iana.IKE_SA_INIT),
    reason.PEER_SAID_NO_ESP_PROPOSAL: _refused("esp_proposals", iana.IKE_AUTH),
    reason.NO_COMMON_ESP_PROPOSAL: _none("esp_proposals", iana.IKE_AUTH),
    reason.GROUP_REFUSED: _group,
}
