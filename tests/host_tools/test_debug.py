"""The live trace: what a reader sees of a tunnel's life, and what nobody may see of it."""

import io
from base64 import b64encode

import pytest
from rich.console import Console
from scapy.contrib.ikev2 import IKEv2, IKEv2_Nonce

from host_tools.debug import Renderer
from host_tools.records import parse
from tests.handshake import events, lifetime, line, messages
from uike import event, reason


def shown(found, **options):
    screen = Console(file=io.StringIO(), width=120)
    renderer = Renderer(screen, **options)
    for each in found:
        renderer.event(each)
    return screen.file.getvalue()


def test_the_life_of_a_tunnel():
    world, _ = lifetime()
    text = shown(events(world.board))
    wanted = (
        "    0.043  IKEv2:(SA 1) connecting to 192.0.2.1:500 as initiator, connection hq",
        "IKEv2:(SA 1) sent IKE_SA_INIT request, message ID 0, to 192.0.2.1:500,",
        "proposal 1, IKE: AES_CBC_128/PRF_HMAC_SHA2_256/HMAC_SHA2_256_128/CURVE25519",
        "received IKE_SA_INIT response, message ID 0, from 192.0.2.1:500,",
        "state INIT -> AUTH",
        "sent IKE_AUTH request, message ID 1, to 192.0.2.1:4500,",
        "IDi   ID_FQDN dev.example",
        "AUTH_SHARED_KEY, 32 bytes (withheld)",
        "Child SA up: AES_CBC_128/HMAC_SHA2_256_128/NO_ESN",
        "TS    10.9.0.1/32 === 10.1.0.0/16",
        "IKE SA established with gw.example, after 0 ms",
        "closed, DELETED_BY_US: we closed the SA",
        "sent INFORMATIONAL request, message ID 2,",
        "the IKE SA",
    )
    at = 0
    for each in wanted:
        assert each in text[at:], f"{each!r} is not where it should be in\n{text}"
        at = text.index(each, at)


def test_brief_and_prefixed():
    world, _ = lifetime()
    text = shown(events(world.gateway), prefix="gateway ", verbose=0)
    assert all(each.startswith("gateway ") for each in text.splitlines())
    assert "received IKE_SA_INIT request" in text and "CURVE25519, 32 bytes" not in text


def test_a_move_and_authentication_anew():
    here, gone, there = b"\xc0\0\2\2\x11\x94", b"\xc0\0\2\1\x11\x94", b"\xc6\x33\x64\7\xee\x48"
    text = shown([parse(line(event.ADDRESS_CHANGED, 1, 0, here + gone + here + there))])
    assert text.endswith("IKEv2:(SA 1) moved: the peer 192.0.2.1:4500 -> 198.51.100.7:61000\n")
    text = shown([parse(line(event.ADDRESS_CHANGED, 1, 0, here + gone + there + gone))])
    assert text.endswith("IKEv2:(SA 1) moved: our address 192.0.2.2:4500 -> 198.51.100.7:61000\n")
    text = shown([parse(line(event.REAUTHENTICATED, 1, 0, b"\0\2"))])
    assert text.endswith("IKEv2:(SA 1) authenticated anew: replaced by SA 2\n")


@pytest.mark.parametrize(
    ("code", "body", "wanted"),
    [
        (event.BOOT, bytes((1, 1, 0)), "started after power-on, boot 1 since the last good one\n"),
        (event.BOOT, bytes((3, 2, reason.WATCHDOG)), "started after its watchdog, boot 2"),
        (event.BOOT, bytes((3, 2, reason.WATCHDOG)), "the last run ended: the board did nothing for a minute"),
        (event.BOOT, bytes((2, 4, reason.APPLICATION_FAILED)) + b"OSError 5", "the application fell over: OSError 5"),
        (event.BOOT, bytes((2, 1, reason.RESTART_ASKED)), "the last run ended: it was told to restart\n"),
        (event.BOOT, bytes((9, 1, 0)), "started after cause 9"),
        (event.NOT_STARTED, bytes((reason.NAME_UNRESOLVED,)) + b"gw.example", "no attempt: the gateway's name has no"),
        (event.NOT_STARTED, bytes((reason.CLOCK_NOT_SET,)) + b"gw.example", "remedy: let it reach a time server"),
        (event.SAFE_MODE, bytes((4, 0)), "safe mode, 3 boots in a row failed: only the console runs"),
        (event.SAFE_MODE, bytes((1, 1)), "safe mode, its pin says so"),
        (event.UPDATE, b"\x010.2.0", "update to 0.2.0 begins\n"),
        (event.UPDATE, b"\x020.2.0", "update to 0.2.0 is complete, and on from the next boot\n"),
        (event.UPDATE, b"\x03", "the new version has proved itself, and stays\n"),
        (event.STORE_FALLEN, b"config.json", "stored file config.json was broken: the one before it is in use\n"),
    ],
)
def test_what_a_board_says_of_itself(code, body, wanted):
    assert wanted in shown([parse(line(code, 0, 0, body))])


def test_a_failure_has_its_remedy():
    body = bytes((reason.PSK_DIFFERS, 0, 24, 35, 0, 0, 0, 1, 1))
    text = shown([parse(line(event.CLOSED, 1, 0, body))])
    assert "closed, PSK_DIFFERS: the peer proved itself with another pre-shared key" in text
    assert "remedy: set the same psk on both sides" in text


def test_nothing_of_a_peer_reaches_the_terminal_raw():
    evil = b"\x1b[2Jgw"
    found = [
        parse(line(event.ESTABLISHED, 1, 0, b"\0\0\0\1\2" + evil)),
        parse(line(event.DROP, 0, 0, bytes((reason.LOCAL_ERROR,)) + bytes(6) + evil)),
        parse(line(event.GREETING, 0, 0, evil)),
        parse(b"#" + evil),
    ]
    text = shown(found)
    assert "\x1b" not in text and text.count("\\x1b[2Jgw") == 4


@pytest.mark.parametrize("code", [*range(1, 22), *range(85, 90)])
def test_no_record_that_decodes_breaks_the_screen(code):
    for size in range(96):
        for fill in (0, 1, 255):
            assert shown([parse(line(code, 1, 0, bytes((fill,)) * size))])


def test_no_secret_is_in_the_trace():
    world, ear = lifetime()
    nonces = (IKEv2(message)[IKEv2_Nonce].nonce for _, message in messages(world.board)[:2])
    secrets = {bytes(each) for each in ear.secrets} - {b"".join(nonces)}  # the key of SKEYSEED is Ni | Nr: public
    assert b"a key that nobody guesses" in secrets and len(secrets) > 20
    for side in (world.board, world.gateway):
        raw = b"".join(body for _, _, body in side.log)
        text = shown(events(side))
        assert len(raw) > 1000
        for secret in secrets:
            assert secret not in raw
            assert secret[:8].hex() not in text.lower() and secret.hex() not in raw.decode("latin-1").lower()
            for shift in range(3):  # a base64 text shows a secret in one of three ways
                middle = b64encode(bytes(shift) + secret)[4 if shift else 0 : -4]
                assert middle not in raw and middle.decode() not in text
