"""EAP: names, passwords, and which method. Of both roles."""

from host_tools import names
from uike import iana, reason

_USERS = 'eap_users = { "%s" = "..." }'
_SECRET = "secrets { eap-1 { id = %s; secret = ... } }"


def _user(story, verdict):
    """We asked, and the peer did not know: the detail is the name that it gave."""
    user = names.printable(story.failure.fields["detail"] or b"")
    known = story.failure.fields["reason"] == reason.EAP_WRONG_PASSWORD
    verdict.payload = "EAP"
    verdict.theirs = [f"{story.peer()} is {user}"]
    verdict.difference = f"the password of {user}" if known else f"users: here none of the name {user}"
    verdict.here = [_USERS % user]
    verdict.there = [_SECRET % user]


def _methods(story, verdict):
    """The detail are the numbers of the methods that the other side wants."""
    wanted = [names.name(names.EAP_METHODS, kind) for kind in story.failure.fields["detail"] or b"" if kind]
    verdict.payload = "EAP"
    verdict.theirs = [f"{story.peer()} takes {', '.join(wanted) or 'none that it names'}"]
    verdict.difference = "method: here those of eap_methods, there others"
    ours = [f'"{name}"' for name in wanted if name in ("mschapv2", "md5")]
    verdict.here = [f"eap_methods = [{', '.join(ours)}]"] if ours else []
    verdict.there = ["local { auth = eap }  # takes any method"]


def _refused_us(story, verdict):
    """The gateway asked, and we did not know."""
    verdict.payload = "EAP"
    verdict.difference = "one of: it has no such user, or another password"
    verdict.here = ['eap_id = "..."', 'eap_password = "..."']
    verdict.there = [_SECRET % "..."]


def _wants(story, verdict):
    """The gateway asks for a method, or for EAP at all."""
    kind = (story.failure.fields["detail"] or b"\0")[0]
    verdict.payload = "EAP"
    if kind:
        verdict.theirs = [f"{story.peer()} asks for {names.name(names.EAP_METHODS, kind)}"]
    verdict.here = ['eap_methods = ["mschapv2", "md5", "gtc"]'] if kind != iana.EAP_TLS else []
    verdict.there = ["remote { auth = eap-mschapv2 }"]


CASES = {
    reason.EAP_UNKNOWN_USER: _user,
    reason.EAP_WRONG_PASSWORD: _user,
    reason.EAP_METHODS_REFUSED_BY_PEER: _methods,
    reason.EAP_FAILED: _refused_us,
    reason.EAP_METHOD_REFUSED: _wants,
    reason.EAP_TLS_REFUSED: _wants,
}
