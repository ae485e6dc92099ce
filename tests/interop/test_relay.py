"""Relays: MQTT clients that know nothing of VPNs reach a real Mosquitto behind a real strongSwan, and more."""

import socket
import subprocess
import time

import pytest

from host_tools.peers.inside import inside, listening, reach
from host_tools.peers.network import BOARD, INNER, Namespaces
from host_tools.peers.strongswan import connection
from tests.interop import board as boards

RELAY = """
[[relay]]
listen = "{listen}"
to = "{to}"
"""
RUNTIMES = ["cpython", "vm"]
HEAP = "111k"  # a relay of the local network rests until someone comes
EXPOSED_HEAP = (
    "118k"  # one of the tunnel listens on our own TCP beside each negotiation; an ESP32 has 124 KB beside Wi-Fi
)


@pytest.fixture
def mosquitto(gateway, tmp_path):
    """A broker behind the gateway."""
    path = tmp_path / "mosquitto.conf"
    path.write_text(f"listener 1883 {INNER}\nallow_anonymous true\nuser root\n")
    log = open(tmp_path / "mosquitto.log", "w")
    command = Namespaces.command(gateway.namespaces.gateway, "mosquitto", "-v", "-c", path)
    process = subprocess.Popen(command, stdout=log, stderr=log)
    with inside(gateway.namespaces.gateway):
        reach(INNER, 1883).close()
    yield process
    process.terminate()
    process.wait()
    log.close()


def client(gateway, *words):
    """An MQTT client of Mosquitto's in the board's local network."""
    return subprocess.Popen(Namespaces.command(gateway.namespaces.board, *words), stdout=subprocess.PIPE)


def board(gateway, directory, runtime, relay, heap=HEAP):
    return boards.Board(gateway.namespaces, directory, boards.initiator(relay), "--runtime", runtime, "--heap", heap)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_mqtt(gateway, mosquitto, tmp_path, runtime):
    gateway.configure(connection())
    relay = RELAY.format(listen="127.0.0.1:1883", to=f"{INNER}:1883")
    with board(gateway, tmp_path, runtime, relay) as ours:
        ours.wait_for("established")
        time.sleep(0.3)
        heard = client(gateway, "mosquitto_sub", "-h", "127.0.0.1", "-t", "lamp/#", "-C", "3", "-v")
        opened = ours.wait_for("relay_opened")
        assert opened[0]["target"] == [INNER, 1883]
        time.sleep(0.5)  # until it has subscribed
        for number, qos in enumerate((0, 1, 2)):
            text = str(number) * (1 if number < 2 else 3_000)
            words = ("mosquitto_pub", "-h", "127.0.0.1", "-t", f"lamp/{number}", "-q", str(qos), "-m", text)
            assert client(gateway, *words).wait(30) == 0
        out, _ = heard.communicate(timeout=60)
        assert out.decode().split("\n")[:-1] == ["lamp/0 0", "lamp/1 1", "lamp/2 " + "2" * 3_000]
        rows = ours.wait_for("relay_closed", 4)
        assert [row["reason"] for row in rows] == [0] * 4
        result = ours.finish()
    assert result["established"] and result["failure"] is None, result


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_service_of_the_local_network_for_the_headquarters(gateway, tmp_path, runtime):
    gateway.configure(connection())
    relay = RELAY.format(listen="0.0.0.0:502", to="127.0.0.1:5502") + 'side = "tunnel"\nconnections = 1\n'
    with inside(gateway.namespaces.board):
        service = listening("127.0.0.1", 5502)
    with board(gateway, tmp_path, runtime, relay, EXPOSED_HEAP) as ours:
        address = ours.wait_for("address")[0]["address"]
        ours.wait_for("established")
        time.sleep(0.3)
        with inside(gateway.namespaces.gateway):
            asked = socket.create_connection((address, 502), timeout=20)
            refused = socket.create_connection((address, 502), timeout=20)
        device, _ = service.accept()
        device.settimeout(60)
        asked.sendall(b"read the meter")
        assert device.recv(100) == b"read the meter"
        device.sendall(b"y" * 5_000)
        got = b""
        while len(got) < 5_000:
            got += asked.recv(65_536)
        assert got == b"y" * 5_000
        row = ours.wait_for("relay_refused")[0]
        assert row["reason"] == 169 and row["client"] == [INNER, refused.getsockname()[1]]
        with pytest.raises(ConnectionResetError):
            refused.recv(1)
        device.close()
        assert asked.recv(1) == b""
        asked.close()
        row = ours.wait_for("relay_closed")[0]
        assert (row["reason"], row["bytes_from"], row["bytes_to"]) == (0, 14, 5_000)
        service.close()
        assert ours.finish()["failure"] is None


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_udp_both_ways(gateway, tmp_path, runtime):
    gateway.configure(connection())
    lan = RELAY.format(listen="127.0.0.1:5683", to=f"{INNER}:5683") + 'protocol = "udp"\n'
    tunnel = RELAY.format(listen="0.0.0.0:5684", to="127.0.0.1:5685") + 'protocol = "udp"\nside = "tunnel"\n'
    with inside(gateway.namespaces.gateway):
        there = listening(INNER, 5683, socket.SOCK_DGRAM)
    with inside(gateway.namespaces.board):
        here = [listening("127.0.0.1", port, socket.SOCK_DGRAM) for port in (0, 0, 5685)]
    with board(gateway, tmp_path, runtime, lan + tunnel) as ours:
        address = ours.wait_for("address")[0]["address"]
        ours.wait_for("established")
        time.sleep(0.3)
        for number, sock in enumerate(here[:2]):
            sock.sendto(b"from %d" % number, ("127.0.0.1", 5683))
            data, where = there.recvfrom(2_000)
            assert data == b"from %d" % number and where[0] == address
            there.sendto(b"to %d" % number, where)
            assert sock.recvfrom(2_000) == (b"to %d" % number, ("127.0.0.1", 5683))
        there.sendto(b"wake up", (address, 5684))
        data, where = here[2].recvfrom(2_000)
        assert data == b"wake up"
        here[2].sendto(b"awake", where)
        assert there.recvfrom(2_000) == (b"awake", (address, 5684))
        assert ours.finish()["failure"] is None
    for sock in (there, *here):
        sock.close()


def test_what_cannot_be_reached(gateway, tmp_path):
    """No tunnel: refused at once. Nobody at the target: told by a reset."""
    gateway.configure(connection())
    relay = RELAY.format(listen="127.0.0.1:1883", to="172.16.0.1:1883")
    relay += RELAY.format(listen="127.0.0.1:1884", to=f"{INNER}:9")
    with board(gateway, tmp_path, "cpython", relay) as ours:
        ours.wait_for("established")
        time.sleep(0.3)
        for number, port in enumerate((1883, 1884)):
            with inside(gateway.namespaces.board):
                asked = socket.create_connection(("127.0.0.1", port), timeout=10)
            try:
                assert asked.recv(1) == b""
            except ConnectionResetError:
                pass
            asked.close()
        assert ours.wait_for("relay_refused")[0]["reason"] == 164
        row = ours.wait_for("relay_closed")[0]
        assert (row["relay"], row["reason"]) == (1, 167) and BOARD
        assert ours.finish()["failure"] is None
