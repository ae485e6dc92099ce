"""The fuzzer's corpus, replayed: what it begins with still means what it did, and what was mended stays mended."""

import pytest

from tests.fuzz import corpus, inputs, proving
from tests.fuzz.inputs import STATES

FOUND = corpus.read()
REASONS = {  # of the last drop, or else of the verdict
    "auth-payload-of": "BAD_AUTH_PAYLOAD",
    "answer-longer-than-a-header": "PAYLOAD_MISSING",
    "answer-longer-than-a-critical": "UNKNOWN_CRITICAL_PAYLOAD",
    "nat-detection-of-no-bytes": "PAYLOAD_MISSING",
}
PROOFS = {  # verdicts of a side that looked at a proof of zeros
    "certified_initiator_in_auth": {"BAD_DER"},
    "certified_responder_in_auth": {"BAD_DER"},
    "eap_initiator": {"BAD_EAP"},
    "eap_responder": {"BAD_EAP"},
}


def test_its_size():
    files = list(corpus.FOLDER.iterdir())
    assert {path.name for path in files} == {"handshake.txt", "proving.txt", "regressions.txt"}
    assert sum(path.stat().st_size for path in files) < corpus.SIZE_MAX


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_input(state):
    rows = [data for data in FOUND.values() if data[0] == STATES.index(state)]
    assert len(rows) >= 2
    for data in rows:
        assert inputs.play(data)


def test_honest_messages_still_lead_somewhere():
    """They are not stale: with the right keys IKE_AUTH gets as far as its proof, an end is an end, a packet arrives."""
    wire = inputs.play(FOUND["established_responder-esp"])
    assert len(wire.gateway.collect()) == 1
    names = [name for name in FOUND if name.startswith("responder_in_auth-auth-request") and "part" not in name]
    for name in names:
        assert inputs.play(FOUND[name]).gateway.closed() == ["PSK_DIFFERS"]  # of another session
    ends = [
        name for name in FOUND if name.startswith("established_responder-informational-request") and "part" not in name
    ]
    for name in ends:
        assert inputs.play(FOUND[name]).gateway.closed() == ["DELETED_BY_PEER"]
    parts = [
        inputs.play(FOUND[name])
        for name in FOUND
        if name.startswith("responder_in_auth-auth-request") and "part" in name
    ]
    assert names and ends and [bool(wire.gateway.sa.fragments) for wire in parts] == [True] * len(parts)


@pytest.mark.parametrize("name", [name for name, _ in corpus.REGRESSIONS])
def test_what_was_mended(name):
    (why,) = [why for start, why in REASONS.items() if name.startswith(start)]
    wire = inputs.play(FOUND[name])
    assert why in wire.board.closed() + wire.gateway.closed() + wire.gateway.dropped()
    assert not wire.gateway.collect()


@pytest.mark.parametrize("state", proving.STATES, ids=lambda state: state.__name__)
def test_messages_whose_proof_is_zeros_prove_nothing(state):
    """They get as far as the proof, which each of them lacks."""
    verdicts = set()
    for name, data in FOUND.items():
        if name.startswith(state.__name__):
            wire = inputs.play(data)
            verdicts.update(wire.board.closed() + wire.gateway.closed())
    assert verdicts & PROOFS[state.__name__], verdicts
