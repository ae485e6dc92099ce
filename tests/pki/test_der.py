"""DER: what is one, and each way not to be one."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uike import iana, reason
from uike.pki import der
from uike.pki.der import Der
from uike.wire.refusal import Refusal


def refused(function, text):
    with pytest.raises(Refusal) as caught:
        function(Der(bytes.fromhex(text)))
    assert (caught.value.reason, caught.value.notify) == (reason.BAD_DER, iana.AUTHENTICATION_FAILED)
    assert len(caught.value.data) == 2


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_530, 65_535])
def test_lengths(size):
    built = der.build(iana.DER_OCTET_STRING, bytes(size))
    found = Der(built)
    assert found.value(iana.DER_OCTET_STRING) == bytes(size)
    found.done()
    for end in range(max(0, len(built) - 5), len(built)):
        with pytest.raises(Refusal):
            Der(built[:end]).value()


def test_what_is_too_long_to_build():
    with pytest.raises(ValueError):
        der.build(iana.DER_OCTET_STRING, bytes(65_536))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "04",
        "0401",
        "0480",  # indefinite
        "04800000",
        "048100",  # long form where the short one will do
        "04817f" + "00" * 127,
        "04820001" + "00",
        "0482007f" + "00" * 127,
        "048200ff" + "00" * 255,
        "0483000100" + "00" * 256,
        "0484ffffffff",
        "04ff" + "00" * 200,
        "0000",  # end of contents
        "1f0100",  # a tag of two bytes
        "3f810100",
        "0500",  # another tag
    ],
)
def test_no_elements(text):
    refused(lambda each: each.value(iana.DER_OCTET_STRING), text)
    if text != "0500":
        refused(lambda each: each.whole(), text)
        refused(lambda each: each.enter(None), text)


@pytest.mark.parametrize("text", ["0200", "02020000", "0202007f", "0202ffff", "0202ff80", "0203ff8000", "020300007f"])
def test_integers_that_are_not_as_short_as_can_be(text):
    refused(Der.integer, text)


@given(st.binary(max_size=40))
def test_naturals_come_back(data):
    built = der.build_natural(data)
    assert Der(built).natural() == data.lstrip(b"\0")
    assert int.from_bytes(Der(built).integer(), "big", signed=True) == int.from_bytes(data, "big")


def test_naturals_and_their_limits():
    for text in ("020180", "0201ff", "02028000"):
        refused(Der.natural, text)
    assert Der(bytes.fromhex("02037fffff")).small() == 0x7FFFFF
    assert Der(bytes.fromhex("020400ffffff")).small() == 0xFFFFFF
    refused(Der.small, "020401000000")
    assert Der(b"\2\1\0").small() == 0


def test_booleans():
    assert Der(bytes.fromhex("0101ff")).boolean() is True
    assert Der(bytes.fromhex("010100")).boolean() is False
    for text in ("0100", "010101", "01017f", "0102ffff"):
        refused(Der.boolean, text)


def test_object_identifiers():
    assert Der(bytes.fromhex("0603551d0f")).oid() == bytes.fromhex("551d0f")
    for text in ("0600", "060180", "06025580", "060380557f", "0603558055"):
        refused(Der.oid, text)


def test_bit_strings():
    assert [bytes(each) if isinstance(each, memoryview) else each for each in Der(b"\3\2\7\x80").bits()] == [b"\x80", 7]
    assert Der(b"\3\1\0").octets() == b""
    for text in ("0300", "030108", "03020801", "030101", "03020781", "03020101"):
        refused(Der.bits, text)
    refused(Der.octets, "03020780")


@given(st.integers(0, 253_402_300_799))
def test_generalized_times(seconds):
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    assert Der(der.build(iana.DER_GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())).time() == seconds


@given(st.datetimes(datetime.datetime(1950, 1, 1), datetime.datetime(2049, 12, 31, 23, 59, 59)))
def test_utc_times(moment):
    seconds = int((moment.replace(microsecond=0) - datetime.datetime(1970, 1, 1)).total_seconds())
    assert Der(der.build(iana.DER_UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())).time() == seconds


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (iana.DER_UTC_TIME, "0102030405Z"),
        (iana.DER_UTC_TIME, "010203040506"),
        (iana.DER_UTC_TIME, "010203040506+"),
        (iana.DER_UTC_TIME, "010203040506+0000"),
        (iana.DER_UTC_TIME, "0102030405 6Z"),
        (iana.DER_UTC_TIME, "0102030405-6Z"),
        (iana.DER_UTC_TIME, "20010203040506Z"),
        (iana.DER_UTC_TIME, "010003040506Z"),
        (iana.DER_UTC_TIME, "011303040506Z"),
        (iana.DER_UTC_TIME, "010200040506Z"),
        (iana.DER_UTC_TIME, "010229040506Z"),
        (iana.DER_UTC_TIME, "010431040506Z"),
        (iana.DER_UTC_TIME, "010203240506Z"),
        (iana.DER_UTC_TIME, "010203046006Z"),
        (iana.DER_UTC_TIME, "010203040560Z"),
        (iana.DER_GENERALIZED_TIME, "20010203040506.5Z"),
        (iana.DER_GENERALIZED_TIME, "200102030405Z"),
        (iana.DER_GENERALIZED_TIME, "21000229000000Z"),
        (iana.DER_OCTET_STRING, "010203040506Z"),
    ],
)
def test_no_times(tag, text):
    refused(Der.time, der.build(tag, text.encode()).hex())


def test_nothing_may_follow():
    outer = Der(bytes.fromhex("3003020101020101"))
    inner = outer.enter()
    assert inner.small() == 1 and inner.tag() == 0
    inner.done()
    with pytest.raises(Refusal):
        outer.done()


def test_an_element_may_not_leave_the_one_around_it():
    inner = Der(bytes.fromhex("3003020201" + "ff" * 4)).enter()
    with pytest.raises(Refusal):
        inner.integer()


READERS = [
    Der.value,
    Der.whole,
    Der.enter,
    Der.integer,
    Der.natural,
    Der.small,
    Der.boolean,
    Der.oid,
    Der.bits,
    Der.time,
]


@settings(max_examples=400)
@given(st.binary(max_size=30), st.integers(0, len(READERS) - 1))
def test_only_refusals_come_out(data, choice):
    each = Der(data)
    try:
        READERS[choice](each)
    except Refusal:
        return
    assert 0 < each.at <= len(data)
