"""Who is who, and by which proof: identities that nobody knows, and keys that differ."""

from host_tools import names
from uike import iana, reason


def _given(story, verdict):
    """What each side said of itself; and, of an initiator, whom it asked for."""
    verdict.ours = [f"we are {story.who(True)}"] if story.who(True) else []
    if story.initiator and story.wanted():
        verdict.ours.append(f"we asked for {story.wanted()}")
    if story.who(False):
        verdict.theirs = [f"{story.peer()} is {story.who(False)}"]


def _not_accepted(story, verdict):
    """The notify does not say which; the order is that in which a gateway looks."""
    _given(story, verdict)
    verdict.payload = "IDi, IDr or AUTH"
    verdict.theirs = ["AUTHENTICATION_FAILED says no more than that"]
    method = _method(story)
    verdict.difference = "one of: it has no connection for these two identities, no key for them, or another key"
    proof = "the same key as psk" if method == iana.AUTH_SHARED_KEY else "cacerts that lead to our certificate"
    verdict.remedy = (
        f"compare, in this order: its identity with {story.wanted() or 'any'}, its peer's with {story.who(True)}, and"
        f" {proof}; its log says which (--log FILE reads strongSwan's)"
    )
    verdict.here = [f'local_id = "{story.who(True)}"', f'remote_id = "{story.wanted()}"'][: 2 if story.wanted() else 1]
    verdict.there = [f"local {{ id = {story.wanted()} }}"] if story.wanted() else []
    verdict.there.append(f"remote {{ id = {story.who(True)} }}")
    if method == iana.AUTH_SHARED_KEY:
        verdict.here.append('psk = "..."')
        verdict.there.append(f"secrets {{ ike-1 {{ id = {story.who(True)}; secret = ... }} }}")


def _method(story) -> int:
    for each in story.of(iana.IKE_AUTH, not story.initiator):
        body = each.body(iana.AUTH)
        if each.out and body:
            return body[0]
    return 0


def _unknown(story, verdict):
    """We refuse: nobody of that name is configured here."""
    _given(story, verdict)
    data = story.failure.fields["detail"]
    given = names.id_text(data[0], data[1:]) if len(data) > 1 else story.who(False)
    verdict.payload = "IDi" if not story.initiator else "IDr"
    verdict.theirs = [f"{story.peer()} is {given}"]
    wanted = story.wanted() if story.initiator else ""
    verdict.difference = f"identity: here {wanted or 'another one is expected'}, there {given}"
    verdict.here = [f'remote_id = "{given}"']
    if wanted:
        verdict.there = [f"local {{ id = {wanted} }}"]


def _psk(story, verdict):
    """We checked their proof: the identity was known, so the key it is."""
    _given(story, verdict)
    verdict.payload = "AUTH"
    verdict.difference = (
        f"the pre-shared key: the identity {story.who(False)} is known here, and its proof is another's"
    )
    verdict.here = ['psk = "..."']
    verdict.there = [f"secrets {{ ike-1 {{ id = {story.who(True) or story.wanted()}; secret = ... }} }}"]


def _no_psk(story, verdict):
    """The connection is theirs, and has a key for others only."""
    _given(story, verdict)
    verdict.payload = "IDi"
    verdict.difference = f"keys: here none for {story.who(False)}"
    verdict.here = [f'psks = {{ "{story.who(False)}" = "..." }}']


def _method_refused(story, verdict):
    _given(story, verdict)
    data = story.failure.fields["detail"]
    verdict.payload = "AUTH"
    theirs = names.name(names.AUTH_METHODS, data[0]) if data else "none: it would use EAP"
    verdict.theirs = [theirs]
    verdict.difference = f"method: here what the connection has (psk, or cacerts), there {theirs}"
    verdict.there = ["local { auth = psk }"]


CASES = {
    reason.PEER_SAID_AUTH_FAILED: _not_accepted,
    reason.UNKNOWN_PEER_ID: _unknown,
    reason.WRONG_PEER_ID: _unknown,
    reason.PSK_DIFFERS: _psk,
    reason.NO_PSK_FOR_PEER: _no_psk,
    reason.AUTH_METHOD_REFUSED: _method_refused,
}
