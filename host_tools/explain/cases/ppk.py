"""Post-quantum pre-shared keys (RFC 8784): one side has none, or another one."""

from uike import reason

_HERE = ['ppk_id = "..."', 'ppk = "0x..."  # the same bytes on both sides']
_THERE = ["ppk_id = ...", "secrets { ppk-1 { id = ...; secret = 0x... } }"]
_ROWS = {  # reason: (payload, lines of ours, lines of theirs)
    reason.PPK_NOT_OFFERED: ("N(USE_PPK)", ["ppk_required = false  # or none at all"], _THERE),
    reason.PPK_ID_UNKNOWN: ("N(PPK_IDENTITY)", _HERE[:1], _THERE[:1]),
    reason.PPK_NOT_USED: ("N(PPK_IDENTITY)", _HERE, _THERE),
    reason.PPK_DIFFERS: ("AUTH", _HERE[1:], _THERE[1:]),
    reason.PPK_OR_KEY_DIFFERS: ("AUTH", [*_HERE[1:], 'psk = "..."'], _THERE[1:]),
    reason.PEER_REFUSED_PPK: ("AUTH", [*_HERE, 'psk = "..."'], _THERE),
}


def _case(story, verdict):
    verdict.payload, here, there = _ROWS[story.failure.fields["reason"]]
    verdict.here, verdict.there = list(here), list(there)
    for side, ours in ((verdict.ours, True), (verdict.theirs, False)):
        if story.who(ours):
            side.append(f"{'we are' if ours else story.peer() + ' is'} {story.who(ours)}")


CASES = dict.fromkeys(_ROWS, _case)
