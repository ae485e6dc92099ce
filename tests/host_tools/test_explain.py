"""Verdicts on recordings: of engines that really failed, and of records that no engine of today would write."""

import json
import struct

import pytest
from click.testing import CliRunner

from host_tools import algorithms, reasons
from host_tools.cli import main
from host_tools.explain import compare, from_probe, peer_log
from host_tools.explain.cases import TABLE
from host_tools.explain.judge import judge
from host_tools.explain.probe import Findings
from host_tools.explain.verdict import Verdict
from host_tools.records import parse
from tests.handshake import events, lifetime, line
from tests.world import CBC, ESP_CBC, ESP_GCM, GCM, World, connection
from uike import event, iana, keywords, reason
from uike.ike import exchange, rekey_child
from uike.net import icmp
from uike.wire.message import build, notify
from uike.wire.selectors import make

WHERE = b"\xc0\0\2\2\x01\xf4" + b"\xc0\0\2\1\x01\xf4"
OUTER = bytes((10, 1, 0, 1))


def verdict_of(side):
    return judge(events(side))[1]


def recorded(*records):
    return [parse(line(code, sa, time_ms, body)) for code, sa, time_ms, body in records]


def negotiating(sa, time_ms=0, initiator=True):
    return event.NEGOTIATING, sa, time_ms, bytes((initiator,)) + WHERE + b"hq"


def closed(number, detail=b"", message_exchange=iana.IKE_AUTH, sa=1):
    return event.CLOSED, sa, 9_000, struct.pack(">BHBIB", number, 24, message_exchange, 1, 1) + detail


def dropped(number, sa=0):
    return event.DROP, sa, 1, bytes((number,)) + WHERE[6:]


CHILD_UP = event.CHILD_UP, 1, 2, b"inininin" + b"\0" + b"\0" + b"\0"


def ask(world):
    """A packet into the tunnel, from the board."""
    world.board.endpoint.send_packet(icmp.request(world.board.sa.address, OUTER, 7, 1, 56), world.now)
    world.settle()


# -- engines ---------------------------------------------------------------------------------------------------------


def test_a_tunnel_that_is_up():
    world, _ = lifetime()
    story, verdict = judge(events(world.board))
    assert (verdict.up, verdict.case, verdict.also) == (True, "UP", [])
    assert (story.who(True), story.who(False), story.wanted()) == ("dev.example", "gw.example", "gw.example")


@pytest.mark.parametrize(
    ("ours", "theirs", "case", "differs"),
    [
        ({"proposals": (GCM,)}, {}, "PEER_SAID_NO_PROPOSAL", ""),
        ({"esp_proposals": (ESP_GCM,)}, {}, "PEER_SAID_NO_ESP_PROPOSAL", ""),
        ({"psk": bytearray(b"another")}, {}, "PEER_SAID_AUTH_FAILED", "no connection for these two identities"),
        ({"remote_ts": (make(0, 0, 65535, b"\x0a\x4d\0\0", b"\x0a\x4d\xff\xff"),)}, {}, "TS_REFUSED_BY_PEER", ""),
        ({}, {"pool": None, "dns": ()}, "NO_ADDRESS_ASSIGNED", ""),
    ],
)
def test_the_initiators_side(ours, theirs, case, differs):
    world = World(connection(True, **ours), connection(False, **theirs)).connect()
    world.run(60_000)
    verdict = verdict_of(world.board)
    assert (verdict.up, verdict.case) == (False, case) and differs in verdict.difference
    assert verdict.there and verdict.remedy and verdict.payload and verdict.exchange


@pytest.mark.parametrize(
    ("ours", "case", "differs", "here"),
    [
        (
            {"proposals": (GCM,)},
            "NO_COMMON_PROPOSAL",
            "cipher (ENCR): here AES_CBC_128, there AES_GCM_16_256",
            'proposals = ["aes128-sha256-x25519", "aes256gcm16-prfsha384-ecp256"]',
        ),
        (
            {"esp_proposals": (ESP_GCM,)},
            "NO_COMMON_ESP_PROPOSAL",
            "cipher (ENCR): here AES_CBC_128, there AES_GCM_16_256",
            'esp_proposals = ["aes128-sha256", "aes256gcm16"]',
        ),
        ({"psk": bytearray(b"another")}, "PSK_DIFFERS", "is known here, and its proof is another's", 'psk = "..."'),
        (
            {"local_id": (2, b"stranger.example")},
            "UNKNOWN_PEER_ID",
            "there stranger.example",
            'remote_id = "stranger.example"',
        ),
    ],
)
def test_the_responders_side(ours, case, differs, here):
    world = World(connection(True, **ours)).connect()
    verdict = verdict_of(world.gateway)
    assert (verdict.up, verdict.case, verdict.who) == (False, case, "this board")
    assert differs in verdict.difference and here in verdict.here


def refuse_group(group):
    """What a gateway answers to every IKE_SA_INIT."""

    def answer(sender, datagram, port):
        if sender.address == "192.0.2.2":
            return [datagram]
        refused = notify(iana.INVALID_KE_PAYLOAD, struct.pack(">H", group))
        return [bytes(build(datagram[:8], bytes(8), iana.IKE_SA_INIT, iana.FLAG_RESPONSE, 0, [refused]))]

    return answer


@pytest.mark.parametrize(("group", "here"), [(16, []), (14, ['proposals = ["aes128-sha256-x25519-modp2048"]'])])
def test_a_group_that_we_do_not_offer(group, here):
    world = World()
    world.filter = refuse_group(group)
    world.connect()
    world.run(60_000)
    verdict = verdict_of(world.board)
    name = {16: "MODP_4096", 14: "MODP_2048"}[group]
    assert (verdict.case, verdict.payload, verdict.here) == ("GROUP_REFUSED", "KEi", here)
    assert verdict.difference == f"key exchange group (KE_METHOD): here CURVE25519, there {name}"


def test_a_peer_that_is_lost():
    world = World().connect()
    ask(world)
    world.gone = ("192.0.2.1",)
    world.filter = lambda sender, datagram, port: []
    world.run(200_000)
    verdict = verdict_of(world.board)
    assert (verdict.case, verdict.who, verdict.up) == ("PEER_DEAD", "nobody", False)
    assert any("INFORMATIONAL went out 4 times" in each for each in verdict.also)


def test_replayed_packets():
    world = World().connect()
    world.filter = lambda sender, datagram, port: [datagram, datagram]
    ask(world)
    verdict = verdict_of(world.gateway)
    assert verdict.up and any(each.startswith("dropped once: an ESP packet seen before") for each in verdict.also)


@pytest.mark.parametrize("seed", range(3))
def test_a_collision_of_rekeyings(seed):
    world = World(seed=seed).connect()
    for side in (world.board, world.gateway):
        exchange.start(side.sa, rekey_child.replace(side.sa, side.sa.children[0]), world.now)
    world.settle()
    for side in (world.board, world.gateway):
        told = [each for each in verdict_of(side).also if "both sides replaced the same Child SA at once" in each]
        assert told, verdict_of(side)


def test_no_answer():
    world = World()
    world.filter = lambda sender, datagram, port: []
    world.connect()
    waiting = verdict_of(world.board)
    world.run(60_000)
    ended = verdict_of(world.board)
    for verdict in (waiting, ended):
        assert (verdict.case, verdict.who, verdict.exchange) == ("NO_ANSWER", "nobody", "IKE_SA_INIT")
        assert verdict.text == "nothing at all came back from 192.0.2.1" and verdict.authenticated is None


def test_the_second_port_is_blocked():
    world = World()
    world.filter = lambda sender, datagram, port: [datagram] if port == 500 else []
    world.connect()
    world.run(60_000)
    assert verdict_of(world.board).case == verdict_of(world.gateway).case == "PORT_4500_BLOCKED"


def test_a_message_that_is_lost_for_its_length():
    world = World(connection(True, fragmentation=False, psk=bytearray(b"a key that nobody guesses")))
    world.filter = lambda sender, datagram, port: [datagram] if len(datagram) < 280 else []
    world.board.endpoint.connections[0].local_ts = ()
    world.board.endpoint.connections[0].remote_ts = tuple(
        make(0, 0, 65535, bytes((10, number, 0, 0)), bytes((10, number, 255, 255))) for number in range(24)
    )
    world.connect()
    world.run(60_000)
    verdict = verdict_of(world.board)
    assert (verdict.case, verdict.who, verdict.here[1]) == ("LARGE_MESSAGES_LOST", "the network", "fragment_size = 576")


# -- records ---------------------------------------------------------------------------------------------------------


def test_both_sides_began_at_once():
    found = recorded(negotiating(1), negotiating(2, 90, False), (event.CHILD_UP, 2, 99, CHILD_UP[3]))
    _, verdict = judge(found)
    assert verdict.up and any("both sides began at once" in each for each in verdict.also)


@pytest.mark.parametrize(("number", "here"), [("CLOCK_NOT_SET", ["require_time = false"]), ("NAME_UNRESOLVED", [])])
def test_no_attempt_was_begun(number, here):
    body = bytes((getattr(reason, number),)) + b"gw.example"
    _, verdict = judge(recorded((event.NOT_STARTED, 0, 5, body), (event.RECONNECT, 0, 5, b"\0\0\1\0\1hq")))
    assert (verdict.case, verdict.who, verdict.here) == (number, "this board", here) and verdict.remedy


def test_memory_is_used_up():
    _, verdict = judge(recorded(negotiating(1), dropped(reason.NO_MEMORY), closed(reason.NO_MEMORY)))
    assert (verdict.case, verdict.who) == ("NO_MEMORY", "this board")
    assert verdict.also == ["dropped once: the board ran out of memory; fewer connections, or a board with more memory"]


def test_memory_is_used_up_by_what_came():
    silent = closed(reason.NO_ANSWER, b"", iana.IKE_SA_INIT)
    _, verdict = judge(recorded(negotiating(1), dropped(reason.NO_MEMORY), silent))
    assert (verdict.case, verdict.who) == ("NO_MEMORY", "this board")


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("MemoryError: memory allocation failed, allocating 136 bytes", "NO_MEMORY"),
        ("Brownout detector was triggered", "BROWNOUT"),
        ("Guru Meditation Error: Core 0 panic'ed (LoadProhibited)", "CRASHED"),
        ("Traceback (most recent call last):", "CRASHED"),
    ],
)
def test_a_board_that_is_no_more(text, case):
    _, verdict = judge(recorded((event.GREETING, 0, 1, b"uike")), ["rst:0x1", text])
    assert (verdict.case, verdict.up, verdict.who) == (case, False, "this board")
    assert judge(recorded(negotiating(1), CHILD_UP), [text])[1].up


def test_counters_tell_the_direction():
    for into, out, said in ((0, 5, "none came out of it"), (5, 0, "none went into it"), (5, 5, None)):
        counters = b"inininin" + struct.pack(">BIIQQ", reason.DELETED_BY_US, into, out, 84 * into, 84 * out)
        _, verdict = judge(recorded(negotiating(1), CHILD_UP, (event.CHILD_DOWN, 1, 3, counters)))
        assert verdict.up and (verdict.case, said or "came up") == ("NO_TRAFFIC" if said else "UP", said or "came up")
        assert (said or "came up") in verdict.text


def test_only_version_1_answers():
    wrong = dropped(reason.WRONG_MAJOR_VERSION)
    _, verdict = judge(recorded(negotiating(1), wrong, closed(reason.NO_ANSWER, b"", iana.IKE_SA_INIT)))
    assert (verdict.case, verdict.there) == ("ONLY_IKEV1", ["version = 2"])


def test_the_last_attempt_counts():
    first = (negotiating(1), closed(reason.NO_ANSWER))
    _, verdict = judge(recorded(*first, negotiating(2), (event.CHILD_UP, 2, 5, CHILD_UP[3])))
    assert verdict.up and verdict.also == ["1 earlier attempts in this recording failed: NO_ANSWER"]


@pytest.mark.parametrize(
    ("record", "case"),
    [
        ((event.CONFIG_ERROR, 0, 1, b"psk\tmissing"), "CONFIG_ERROR"),
        ((event.STOPPED, 0, 1, bytes((reason.SELF_TEST_FAILED,)) + b"sha256"), "SELF_TEST_FAILED"),
        ((event.GREETING, 0, 1, b"uike"), "UNFINISHED"),
    ],
)
def test_nothing_was_begun(record, case):
    _, verdict = judge(recorded(record))
    assert (verdict.up, verdict.case) == (False, case) and verdict.remedy


def test_a_recording_that_began_behind_the_negotiation():
    _, verdict = judge(recorded((event.LIVENESS, 1, 1, bytes((0, 0, 0, 30)))))
    assert (verdict.up, verdict.case) == (False, "UNFINISHED") and "began behind" in verdict.text


def test_every_reason_that_ends_a_negotiation_can_be_explained():
    numbers = [number for number in reasons.NAMES if number >= 70]
    assert len(numbers) > 70
    for number in numbers:
        for detail in (b"", b"\2gw.example", b"\0\x10", b"\1\0\1\2\0\1", bytes(64)):
            _, verdict = judge(recorded(negotiating(1), closed(number, detail)))
            assert verdict.text and json.dumps(verdict.as_dict())
            if number in TABLE:
                assert verdict.remedy, reasons.NAMES[number]


@pytest.mark.parametrize("name", [name for name in reasons.NAMES.values() if name.startswith("CERTIFICATE_")])
def test_certificates_say_whose_they_are(name):
    number = getattr(reason, name)
    _, verdict = judge(recorded(negotiating(1), closed(number, b"\2\0\3abc\2\0\3xyz")))
    assert (verdict.case, verdict.payload, verdict.who) == (name, "CERT", "this board")
    if name == "CERTIFICATE_IDENTITY":
        assert verdict.difference == "identity: it says abc, its certificate xyz"
        assert (verdict.here, verdict.there) == (['remote_id = "xyz"'], ["local { id = xyz }"])


@pytest.mark.parametrize(
    ("name", "who", "payload"),
    [
        ("PPK_NOT_OFFERED", "this board", "N(USE_PPK)"),
        ("PPK_ID_UNKNOWN", "this board", "N(PPK_IDENTITY)"),
        ("PPK_DIFFERS", "this board", "AUTH"),
        ("PEER_REFUSED_PPK", "the gateway", "AUTH"),
        ("NO_PSK_FOR_PEER", "this board", "IDi"),
    ],
)
def test_further_keys(name, who, payload):
    _, verdict = judge(recorded(negotiating(1), closed(getattr(reason, name))))
    assert (verdict.case, verdict.who, verdict.payload) == (name, who, payload) and verdict.here


def test_a_clock_that_is_not_set():
    _, verdict = judge(recorded(negotiating(1), closed(reason.CLOCK_NOT_SET)))
    assert (verdict.here, verdict.there) == (["require_time = false"], [])


# -- proposals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["aes128-sha256-x25519", "aes256gcm16-prfsha384-ecp256", "chacha20poly1305-prfsha256-x25519-modp2048"]
)
def test_proposals_in_words_are_those_of_the_file(text):
    transforms = keywords.parse(text, True)
    assert algorithms.proposal_words(transforms) == text and compare.takeable([transforms]) == [text]


def test_esp_words_leave_out_what_goes_without_saying():
    assert algorithms.proposal_words(ESP_CBC) == "aes128-sha256"
    assert algorithms.proposal_words(keywords.parse("aes128gcm16-esn", False)) == "aes128gcm16-esn"


def test_what_we_cannot_speak_is_not_recommended():
    foreign = ((1, 3, 0), (2, 2, 0), (3, 2, 0), (4, 2, 0))
    assert compare.takeable([foreign]) == [] and algorithms.proposal_words(foreign) == "3des-sha1-modp1024"
    assert compare.takeable([(*CBC, (4, 16, 0))]) == ["aes128-sha256-x25519"]


def test_the_pair_that_comes_furthest_is_compared():
    ours = [CBC]
    theirs = [GCM, ((1, 12, 128), (2, 5, 0), (3, 12, 0), (4, 14, 0))]
    assert compare.difference(ours, theirs).text() == "key exchange group (KE_METHOD): here CURVE25519, there MODP_2048"
    assert compare.difference(ours, [*theirs, CBC]) is None and compare.difference([], theirs) is None


# -- what others know ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log", "case"),
    [
        ("tried 1 shared key for 'gw.example' - 'dev.example', but MAC mismatched", "PSK_DIFFERS"),
        ("no shared key found for 'gw.example' - 'dev.example'", "PSK_MISSING"),
        ("no trusted ECDSA public key found for 'dev.example'", "CERTIFICATE_NOT_TRUSTED"),
        ("constraint check failed: identity 'dev.example' required", "CONSTRAINT"),
        ("nothing that is known", "PEER_SAID_AUTH_FAILED"),
    ],
)
def test_the_other_sides_log(log, case):
    _, verdict = judge(recorded(negotiating(1), closed(reason.PEER_SAID_AUTH_FAILED)))
    peer_log.enrich(verdict, log)
    assert verdict.case == case and "{" not in verdict.text


def test_the_proposals_of_the_other_sides_log():
    body = struct.pack(">BHBIB", reason.PEER_SAID_NO_PROPOSAL, 14, iana.IKE_SA_INIT, 0, 0)
    _, verdict = judge(recorded(negotiating(1), (event.CLOSED, 1, 9, body)))
    log = (
        "[CFG] received proposals: IKE:AES_CBC_128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/CURVE_25519\n"
        "[CFG] configured proposals: IKE:AES_CBC_128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1024, IKE:CHACHA20_POLY1305_256/"
        "PRF_HMAC_SHA2_512/ECP_256\n"
    )
    peer_log.enrich(verdict, log)
    assert (verdict.ours, verdict.theirs) == (
        ["aes128-sha256-x25519"],
        ["aes128-sha1-modp1024", "chacha20poly1305-prfsha512-ecp256"],
    )
    assert verdict.difference == "pseudorandom function (PRF): here PRF_HMAC_SHA2_256, there PRF_HMAC_SHA1"
    assert verdict.here == ['proposals = ["aes128-sha256-x25519", "chacha20poly1305-prfsha512-ecp256"]']


@pytest.mark.parametrize(
    ("changes", "before", "case"),
    [
        ({"port_500": "unreachable"}, "NO_ANSWER", "HOST_UNREACHABLE"),
        ({"port_500": "refused", "pings": True}, "NO_ANSWER", "NO_IKE_SERVICE"),
        ({"pings": True}, "NO_ANSWER", "PORT_500_BLOCKED"),
        ({"pings": False}, "NO_ANSWER", "HOST_SILENT"),
        ({"port_500": "answers"}, "NO_ANSWER", "PATH_OF_THE_BOARD"),
        ({"port_500": "answers", "version_1": True, "no_proposal": True}, "PEER_SAID_NO_PROPOSAL", "ONLY_IKEV1"),
        ({"port_500": "answers", "no_proposal": True}, "PEER_SAID_NO_PROPOSAL", "NO_CONNECTION_AT_PEER"),
        ({"port_500": "answers", "group": 16}, "PEER_SAID_NO_PROPOSAL", "PEER_SAID_NO_PROPOSAL"),
        ({"port_500": "answers"}, "LARGE_MESSAGES_LOST", "PORT_4500_BLOCKED"),
        ({"port_4500": "answers", "longest": 1280, "lost": 1400}, "PORT_4500_BLOCKED", "LARGE_MESSAGES_LOST"),
        ({"port_4500": "answers", "longest": 1500}, "PEER_SAID_AUTH_FAILED", "PEER_SAID_AUTH_FAILED"),
    ],
)
def test_a_probe(changes, before, case):
    story, _ = judge(recorded(negotiating(1), closed(reason.NO_ANSWER)))
    verdict = Verdict(False, before, "as it was")
    from_probe.enrich(verdict, story, Findings("192.0.2.1", **changes))
    assert verdict.case == case and verdict.also[0].startswith("192.0.2.1 ")


# -- the command -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("records", "status"), [((negotiating(1), CHILD_UP), 0), ((negotiating(1),), 1)])
def test_the_command(tmp_path, records, status):
    path = tmp_path / "board.trace"
    path.write_bytes(b"\n".join(line(*record) for record in records))
    done = CliRunner().invoke(main, ["explain", str(path), "--json"])
    assert done.exit_code == status and json.loads(done.stdout)["up"] == (status == 0)
    done = CliRunner().invoke(main, ["explain", str(path)])
    assert done.exit_code == status and ("UP: the tunnel came up" in done.output) == (status == 0)
    assert not [row for row in done.output.splitlines() if row != row.rstrip() or len(row) > 118]


def test_nothing_of_a_peer_reaches_the_terminal_raw(tmp_path):
    path = tmp_path / "board.trace"
    evil = b"\2\x1b[2Jgw"
    path.write_bytes(b"\n".join(line(*each) for each in (negotiating(1), closed(reason.UNKNOWN_PEER_ID, evil))))
    done = CliRunner().invoke(main, ["explain", str(path)])
    assert "\x1b" not in done.output and "\\x1b[2Jgw" in done.output
