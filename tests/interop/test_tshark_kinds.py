"""tshark reads every kind of message that we send: it decrypts it on its IKE SA, finds nothing malformed, and sees the
payloads and notifies that belong there."""

import pytest

from tests.handshake import Eavesdropper
from tests.ike.test_certificates import CA, shown
from tests.ike.test_cookie import Asking
from tests.ike.test_rekey import OTHER, PFS, more, rekey_child, rekey_ike, start
from tests.interop.test_tshark import INNER, SUITES, capture, tshark
from tests.world import BOARD, ESP_GCM, GATEWAY, World, connection
from uike import iana
from uike.wire.address import pack

NOBODY = "203.0.113.77"
CERTIFICATES = {"psk": b"", "cacerts": (CA.der,), "require_time": False}
P256 = (4, 19, 0)
BOTH_GROUPS = ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 31, 0), P256)
ONE_GROUP = ((1, 12, 128), (2, 5, 0), (3, 12, 0), P256)
PFS_BOTH = ((1, 12, 128), (3, 12, 0), (4, 31, 0), P256, (5, 0, 0))
PFS_ONE = ((1, 12, 128), (3, 12, 0), P256, (5, 0, 0))
SA, KE, NONCE, N, D, TSI, TSR = iana.SA, iana.KE, iana.NONCE, iana.N, iana.D, iana.TSi, iana.TSr
INIT, AUTH, CREATE, INFO = iana.IKE_SA_INIT, iana.IKE_AUTH, iana.CREATE_CHILD_SA, iana.INFORMATIONAL
NAT = [iana.NAT_DETECTION_SOURCE_IP, iana.NAT_DETECTION_DESTINATION_IP, iana.IKEV2_FRAGMENTATION_SUPPORTED]


def another_child(wire):
    start(wire.board, "create", "new_child", wire.board.sa, wire.board.sa.connection.policies()[-1])


def delete_child(wire):
    start(wire.board, "info", "delete_child", wire.board.sa, wire.board.sa.children[0], 91)


def forgotten_child(wire):
    wire.gateway.endpoint.child_down(wire.gateway.sa, wire.gateway.sa.children[0], 91)
    rekey_child(wire.board)


def later_version(wire):
    head = bytes(range(8)) + bytes(8) + bytes((SA, 0x30, INIT, iana.FLAG_INITIATOR)) + bytes(4)
    request = head + bytes((0, 0, 0, 40)) + bytes(12)  # the answer is never longer than its cause
    wire.gateway.endpoint.receive(bytearray(request), (GATEWAY, 500), (BOARD, 500), wire.now)


# What differs at both sides, what is done once the tunnel is up (or was refused), and messages that must be there:
# exchange, payloads, notifies
KINDS = {
    "handshake": (
        {},
        {},
        None,
        [(INIT, [SA, KE, NONCE, N, N, N], NAT), (AUTH, [iana.IDr, iana.AUTH, N, iana.CP, SA, TSI, TSR], [16396])],
    ),
    "another group for IKE": ({"proposals": (BOTH_GROUPS,)}, {"proposals": (ONE_GROUP,)}, None, [(INIT, [N], [17])]),
    "no proposal": ({"proposals": (BOTH_GROUPS[:4],)}, {"proposals": (ONE_GROUP,)}, None, [(INIT, [N], [14])]),
    "wrong key": ({"psk": bytearray(b"x")}, {}, None, [(AUTH, [N], [24])]),
    "no ESP proposal": (
        {"esp_proposals": (ESP_GCM,)},
        {},
        None,
        [(AUTH, [iana.IDr, iana.AUTH, N, iana.CP, N], [16396, 14])],
    ),
    "a later version": ({}, {}, later_version, [(INIT, [N], [5])]),
    "another Child SA": (
        {"more": more(remote=[OTHER])},
        {"more": more(local=[OTHER])},
        another_child,
        [(CREATE, [SA, NONCE, TSI, TSR], [])],
    ),
    "refused selectors": ({"more": more(remote=[OTHER])}, {}, another_child, [(CREATE, [N], [38])]),
    "rekeyed Child SA": (
        {},
        {},
        lambda wire: rekey_child(wire.board),
        [(CREATE, [N, SA, NONCE, TSI, TSR], [16393]), (INFO, [D], [])],
    ),
    "rekeyed with PFS": (
        {"esp_proposals": (PFS,)},
        {"esp_proposals": (PFS,)},
        lambda wire: rekey_child(wire.gateway),
        [(CREATE, [N, SA, NONCE, KE, TSI, TSR], [16393]), (CREATE, [SA, NONCE, KE, TSI, TSR], [])],
    ),
    "another group for a Child SA": (
        {"esp_proposals": (PFS_BOTH,)},
        {"esp_proposals": (PFS_ONE,)},
        lambda wire: rekey_child(wire.board),
        [(CREATE, [N], [17])],
    ),
    "rekeyed IKE SA": ({}, {}, lambda wire: rekey_ike(wire.gateway), [(CREATE, [SA, NONCE, KE], []), (INFO, [D], [])]),
    "both IKE SAs": (
        {},
        {},
        lambda wire: (rekey_ike(wire.board), rekey_ike(wire.gateway)),
        [(CREATE, [SA, NONCE, KE], [])],
    ),
    "not now": (
        {},
        {},
        lambda wire: (rekey_child(wire.board), rekey_ike(wire.gateway)),
        [(CREATE, [N], [43])],
    ),
    "no such Child SA": ({}, {}, forgotten_child, [(CREATE, [N], [44])]),
    "deleted Child SA": ({}, {}, delete_child, [(INFO, [D], [])]),
    "deleted IKE SA": (
        {},
        {},
        lambda wire: wire.board.endpoint.close(None, wire.now),
        [(INFO, [D], []), (INFO, [], [])],
    ),
    "liveness": ({}, {}, lambda wire: wire.run(wire.now + 61_000), [(INFO, [], [])]),
    "childless": (
        {"childless": True},
        {},
        None,
        [(AUTH, [iana.IDr, iana.AUTH, N, iana.CP], [16396])],
    ),
    "certificates": (
        {**CERTIFICATES, **shown("ed25519", 101, "dev.example")},
        {**CERTIFICATES, **shown()},
        None,
        [(AUTH, [iana.IDr, iana.CERT, iana.AUTH, N, iana.CP, SA, TSI, TSR], [16396])],
    ),
    "sent to another gateway": (
        {"redirect": True},
        {"redirect_to": pack(NOBODY)},
        None,
        [(INIT, [N], [iana.REDIRECT])],
    ),
    "transport mode": (
        {"transport": True, "virtual_ip": False, "local_ts": (), "remote_ts": ()},
        {"transport": True, "pool": None, "local_ts": (), "remote_ts": ()},
        None,
        [(AUTH, [iana.IDr, iana.AUTH, N, SA, N, N, TSI, TSR], [16396, 16391, 16394])],
    ),
}


class Keys(Eavesdropper):
    """Finds the keys of any IKE SA by its ciphers."""

    def __init__(self):
        super().__init__()
        self.made = []
        self.rows = {}

    def cipher(self, encr_id, key, integ_id, integ_key):
        self.made.append((super().cipher(encr_id, key, integ_id, integ_key), bytes(key).hex(), bytes(integ_key).hex()))
        return self.made[-1][0]

    def look(self, wire, suite):
        """Writes down the keys of the IKE SAs that are there."""
        for sa in wire.board.endpoint.sas + wire.gateway.endpoint.sas:
            if sa.seal:
                ciphers = (sa.seal, sa.open) if sa.initiator else (sa.open, sa.seal)
                (_, ei, ai), (_, er, ar) = [row for each in ciphers for row in self.made if row[0] is each]
                names = f'"{suite[2]}",{ai},{ar},"{suite[3]}"'
                self.rows[sa.spi_i, sa.spi_r] = f"{sa.spi_i.hex()},{sa.spi_r.hex()},{ei},{er},{names}"


def dissect(tmp_path, wire, keys):
    """(exchange, payloads, notifies) of every datagram, as tshark reads it; nothing may be wrong with any."""
    capture(wire, tmp_path / "kinds.pcap")
    found = []
    for layers in tshark(tmp_path / "kinds.pcap", *keys.rows.values()):
        assert "_ws.malformed" not in layers and "_ws.expert.message" not in layers, layers
        kinds = [int(kind) for kind in layers.get("isakmp.typepayload", ()) if int(kind) not in INNER]
        notifies = [int(kind) for kind in layers.get("isakmp.notify.msgtype", ())]
        found.append((int(layers["isakmp.exchangetype"][0]), kinds, notifies))
    return found


def watched(ours, theirs, suite):
    """A World, and the Keys that look at each datagram of it."""
    keys = Keys()
    base = {"proposals": (suite[0],), "esp_proposals": (suite[1],)}
    wire = World(connection(True, **{**base, **ours}), connection(False, **{**base, **theirs}), provider=keys)
    wire.gone = (NOBODY,)

    def look(sender, datagram, port):
        keys.look(wire, suite)
        return [datagram]

    wire.filter = look
    return wire, keys


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(tmp_path, kind):
    ours, theirs, act, expected = KINDS[kind]
    wire, keys = watched(ours, theirs, SUITES["cbc"])
    wire.connect()
    if act:
        act(wire)
        wire.settle()
        wire.run(wire.now + 1)
    found = dissect(tmp_path, wire, keys)
    assert len(found) == len(wire.wire)
    for message in expected:
        assert message in found, found


def test_all_of_a_life_under_another_cipher(tmp_path):
    wire, keys = watched({}, {}, SUITES["gcm"])
    wire.connect()
    for act in (rekey_ike, rekey_child):
        for side in (wire.board, wire.gateway):
            act(side)
            wire.settle()
            wire.run(wire.now + 21_000)  # what was replaced is forgotten
    wire.board.endpoint.close(None, wire.now)
    wire.settle()
    found = dissect(tmp_path, wire, keys)
    assert len(found) == len(wire.wire) and len(keys.rows) == 3
    assert [row[0] for row in found].count(CREATE) == 8


def test_a_cookie_sent_back(tmp_path):
    wire, keys = watched({}, {}, SUITES["cbc"])
    wire.board.endpoint.connect(wire.board.endpoint.connections[0], BOARD, GATEWAY, 0)
    asking = Asking(wire, [b"c" * 20])
    assert asking.ask()
    wire.settle()
    found = dissect(tmp_path, wire, keys)
    assert found[0] == (INIT, [N, SA, KE, NONCE, N, N, N], [iana.COOKIE, *NAT])
