"""Further verdicts with a real strongSwan: what crosses on the wire, what comes twice, what time it is, EAP."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from host_tools.peers.network import BOARD, INNER, Namespaces
from host_tools.peers.strongswan import connection
from tests.interop import board as boards
from tests.interop import test_certificates as certificates
from tests.interop import test_eap
from tests.interop.test_explain import FAST, explained
from tests.interop.tunnel import Tunnel

# Sends the next ESP packet from the gateway twice more; in the gateway's namespace
AGAIN = """
import socket
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as link:
    link.bind(("gw0", 3))
    link.settimeout(10)
    print("ready", flush=True)
    while True:
        frame = link.recv(2048)
        udp = frame[34:]
        if frame[12:14] == b"\\x08\\0" and frame[23] == 17 and udp[2:4] == b"\\x11\\x94" and any(udp[8:12]):
            if frame[26:30] == bytes((192, 0, 2, 1)):
                frame = frame[:40] + bytes(2) + frame[42:]  # without the checksum that no hardware has filled in
                link.send(frame)
                link.send(frame)
                break
"""


RECORDED = ("--runtime", "cpython", "--record")


@contextmanager
def board(namespaces, tmp_path, text, *words):
    """A board whose recording is kept: (board, path)."""
    path = tmp_path / "board.trace"
    with boards.Board(namespaces, tmp_path, text, *RECORDED, path, *words) as running:
        yield running, path


def also(namespaces, path):
    status, verdict = explained(namespaces, path)
    assert (status, verdict["case"]) == (0, "UP"), verdict
    return verdict["also"]


def test_packets_that_come_again(namespaces, gateway, tmp_path):
    gateway.configure(connection())
    with board(namespaces, tmp_path, boards.initiator(**FAST)) as (running, path):
        running.wait_for("child_up")
        command = Namespaces.command(namespaces.gateway, sys.executable, "-c", AGAIN)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attacker:
            assert attacker.stdout.readline() == "ready\n"
            running.type(do="ping", to=INNER, count=3, interval_ms=50)
            running.wait_for("ping", 3)
            assert attacker.wait(15) == 0
        running.wait_for("drop")
        running.finish()
    told = [each for each in also(namespaces, path) if "an ESP packet seen before" in each]
    assert len(told) == 1 and told[0].startswith("dropped "), told


def test_both_replace_the_child_sa_at_once(namespaces, gateway, tmp_path):
    gateway.configure(connection())
    with board(namespaces, tmp_path, boards.initiator(retransmit_ms=2000)) as (running, path):
        running.wait_for("child_up")
        both = Tunnel(running, gateway, "initiator", "cpython")
        both.cut("they")
        try:
            both.rekey("they", "child")
            gateway.wait_for(r"generating CREATE_CHILD_SA request \d+")
            both.rekey("we", "child")
            gateway.wait_for(r"generating CREATE_CHILD_SA response \d+")
        finally:
            both.mend("they")
        running.wait_for("child_rekeyed")
        both.agree()
        running.finish()
    assert any("both sides replaced the same Child SA at once" in each for each in also(namespaces, path))


def test_both_sides_begin_at_once(namespaces, gateway, tmp_path):
    gateway.configure(connection(remote=BOARD, pool=False, remote_ts="10.2.0.0/16"))
    first = boards.initiator('local_ts = ["10.2.0.0/16"]\n', virtual_ip="false", retransmit_ms=1000)
    second = boards.responder('remote_ts = ["10.1.0.0/16"]\n', retransmit_ms=1000)
    second = "\n".join(line for line in second.split("\n") if not line.startswith(("pool", "dns")))
    both = Tunnel(None, gateway, "initiator", "cpython")
    with ThreadPoolExecutor() as aside:
        both.cut("we", "they")
        try:
            running = boards.Board(namespaces, tmp_path, first + second, *RECORDED, tmp_path / "board.trace")
            running.wait_for("negotiating")
            initiating = aside.submit(gateway.swanctl, "--initiate", "--child", "net", "--timeout", "20")
            gateway.wait_for("generating IKE_SA_INIT request")
        finally:
            both.mend("we", "they")
        with running:
            running.wait_for("child_up", 2)
            initiating.result(25)
            running.finish()
    assert any("both sides began at once" in each for each in also(namespaces, tmp_path / "board.trace"))


def refused(namespaces, path):
    status, verdict = explained(namespaces, path)
    assert status == 1 and verdict["text"] and verdict["remedy"]
    return verdict


def test_a_board_that_does_not_know_the_time(namespaces, gateway, tmp_path):
    text = certificates.arrange(gateway, tmp_path, "p256")
    with board(namespaces, tmp_path, text, "--no-clock", "--timeout", 3) as (running, path):
        running.wait_for_end()
    verdict = refused(namespaces, path)
    assert (verdict["case"], verdict["who"]) == ("CLOCK_NOT_SET", "this board")
    assert "require_time = false" in verdict["here"]


def test_a_password_that_is_wrong(namespaces, gateway, tmp_path):
    text = test_eap.arrange(gateway, tmp_path, "mschapv2", password="wrong horse")
    with board(namespaces, tmp_path, text) as (running, path):
        running.wait_for_end()
    verdict = refused(namespaces, path)
    assert (verdict["case"], verdict["who"], verdict["exchange"]) == ("EAP_FAILED", "the gateway", "IKE_AUTH")
    assert "wrong horse" not in str(verdict)
