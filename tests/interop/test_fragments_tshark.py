"""Our fragments as tshark sees them: it checks their ICVs with the keys of the SA, decrypts them and joins them."""

import subprocess

import pytest
from scapy.all import IP, UDP, wrpcap

from tests import world
from tests.world import World, connection
from uike import iana
from uike.hal.cpython.crypto import Provider

SUITES = {
    "cbc": (world.CBC, '"AES-CBC-128 [RFC3602]"', '"HMAC_SHA2_256_128 [RFC4868]"'),
    "gcm": (world.GCM, '"AES-GCM-256 with 16 octet ICV [RFC5282]"', '"NONE [RFC4306]"'),
}


class Witness(Provider):
    """Remembers the keys of the ciphers that it makes."""

    def __init__(self):
        super().__init__()
        self.keys = []

    def cipher(self, encr_id, key, integ_id, integ_key):
        self.keys.append((bytes(key).hex(), bytes(integ_key).hex()))
        return super().cipher(encr_id, key, integ_id, integ_key)


@pytest.mark.parametrize("suite", SUITES)
def test_tshark_joins_our_fragments(tmp_path, suite):
    ike, encr, integ = SUITES[suite]
    witness = Witness()
    changes = {"fragment_size": 200, "proposals": (ike,)}
    wire = World(connection(True, **changes), connection(False, **changes), provider=witness).connect()
    packets = []
    for sender, datagram, port in wire.wire:
        peer = world.GATEWAY if sender == world.BOARD else world.BOARD
        packets.append(IP(src=sender, dst=peer) / UDP(sport=port, dport=port) / datagram)
    wrpcap(str(tmp_path / "fragments.pcap"), packets)
    (ei, ai), (er, ar) = witness.keys[:2]
    sa = wire.board.sa
    row = f"{sa.spi_i.hex()},{sa.spi_r.hex()},{ei},{er},{encr},{ai},{ar},{integ}"
    tshark = ["tshark", "-n", "-r", tmp_path / "fragments.pcap", "-o", f"uat:ikev2_decryption_table:{row}", "-V"]
    done = subprocess.run(tshark, capture_output=True, text=True, timeout=60, check=True)
    frames = done.stdout.split("\nFrame ")
    cut = [frame for frame in frames if "Encrypted and Authenticated Fragment" in frame]
    assert len(cut) == len([1 for _, datagram, _ in wire.wire if datagram[20] == iana.SKF]) >= 4
    assert all("[correct]" in frame for frame in cut)
    whole = [frame for frame in cut if "[Message fragment count: " in frame]
    assert len(whole) == 2  # the request and the response
    for frame, who in zip(whole, ("Initiator", "Responder"), strict=True):
        assert f"Payload: Identification - {who}" in frame
        assert "Payload: Traffic Selector - Responder (45)" in frame and "Malformed" not in frame
