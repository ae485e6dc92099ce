"""A message in the notation of RFC 7296 section 1.2, `HDR, SK {IDi, AUTH, SAi2, TSi, TSr}`, and what is worth a line.

`words` names the payloads; `facts` are the few things in them that decide whether a tunnel comes up.
"""

from host_tools import names, payloads
from uike import iana

_BOTH = {iana.KE: "KE", iana.NONCE: "N", iana.SA: "SA"}
_SHORT = {iana.D: "D", iana.V: "V"}
_FACTS = {  # payload: how its line begins
    iana.IDi: "IDi",
    iana.IDr: "IDr",
    iana.TSi: "TSi",
    iana.TSr: "TSr",
    iana.D: "delete",
    iana.AUTH: "AUTH",
    iana.CP: "CP",
}
_LAST_ERROR = 16_383
_PROPOSALS_MAX = 3


def words(message: bytes, encrypted: bool) -> list[str]:
    """The pieces of the notation, for a renderer to join with ", " and to break into lines between them."""
    head = payloads.header(message)
    found = [_word(kind, body, head) for kind, body, sound in payloads.chain(message) if sound]
    if not encrypted:
        return ["HDR", *found]
    if not found:
        return ["HDR", "SK {}"]
    return ["HDR", *_braced(found)]


def _braced(found: list[str]) -> list[str]:
    found = ["SK {" + found[0], *found[1:]]
    found[-1] += "}"
    return found


def _word(kind: int, body: bytes, head) -> str:
    side = "r" if head.response else "i"
    if kind == iana.N:
        return f"N({names.notify(int.from_bytes(body[2:4], 'big'))})"
    if kind in _BOTH:
        number = {iana.IKE_SA_INIT: "1", iana.IKE_AUTH: "2"}.get(head.exchange, "") if kind == iana.SA else ""
        return _BOTH[kind] + (side + number if kind != iana.SA or number else "")
    if kind == iana.CP:
        return f"CP({names.name(names.CFG_TYPES, body[0])})" if body else "CP"
    return _SHORT.get(kind, names.payload(kind))


def facts(message: bytes) -> list[tuple[str, str]]:
    """(text, style) of what a reader looks for; an error notify is "bad"."""
    found = []
    for (kind, body, sound), shown in zip(payloads.chain(message), payloads.decode(message), strict=True):
        if not sound or not shown.sound:
            found.append((f"{shown.name}: {shown.lines[0]}", "warn"))
        elif kind == iana.SA:
            found += [(line, "") for line in shown.lines[:_PROPOSALS_MAX]]
            if len(shown.lines) > _PROPOSALS_MAX:
                found.append((f"and {len(shown.lines) - _PROPOSALS_MAX} proposals more", ""))
        elif kind == iana.KE:
            found.append((f"KE {shown.lines[0].partition(',')[0]}", ""))
        elif kind == iana.N and int.from_bytes(body[2:4], "big") <= _LAST_ERROR:
            found.append((shown.lines[0], "bad"))
        elif kind in _FACTS:
            found.append((f"{_FACTS[kind]} {_plain(shown.lines[0])}", ""))
    return found


def _plain(text: str) -> str:
    """Without the words that say nothing new beside a picture."""
    for word in ("ID_FQDN ", "ID_RFC822_ADDR ", "ID_IPV4_ADDR ", "ID_DER_ASN1_DN ", " (withheld)"):
        text = text.replace(word, "")
    return text
