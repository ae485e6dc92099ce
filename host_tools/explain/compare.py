"""Two lists of proposals: what they have in common, or the first type of transform in which they have nothing."""

from typing import NamedTuple

from host_tools import algorithms, names
from uike import iana

_ORDER = (iana.ENCR, iana.PRF, iana.INTEG, iana.KE_METHOD, iana.ESN)
_WORDS = {
    iana.ENCR: "cipher",
    iana.PRF: "pseudorandom function",
    iana.INTEG: "integrity",
    iana.KE_METHOD: "key exchange group",
    iana.ESN: "sequence numbers",
}


class Difference(NamedTuple):
    """In the pair of proposals that comes furthest: the type, and each side's values of it."""

    kind: int
    ours: list[str]
    theirs: list[str]

    def text(self) -> str:
        ours, theirs = " or ".join(self.ours) or "none", " or ".join(self.theirs) or "none"
        return f"{_WORDS[self.kind]} ({names.TRANSFORM_TYPES[self.kind]}): here {ours}, there {theirs}"


def difference(ours, theirs, kinds=_ORDER) -> Difference | None:
    """None when a pair of proposals agrees, or when there is no pair."""
    best = None
    for one in ours:
        for other in theirs:
            found = _first(one, other, kinds)
            if found is None:
                return None
            if best is None or kinds.index(found.kind) > kinds.index(best.kind):
                best = found
    return best


def _first(one, other, kinds) -> Difference | None:
    for kind in kinds:
        mine, yours = ([each for each in rows if each[0] == kind] for rows in (one, other))
        mine, yours = mine or [(kind, 0, 0)], yours or [(kind, 0, 0)]  # its absence is a value: none
        if not set(mine) & set(yours):
            return Difference(kind, [names.transform_text(each) for each in mine], [*map(names.transform_text, yours)])
    return None


def words(proposals) -> list[str]:
    """Proposals as a file has them."""
    return [algorithms.proposal_words(each) for each in proposals]


def takeable(proposals) -> list[str]:
    """Of the other side's proposals those that this firmware can speak, in its words; alternatives that it cannot are
    left out."""
    found = []
    for each in proposals:
        rows = [row for row in each if algorithms.supported(row)]
        if {row[0] for row in rows} == {row[0] for row in each}:
            found.append(algorithms.proposal_words(rows))
    return found


def toml(key: str, values: list[str]) -> str:
    """A line of this device's file."""
    return f"{key} = [{', '.join(chr(34) + each + chr(34) for each in values)}]"


def swanctl(key: str, values: list[str]) -> str:
    """A line of swanctl.conf."""
    return f"{key} = {', '.join(values)}"
