"""Payloads in words, held against an independent decoder: scapy reads every message of a tunnel's life as we do."""

import pytest
from scapy.contrib import ikev2 as scapy_ikev2

from host_tools import payloads
from tests.handshake import lifetime, messages
from tests.world import CBC, CHACHA, ESP_CBC, ESP_CHACHA, ESP_GCM, GCM
from uike import iana
from uike.wire.message import build

SUITES = {"cbc": (CBC, ESP_CBC), "gcm": (GCM, ESP_GCM), "chacha": (CHACHA, ESP_CHACHA)}
OUR_NAMES = {"Notify": "N", "Delete": "D", "Nonce": "NONCE"}


def names_of_scapy(message):
    """Names of the payloads that scapy finds, as ours has them."""
    packet, found = scapy_ikev2.IKEv2(message), []
    while packet.payload:
        packet = packet.payload
        kind = type(packet).__name__.removeprefix("IKEv2_")
        found.append(OUR_NAMES.get(kind, kind))
    return found


def our_names(message):
    return [payload.name for payload in payloads.decode(message)]


@pytest.mark.parametrize("suite", SUITES)
def test_scapy_reads_the_same(suite):
    world, _ = lifetime(*SUITES[suite])
    for side in (world.board, world.gateway):
        assert len(messages(side)) == 6  # three exchanges
        for _, message in messages(side):
            head, theirs = payloads.header(message), scapy_ikev2.IKEv2(message)
            assert (head.spi_i, head.spi_r) == (theirs.init_SPI.hex(), theirs.resp_SPI.hex())
            assert (head.exchange, head.message_id) == (theirs.exch_type, theirs.id)
            assert head.response == bool(theirs.flags & 0x20) and head.from_initiator == bool(theirs.flags & 8)
            assert our_names(message) == names_of_scapy(message)
            assert all(payload.sound for payload in payloads.decode(message))


def test_scapy_reads_the_same_inside():
    world, _ = lifetime()
    found = {}
    for _, message in messages(world.board):
        packet = scapy_ikev2.IKEv2(message)
        ours = {payload.name: payload.lines for payload in payloads.decode(message)}
        for kind in ("KE", "IDi", "IDr", "Delete"):
            layer = packet.getlayer(getattr(scapy_ikev2, "IKEv2_" + kind))
            if layer:
                found[kind] = (layer, ours[OUR_NAMES.get(kind, kind)])
        proposal = packet.getlayer(scapy_ikev2.IKEv2_Proposal)
        if proposal:
            text = ours["SA"][0]
            spi = f", SPI {proposal.SPI.hex()}" if proposal.SPI else ""
            assert text.startswith(f"proposal {proposal.proposal}, {'IKE' if proposal.proto == 1 else 'ESP'}{spi}: ")
            assert text.count("/") == proposal.trans_nb - 1
    ke, lines = found["KE"]
    assert ke.group == iana.CURVE25519 and lines == [f"CURVE25519, 32 bytes: {ke.ke[:16].hex()}..."]
    assert bytes(found["IDi"][0].ID) == b"dev.example" and found["IDi"][1] == ["ID_FQDN dev.example"]
    assert bytes(found["IDr"][0].ID) == b"gw.example" and found["IDr"][1] == ["ID_FQDN gw.example"]
    assert found["Delete"][0].proto == 1 and found["Delete"][1] == ["the IKE SA"]


def message(*bodies):
    return bytes(build(b"i" * 8, b"r" * 8, iana.INFORMATIONAL, iana.FLAG_INITIATOR, 7, list(bodies)))


@pytest.mark.parametrize(
    ("kind", "body", "lines"),
    [
        (iana.N, b"\0\0\0\x11\0\x13", ["INVALID_KE_PAYLOAD: use ECP_256"]),
        (iana.N, b"\0\0\x40\x2f\0\2\0\3", ["SIGNATURE_HASH_ALGORITHMS: 2, 3"]),
        (iana.N, b"\3\4\0\x0b\xc0\0\0\1", ["INVALID_SPI, ESP SPI c0000001"]),
        (iana.N, b"\0\0\xff\xff", ["65535"]),
        (iana.D, b"\3\4\0\2\0\0\1\1\0\0\1\2", ["ESP SPI 00000101, 00000102"]),
        (iana.AUTH, b"\2\0\0\0" + b"secret", ["AUTH_SHARED_KEY, 6 bytes (withheld)"]),
        (iana.V, b"strongSwan", ["strongSwan"]),
        (iana.V, b"\xff\x00", ["ff00"]),
        (
            iana.CP,
            b"\2\0\0\0\0\1\0\4\x0a\x09\0\1\0\3\0\0",
            ["CFG_REPLY, INTERNAL_IP4_ADDRESS 10.9.0.1, INTERNAL_IP4_DNS"],
        ),
        (iana.TSi, b"\1\0\0\0\x07\x06\0\x10\x01\xbb\x01\xbb\x0a\1\0\7\x0a\1\0\7", ["10.1.0.7/32[tcp/443]"]),
        (200, b"xyz", ["3 bytes: 78797a"]),
    ],
)
def test_in_words(kind, body, lines):
    (found,) = payloads.decode(message((kind, body)))
    assert found.lines == lines and found.sound


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (iana.SA, b"\0\0\0\x09\1\1\0\0"),
        (iana.SA, b""),
        (iana.KE, b"\0"),
        (iana.IDi, b""),
        (iana.N, b"\0\0\0"),
        (iana.TSi, b"\2\0\0\0\7\0\0\4"),
        (iana.CP, b"\1\0\0\0\0\1\0\x09\0"),
    ],
)
def test_what_does_not_parse_is_said_so(kind, body):
    (found,) = payloads.decode(message((kind, body)))
    assert not found.sound and found.lines[0].startswith("broken: ")


def test_a_length_that_leads_outside():
    broken = bytearray(message((iana.V, b"xyz")))
    broken[31] = 200
    assert [payload.sound for payload in payloads.decode(bytes(broken))] == [False]


def test_every_prefix_of_a_message_decodes_to_something():
    world, _ = lifetime()
    for _, whole in messages(world.board):
        for size in range(len(whole)):
            assert isinstance(payloads.decode(whole[:size]), list)
