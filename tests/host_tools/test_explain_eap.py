"""Verdicts on EAP, of engines that really failed."""

import pytest

from host_tools.explain.judge import judge
from tests.handshake import events
from tests.ike.test_eap_server import world
from uike import iana

NO_USER = ("EAP_UNKNOWN_USER", "users: here none of the name david", 'eap_users = { "david" = "..." }')
ROWS = [
    ({"eap_id": b"david"}, {}, NO_USER),
    (
        {"eap_password": b"wrong"},
        {},
        ("EAP_WRONG_PASSWORD", "the password of carol", 'eap_users = { "carol" = "..." }'),
    ),
    (
        {"eap_methods": (iana.EAP_MD5,)},
        {"eap_methods": (iana.EAP_MSCHAPV2,)},
        ("EAP_METHODS_REFUSED_BY_PEER", "method: here those of eap_methods", 'eap_methods = ["md5"]'),
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "expected"), ROWS)
def test_the_responders_side(ours, theirs, expected):
    verdict = judge(events(world(theirs, **ours).connect().gateway))[1]
    case, differs, here = expected
    assert (verdict.up, verdict.case, verdict.payload) == (False, case, "EAP") and verdict.exchange == "IKE_AUTH"
    assert differs in verdict.difference and here in verdict.here and verdict.remedy and verdict.there
    assert verdict.who == ("the peer" if "PEER" in case else "this board") and verdict.theirs


def test_a_method_that_has_no_name_here():
    """An identifier of a method, and of none."""
    wire = world({"eap_methods": (26,)}, eap_methods=(iana.EAP_GTC,)).connect()
    verdict = judge(events(wire.gateway))[1]
    assert verdict.theirs[0].endswith("takes gtc") and not verdict.here


@pytest.mark.parametrize(
    ("ours", "theirs", "case", "said"),
    [
        ({"eap_id": b"david"}, {}, "EAP_FAILED", "it has no such user, or another password"),
        ({"eap_methods": (4,)}, {"eap_methods": (26,)}, "EAP_METHOD_REFUSED", "asks for mschapv2"),
    ],
)
def test_the_initiators_side(ours, theirs, case, said):
    verdict = judge(events(world(theirs, **ours).connect().board))[1]
    assert (verdict.case, verdict.payload) == (case, "EAP") and verdict.here and verdict.there
    assert said in " ".join([verdict.difference, *verdict.theirs])
