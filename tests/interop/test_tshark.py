"""tshark reads every IKE message that we send, in both roles, decrypts it, finds nothing malformed, and the payloads
that our own trace names."""

import json
import shutil
import subprocess

import pytest
from scapy.layers.inet import IP, UDP
from scapy.packet import Raw
from scapy.utils import wrpcap

from host_tools import payloads
from tests.handshake import lifetime, messages
from tests.world import BOARD, CBC, ESP_CBC, ESP_GCM, GATEWAY, GCM
from uike import iana

SUITES = {  # IKE, ESP, tshark's names of the ciphers
    "cbc": (CBC, ESP_CBC, "AES-CBC-128 [RFC3602]", "HMAC_SHA2_256_128 [RFC4868]"),
    "gcm": (GCM, ESP_GCM, "AES-GCM-256 with 16 octet ICV [RFC5282]", "NONE [RFC4306]"),
}
FIELDS = ("isakmp.exchangetype", "isakmp.typepayload", "isakmp.notify.msgtype", "_ws.malformed", "_ws.expert.message")
INNER = (2, 3, iana.SK)  # proposals and transforms have a type too, and SK is the wrapping


def capture(world, path):
    """The datagrams of a World as a pcap file."""
    wrpcap(
        str(path),
        [
            IP(src=sender, dst=GATEWAY if sender == BOARD else BOARD) / UDP(sport=port, dport=port) / Raw(datagram)
            for sender, datagram, port in world.wire
        ],
    )


def tshark(path, *rows):
    """The packets as tshark dissects them: exchanges, types of payloads and notifies, marks of what is malformed.

    A row has the SPIs and keys of one IKE SA."""
    command = ["tshark", "-r", str(path), "-T", "json"]
    for row in rows:
        command += ["-o", f"uat:ikev2_decryption_table:{row}"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [packet["_source"]["layers"] for packet in json.loads(done.stdout)]


@pytest.mark.parametrize("suite", SUITES)
def test_each_message_is_sound_and_what_the_trace_says(tmp_path, suite):
    if not shutil.which("tshark"):
        pytest.fail("this test needs tshark: apt install tshark", pytrace=False)
    ike, esp, cipher, integrity = SUITES[suite]
    world, ear = lifetime(ike, esp)
    capture(world, tmp_path / "life.pcap")
    (ei, ai), (er, ar) = ear.ciphers[:2]  # of the IKE SA, initiator's direction first
    first = payloads.header(messages(world.board)[-1][1])
    keys = f'"{cipher}",{ai.hex()},{ar.hex()},"{integrity}"'
    row = f"{first.spi_i},{first.spi_r},{ei.hex()},{er.hex()},{keys}"
    dissected = tshark(tmp_path / "life.pcap", row)
    sent = messages(world.board)  # those of the board, and those that it heard: all
    assert len(dissected) == len(sent) == 6
    for layers, (_, message) in zip(dissected, sent, strict=True):
        assert "_ws.malformed" not in layers and "_ws.expert.message" not in layers, layers
        found = [int(number) for number in layers.get("isakmp.typepayload", ())]
        assert [number for number in found if number not in INNER] == kinds(message)


def kinds(message):
    """Types of the payloads that our trace has of a message."""
    numbers = {name: number for number, name in payloads.names.PAYLOADS.items()}
    return [numbers[payload.name] for payload in payloads.decode(message)]
