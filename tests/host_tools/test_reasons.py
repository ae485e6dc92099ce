"""The texts are held to the list in the firmware: each number has one, and a remedy; none is for a number of the past."""

import pytest

from host_tools import reasons
from host_tools.records import Event
from uike import event, iana, reason

NUMBERS = {name: value for name, value in vars(reason).items() if name.isupper()}


@pytest.mark.parametrize("name", NUMBERS)
def test_each_reason_has_a_text_and_a_remedy(name):
    number = NUMBERS[name]
    assert reasons.text(number) and "unknown to this version" not in reasons.text(number)
    assert reasons.remedy(number) and "host tools of the firmware's version" not in reasons.remedy(number)
    assert reasons.NAMES[number] == name


def test_numbers_are_never_used_twice_and_no_text_is_left_over():
    assert len(set(NUMBERS.values())) == len(NUMBERS) and max(NUMBERS.values()) <= 255
    assert set(reasons.TEXTS) == set(NUMBERS.values())


def test_a_number_of_a_later_firmware():
    assert reasons.text(250) == "reason 250, unknown to this version of the tools"
    assert reasons.remedy(250) == "use host tools of the firmware's version"


def closed(number, notify=0, exchange=0, authenticated=False, detail=b""):
    fields = {"reason": number, "notify": notify, "exchange": exchange, "message_id": 1, "authenticated": authenticated}
    return reasons.explain(Event(event.CLOSED, "closed", 1, 0, {**fields, "detail": detail}))


def test_who_said_no_and_where():
    text, remedy = closed(reason.PEER_SAID_AUTH_FAILED, iana.AUTHENTICATION_FAILED, iana.IKE_AUTH, True)
    assert text == "the peer did not accept us (in IKE_AUTH, AUTHENTICATION_FAILED, authenticated)"
    assert remedy.startswith("compare psk")


def test_silence_is_nobodys_word():
    assert closed(reason.NO_ANSWER, 0, iana.IKE_SA_INIT)[0] == "the peer does not answer (in IKE_SA_INIT)"


@pytest.mark.parametrize(
    ("number", "detail", "end"),
    [
        (reason.WRONG_PEER_ID, bytes((iana.ID_FQDN,)) + b"other.example", ": other.example"),
        (reason.GROUP_REFUSED, b"\0\x13", ": ECP_256"),
        (reason.UNKNOWN_CRITICAL_PAYLOAD, b"\xc8", ": type 200"),
        (reason.EAP_METHODS_REFUSED_BY_PEER, b"\x04\x0d\x15", ": md5, tls, 21"),
        (reason.EAP_WRONG_PASSWORD, b"carol", ": carol"),
        (reason.LOCAL_ERROR, b"ValueError", ": ValueError"),
    ],
)
def test_details(number, detail, end):
    assert closed(number, detail=detail)[0].endswith(end)
