"""IKE messages: built ones read by scapy, hostile ones refused with their reason."""

import struct

import pytest
from scapy.contrib import ikev2 as scapy_ikev2

from tests.world import World
from uike import iana, reason
from uike.wire import message
from uike.wire.refusal import Refusal

SPI_I, SPI_R = b"initiato", b"responde"


def parse(data, first=None, start=28):
    got = message.Message(bytearray(data))
    got.read(got.first if first is None else first, start, len(data))
    return got


def build(payloads, exchange=iana.INFORMATIONAL, flags=8):
    return bytes(message.build(SPI_I, SPI_R, exchange, flags, 7, payloads))


def test_round_trip():
    payloads = [(iana.NONCE, b"n" * 32), message.notify(iana.COOKIE, b"c" * 20), (iana.V, b"")]
    got = parse(build(payloads))
    assert (got.spi_i, got.spi_r, got.exchange, got.id) == (SPI_I, SPI_R, iana.INFORMATIONAL, 7)
    assert got.from_initiator and not got.response
    assert got.body(iana.NONCE) == b"n" * 32 and got.body(iana.V) == b"" and got.body(iana.KE) is None
    assert got.notify(iana.COOKIE) == b"c" * 20 and got.notify(iana.REKEY_SA) is None and got.error() is None


def test_scapy_reads_our_ike_sa_init():
    wire = World().connect()
    for datagram, notifies in ((wire.wire[0][1], 3), (wire.wire[1][1], 4)):
        packet = scapy_ikev2.IKEv2(datagram)
        kinds = []
        layer = packet
        while layer.payload and layer.payload.name != "Raw":
            layer = layer.payload
            kinds.append(layer.name)
        assert [kind.split()[-1] for kind in kinds] == ["SA", "Exchange", "Nonce"] + ["Notify"] * notifies, kinds
        assert packet.length == len(datagram)
        proposal = packet[scapy_ikev2.IKEv2_Proposal]
        assert (proposal.proposal, proposal.proto, proposal.trans_nb) == (1, 1, 4)
        transforms, transform = [], proposal.trans
        while isinstance(transform, scapy_ikev2.IKEv2_Transform):
            transforms.append((transform.transform_type, transform.transform_id, transform.key_length or 0))
            transform = transform.payload
        assert transforms == [(1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0)]
        assert packet[scapy_ikev2.IKEv2_KE].group == 31 and len(packet[scapy_ikev2.IKEv2_KE].ke) == 32
        assert len(packet[scapy_ikev2.IKEv2_Nonce].nonce) == 32


def patch(data, at, value):
    return data[:at] + value + data[at + len(value) :]


NOTIFY = build([message.notify(iana.COOKIE, b"abc")])
HEADERS = [
    ("SHORT_DATAGRAM", NOTIFY[:27]),
    ("SHORT_DATAGRAM", b""),
    ("LENGTH_MISMATCH", NOTIFY + b"x"),
    ("LENGTH_MISMATCH", NOTIFY[:-1]),
    ("LENGTH_MISMATCH", patch(NOTIFY, 24, b"\xff\xff\xff\xff")),
]
CHAINS = [
    *(("PAYLOAD_LENGTH", patch(NOTIFY, 30, struct.pack(">H", size))) for size in (0, 1, 3, 12, 65535)),
    ("BAD_NOTIFY_PAYLOAD", patch(NOTIFY, 30, struct.pack(">H", 7))),
    ("PAYLOAD_LENGTH", patch(NOTIFY, 28, b"\x29")),  # another payload is promised and does not come
    ("PAYLOAD_LENGTH", patch(NOTIFY, 16, b"\x00")),  # none is promised and one comes
    ("BAD_NOTIFY_PAYLOAD", patch(NOTIFY, 33, b"\x04")),  # SPI longer than the payload
    ("UNKNOWN_CRITICAL_PAYLOAD", patch(patch(NOTIFY, 16, b"\xc8"), 29, b"\x80")),
    ("UNKNOWN_CRITICAL_PAYLOAD", patch(patch(NOTIFY, 16, b"\x01"), 29, b"\x80")),  # an IKEv1 payload
    ("TOO_MANY_PAYLOADS", build([(iana.V, b"")] * 41)),
]


@pytest.mark.parametrize(("why", "data"), HEADERS + CHAINS)
def test_bad_messages_have_their_reason(why, data):
    with pytest.raises(Refusal) as caught:
        parse(data)
    assert caught.value.reason == getattr(reason, why)


def test_unknown_payload_without_the_critical_bit_is_passed_over():
    for kind in [*range(1, 33), 49, 50, 51, 52, *range(54, 256)]:
        got = parse(build([(kind, b"??"), (iana.NONCE, b"n" * 16)]))
        assert [row[0] for row in got.payloads] == [iana.NONCE]


def test_critical_bit_on_a_known_payload_is_ignored():
    assert parse(patch(NOTIFY, 29, b"\x80")).notify(iana.COOKIE) == b"abc"


def test_reserved_bits_and_minor_version_are_ignored():
    got = parse(patch(patch(NOTIFY, 17, b"\x2f"), 29, b"\x7f"))
    assert got.major == 2 and got.notify(iana.COOKIE) == b"abc"


MANDATORY = {
    (iana.IKE_SA_INIT, 0): (iana.SA, iana.KE, iana.NONCE),
    (iana.IKE_SA_INIT, iana.FLAG_RESPONSE): (iana.SA, iana.KE, iana.NONCE),
}
CASES = [(exchange, flags, kind) for (exchange, flags), kinds in MANDATORY.items() for kind in kinds]


@pytest.mark.parametrize(("exchange", "flags", "kind"), CASES)
def test_mandatory_payloads_exactly_once(exchange, flags, kind):
    whole = [(each, b"body") for each in MANDATORY[exchange, flags]]
    parse(build(whole, exchange, flags))
    parse(build(whole[::-1], exchange, flags))  # in any order
    for payloads, why in (
        ([row for row in whole if row[0] != kind], "PAYLOAD_MISSING"),
        ([*whole, (kind, b"body")], "PAYLOAD_REPEATED"),
    ):
        with pytest.raises(Refusal) as caught:
            parse(build(payloads, exchange, flags))
        assert (caught.value.reason, caught.value.notify) == (getattr(reason, why), iana.INVALID_SYNTAX)


@pytest.mark.parametrize("flags", [0, iana.FLAG_RESPONSE])
@pytest.mark.parametrize("kind", [iana.IDi, iana.IDr, iana.AUTH, iana.EAP])
def test_at_most_once_in_ike_auth(kind, flags):
    """Which of them has to be there depends on EAP, and is looked at in `ike/join`, `ike/accept`."""
    whole = [(each, b"body") for each in (iana.IDi, iana.IDr, iana.AUTH, iana.EAP)]
    parse(build([row for row in whole if row[0] != kind], iana.IKE_AUTH, flags))
    with pytest.raises(Refusal) as caught:
        parse(build([*whole, (kind, b"body")], iana.IKE_AUTH, flags))
    assert caught.value.reason == reason.PAYLOAD_REPEATED


def test_a_response_with_an_error_needs_nothing_else():
    got = parse(build([message.notify(iana.AUTHENTICATION_FAILED)], iana.IKE_AUTH, iana.FLAG_RESPONSE))
    assert got.error() == (iana.AUTHENTICATION_FAILED, b"")
    with pytest.raises(Refusal):
        parse(build([message.notify(iana.AUTHENTICATION_FAILED)], iana.IKE_SA_INIT, 0))
