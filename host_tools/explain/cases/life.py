"""A tunnel that was up: peers that are lost or start anew, keys that were not replaced, memory that is used up."""

from uike import reason


def _lost(story, verdict):
    heard = [each for each in story.messages if not each.out]
    last = heard[-1].time_ms if heard else 0
    silence = (story.failure.time_ms - last) / 1000
    verdict.who = "nobody"
    verdict.text = f"the peer was there, and has not answered for {silence:.0f} s"
    verdict.remedy = "check the path and the peer; this board connects again by itself (reconnect_max)"
    verdict.here = ["dpd_delay = 30  # seconds of silence until we ask"]
    verdict.there = ["dpd_delay = 30s", "dpd_action = restart  # of the child"]


def _expired(story, verdict):
    refused = story.rejects[-1].fields["reason"] if story.rejects else None
    verdict.who = "this board"
    if refused is not None:
        verdict.also.append("before that a rekeying was refused: see the ladder")
    verdict.here = ["rekey_time = 14400", "esp_rekey_time = 3600"]
    verdict.there = ["rekey_time = 4h", "children { net { rekey_time = 1h } }"]


def _memory(story, verdict):
    verdict.who = "this board"
    verdict.here = ['proposals = ["aes128-sha256-x25519"]  # one, and small']


def _ended(story, verdict):
    verdict.who = story.peer()
    verdict.payload = "D"


CASES = {
    reason.PEER_DEAD: _lost,
    reason.EXPIRED: _expired,
    reason.NO_MEMORY: _memory,
    reason.DELETED_BY_PEER: _ended,
}
