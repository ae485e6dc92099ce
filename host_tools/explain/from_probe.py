"""What a probe adds to the verdict on a silence, or on a refusal without a reason: a row for each finding, in order."""

from host_tools import algorithms
from host_tools.explain import compare, probe
from host_tools.explain.verdict import Verdict
from uike import iana


def enrich(verdict: Verdict, story, found: probe.Findings) -> None:
    """Add the findings; when they tell the cause, the verdict is about that."""
    verdict.also = probe.describe(found) + verdict.also
    if verdict.up:
        return
    for applies, change in _ROWS:
        if applies(verdict, found):
            change(verdict, story, found)
            return


def _silent(verdict, found) -> bool:
    return verdict.case == "NO_ANSWER"


def _unreachable(verdict, story, found):
    verdict.case = "HOST_UNREACHABLE"
    verdict.text = f"there is no host {found.address}: the network says so (ICMP, or no answer to ARP)"
    verdict.remedy = "correct remote, or switch the gateway on"


def _refused(verdict, story, found):
    verdict.case, verdict.who = "NO_IKE_SERVICE", "the gateway's host"
    verdict.text = f"{found.address} is there, and nothing listens on its UDP port 500 (ICMP port unreachable)"
    verdict.remedy = "start the IKE service there, or correct remote"
    verdict.there = ["systemctl start strongswan"]


def _only_version_1(verdict, story, found):
    verdict.case, verdict.who = "ONLY_IKEV1", "the gateway"
    verdict.text = "the gateway speaks IKEv1 with us, and not IKEv2"
    verdict.remedy = "set its connection to IKEv2"
    verdict.there = ["version = 2"]


def _port_4500(verdict, story, found):
    verdict.case, verdict.who = "PORT_4500_BLOCKED", "the network"
    verdict.text = f"UDP 500 of {found.address} answers this PC, UDP 4500 is {found.port_4500}"
    verdict.remedy = "let UDP 4500 through, both ways"


def _lost(verdict, story, found):
    verdict.case, verdict.who = "LARGE_MESSAGES_LOST", "the network"
    verdict.text = (
        f"IP datagrams of {found.lost} bytes get no answer from {found.address}, those of {found.longest or 'fewer'} do"
    )
    verdict.remedy = "use IKE fragments that fit on both sides, or mend the path's MTU"
    size = min(found.longest or 576, 576)
    verdict.here = ["fragmentation = true", f"fragment_size = {size}"]
    verdict.there = ["fragmentation = yes", f"fragment_size = {size}  # strongswan.conf, charon"]


def _filtered(verdict, story, found):
    verdict.case, verdict.who = "PORT_500_BLOCKED", "the network"
    verdict.text = f"{found.address} answers pings, and nothing on UDP 500 and 4500"
    verdict.remedy = "let UDP 500 and 4500 through, on the path and in the gateway's own firewall"


def _down(verdict, story, found):
    verdict.case = "HOST_SILENT"
    verdict.text = f"nothing at {found.address} answers this PC: no ping, no IKE"
    verdict.remedy = "see whether the address is right and the gateway is on; a firewall may also drop everything"


def _answers_us(verdict, story, found):
    verdict.case = "PATH_OF_THE_BOARD"
    verdict.text = f"the gateway answers this PC, and did not answer the board at {story.local[0]}"
    verdict.remedy = (
        "see what is different for the board: its network's firewall, its route, remote_addrs at the gateway"
    )
    verdict.there = [f"remote_addrs = {story.local[0]}"]


def _proposal(verdict, story, found):
    """Everything was offered: what it took is what it has."""
    chosen = [found.chosen] if found.chosen else [[(iana.KE_METHOD, found.group, 0)]]
    ours = story.proposals(iana.IKE_SA_INIT, False)
    verdict.theirs = compare.words(chosen)
    kinds = (iana.ENCR, iana.PRF, iana.INTEG, iana.KE_METHOD) if found.chosen else (iana.KE_METHOD,)
    different = compare.difference(ours, chosen, kinds)
    verdict.difference = different.text() if different else ""
    takeable = compare.takeable(chosen) if found.chosen else []
    if takeable:
        verdict.here = [compare.toml("proposals", [*verdict.ours, takeable[0]])]
    elif found.chosen and different:
        verdict.remedy = "give the gateway a proposal of ours: what it takes this firmware does not speak"
    elif found.group is not None:
        word = algorithms.word((iana.KE_METHOD, found.group, 0))
        verdict.remedy = f"add the group {word} to proposals, or give the gateway one of ours"


def _no_connection(verdict, story, found):
    verdict.case = "NO_CONNECTION_AT_PEER"
    verdict.text = "the gateway refuses every IKEv2 proposal: it has no IKEv2 connection for this address"
    verdict.remedy = "add one at the gateway, or correct its local_addrs, remote_addrs and version"
    verdict.there = [f"local_addrs = {found.address}", f"remote_addrs = {story.local[0]}", "version = 2"]


_ROWS = (
    (lambda v, f: _silent(v, f) and f.port_500 == "unreachable", _unreachable),
    (lambda v, f: _silent(v, f) and f.port_500 == "refused", _refused),
    (lambda v, f: f.version_1 and (_silent(v, f) or f.no_proposal) and not f.chosen, _only_version_1),
    (lambda v, f: v.case == "PEER_SAID_NO_PROPOSAL" and f.no_proposal, _no_connection),
    (lambda v, f: v.case == "PEER_SAID_NO_PROPOSAL" and (f.chosen or f.group is not None), _proposal),
    (lambda v, f: v.case in ("LARGE_MESSAGES_LOST", "PORT_4500_BLOCKED") and f.lost, _lost),
    (lambda v, f: v.case in ("LARGE_MESSAGES_LOST", "PORT_4500_BLOCKED") and f.port_4500 != "answers", _port_4500),
    (lambda v, f: _silent(v, f) and f.port_500 == "answers", _answers_us),
    (lambda v, f: _silent(v, f) and f.pings and f.port_500 == "silent", _filtered),
    (lambda v, f: _silent(v, f) and not f.pings, _down),
)
