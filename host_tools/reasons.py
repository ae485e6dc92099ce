"""Why it failed, in words: for each number of `uike.reason` what happened, and the one change that would mend it."""

from host_tools import certificate_reasons, names
from host_tools.reason_texts import TEXTS
from uike import reason

_EAP_METHODS = (  # the detail names methods
    reason.EAP_FAILED,
    reason.EAP_METHOD_REFUSED,
    reason.EAP_TLS_REFUSED,
    reason.EAP_METHODS_REFUSED_BY_PEER,
)

NAMES = {value: key for key, value in vars(reason).items() if key.isupper()}
_NOBODY_SAID = (reason.NO_ANSWER, reason.PEER_DEAD, reason.HALF_OPEN_TIMEOUT)


def text(number: int) -> str:
    """What happened, in one line."""
    return TEXTS.get(number, (f"reason {number}, unknown to this version of the tools", ""))[0]


def remedy(number: int) -> str:
    """The change that would mend it."""
    return TEXTS.get(number, ("", "use host tools of the firmware's version"))[1]


def explain(event) -> tuple[str, str]:
    """(text, remedy) of a decoded event that carries a reason: drop, reject, closed, child_down, seed, stopped."""
    fields = event.fields
    number = fields["reason"]
    return text(number) + _circumstances(number, fields) + _detail(number, fields), remedy(number)


def _circumstances(number: int, fields: dict) -> str:
    """At which message, by which notify, and whether that was authenticated."""
    said = []
    if number in (reason.DELETED_BY_US, reason.REPLACED):
        return ""
    if fields.get("exchange"):
        said.append(f"in {names.exchange(fields['exchange'])}")
    if fields.get("notify"):
        said.append(names.notify(fields["notify"]))
    if "authenticated" in fields and fields.get("exchange") and number not in _NOBODY_SAID:
        said.append("authenticated" if fields["authenticated"] else "not authenticated")
    return f" ({', '.join(said)})" if said else ""


def _detail(number: int, fields: dict) -> str:
    data = fields.get("detail") or b""
    if not data:
        return ""
    if number in (reason.UNKNOWN_PEER_ID, reason.WRONG_PEER_ID) and len(data) > 1:
        return f": {names.id_text(data[0], data[1:])}"
    if number == reason.NO_PSK_FOR_PEER and len(data) > 1:
        peer, nearest = data[1 : 2 + data[0]], data[2 + data[0] :]
        also = f"; the nearest that has one is {names.id_text(nearest[0], nearest[1:])}" if nearest else ""
        return f": {names.id_text(peer[0], peer[1:])}{also}"
    if number in _EAP_METHODS:
        return f": {', '.join(names.name(names.EAP_METHODS, kind) for kind in data)}"
    if number == reason.GROUP_REFUSED and len(data) == 2:
        return f": {names.group(int.from_bytes(data, 'big'))}"
    if number == reason.UNKNOWN_CRITICAL_PAYLOAD and len(data) == 1:
        return f": type {data[0]}"
    if number in certificate_reasons.DETAILS:
        return f": {certificate_reasons.DETAILS[number](data)}"
    return f": {names.printable(data)}"


RESET_CAUSES = {  # machine.reset_cause() of the ESP32 family
    1: "power-on",
    2: "a reset",
    3: "its watchdog",
    4: "deep sleep",
    5: "a soft reset",
}

ENGINE_FAULTS = {  # the codes of uike/crypto/esp32/block.py
    1: "not to be used now: Wi-Fi associates, or TLS is at it",
    2: "somebody else's operation did not end",
    3: "its clock does not stay on",
    4: "its memory was not zeroed after a reset",
    5: "operands read back differ from those written",
    6: "it did not finish in time",
    7: "somebody else came in between",
    8: "its result failed the proof",
}
