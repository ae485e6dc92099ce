"""No answer: how far it came, and what that leaves as a cause. `--probe` tells the rest apart."""

from host_tools import reasons
from uike import iana, reason

_SMALL = 548  # bytes of an IKE message that fits into the IP datagram which every path carries


def _case(story, verdict):
    verdict.who = "nobody"
    verdict.authenticated = None
    if story.drops[reason.NO_MEMORY]:
        verdict.case, verdict.who = "NO_MEMORY", "this board"
        verdict.text = "the board had no memory for what came, so it is as if nothing had come"
        verdict.remedy = reasons.remedy(reason.NO_MEMORY)
    elif story.drops[reason.WRONG_MAJOR_VERSION]:
        _only_ikev1(verdict)
    elif not [each for each in story.messages if not each.out]:
        _nothing(story, verdict)
    elif not story.of(iana.IKE_AUTH, False) and any(
        each.notify(iana.COOKIE) for each in story.of(iana.IKE_SA_INIT, True)
    ):
        _too_many(story, verdict)
    elif verdict.exchange == "IKE_AUTH" and not story.of(iana.IKE_AUTH, True):
        _after_init(story, verdict)


def _only_ikev1(verdict):
    verdict.case = "ONLY_IKEV1"
    verdict.who = "the gateway"
    verdict.text = "the gateway answers in IKE version 1"
    verdict.remedy = "set the gateway to IKEv2 for this connection"
    verdict.there = ["version = 2"]


def _nothing(story, verdict):
    verdict.payload = ""
    address = story.remote[0]
    verdict.text = f"nothing at all came back from {address}"
    verdict.remedy = (
        f"is {address} the gateway, and does UDP 500 reach it? A gateway with no connection for our address is silent"
        " too: its log says so. uike explain --probe asks it from this PC"
    )
    verdict.here = [f'remote = "{address}"']
    verdict.there = [f"remote_addrs = {story.local[0]}", "version = 2"]


def _too_many(story, verdict):
    """A gateway that asks for a cookie is under load; one that then says nothing has had enough of this address."""
    verdict.case, verdict.who = "TOO_MANY_HALF_OPEN_AT_PEER", story.peer()
    verdict.text = f"the gateway asked for a cookie, and did not answer when {story.local[0]} came back with it"
    verdict.remedy = "wait half a minute: it has too many unfinished negotiations with this address; see why they fail"
    verdict.there = ["block_threshold = 5  # strongswan.conf, charon: half-open IKE SAs of one address"]


def _after_init(story, verdict):
    """IKE_SA_INIT was answered, IKE_AUTH was not: the port, or the size, changed between them."""
    sent = story.of(iana.IKE_AUTH, False)
    size = sent[-1].length if sent else 0
    fragments = [each for each in story.fragments if each["out"]]
    smallest = max((each["length"] for each in fragments if each["of"] == fragments[-1]["of"]), default=size)
    verdict.ours = [f"IKE_AUTH of {size} bytes" + (f", last in fragments of {smallest}" if fragments else "")]
    incoming = [each for each in story.fragments if not each["out"]]
    if incoming:
        verdict.case, verdict.who = "ANSWER_IN_PIECES", "the network"
        verdict.text = f"of the answer only {len(incoming)} of {incoming[-1]['of']} fragments came"
        verdict.remedy = "make the gateway's fragments smaller"
        verdict.there = ["fragment_size = 576  # strongswan.conf, charon"]
    elif smallest > _SMALL:
        verdict.case, verdict.who = "LARGE_MESSAGES_LOST", "the network"
        verdict.text = (
            f"IKE_SA_INIT was answered, IKE_AUTH of {size} bytes was not: large datagrams are lost on the way"
        )
        verdict.remedy = "let both sides use IKE fragments (RFC 7383), small ones; or mend the path's MTU"
        verdict.here = ["fragmentation = true", "fragment_size = 576"]
        verdict.there = ["fragmentation = yes", "fragment_size = 576  # strongswan.conf, charon"]
    else:
        verdict.case, verdict.who = "PORT_4500_BLOCKED", "the network"
        verdict.text = "IKE_SA_INIT on UDP 500 was answered, IKE_AUTH on UDP 4500 was not, small as it is"
        verdict.remedy = (
            "let UDP 4500 through, both ways: firewalls on the path, and the gateway's own; only a gateway that drops a"
            " proof in silence looks the same"
        )


def _half_open(story, verdict):
    """We answered IKE_SA_INIT, and nothing more came."""
    verdict.case, verdict.who = "PORT_4500_BLOCKED", "the network"
    verdict.text = "our answer to IKE_SA_INIT went out, and no IKE_AUTH came"
    verdict.remedy = "let UDP 4500 through to this board, and our answers to the peer; its log says what it waits for"


CASES = {reason.NO_ANSWER: _case, reason.HALF_OPEN_TIMEOUT: _half_open}
