"""The examples on an emulated board, with Linux servers and independent protocol software behind a real strongSwan."""

import socket
import subprocess

import pytest
from scapy.contrib.coap import CoAP
from scapy.contrib.modbus import (
    ModbusADURequest,
    ModbusADUResponse,
    ModbusPDU03ReadHoldingRegistersRequest,
    ModbusPDU03ReadHoldingRegistersResponse,
    ModbusPDU04ReadInputRegistersRequest,
)

from host_tools.image import FIRMWARE
from host_tools.peers.inside import inside, listening, reach
from host_tools.peers.network import INNER, Namespaces
from host_tools.peers.strongswan import connection
from tests.interop import board as boards
from tests.interop.test_relay import HEAP, mosquitto

EXAMPLES = FIRMWARE / "examples"
RUNTIMES = ["cpython", "vm"]
__all__ = ["mosquitto"]


def example(gateway, directory, name, runtime):
    gateway.configure(connection())
    words = ("--runtime", runtime, "--heap", HEAP, "--program", EXAMPLES / f"{name}.py")
    return boards.Board(gateway.namespaces, directory, boards.initiator(), *words)


def test_each_is_short():
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 45, path


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_sensor(gateway, mosquitto, tmp_path, runtime):
    words = ("mosquitto_sub", "-h", INNER, "-t", "plant/+/temperature", "-C", "3", "-v")
    heard = subprocess.Popen(Namespaces.command(gateway.namespaces.gateway, *words), stdout=subprocess.PIPE)
    with heard, example(gateway, tmp_path, "sensor", runtime) as board:
        try:
            out, _ = heard.communicate(timeout=60)
        finally:
            heard.kill()
        assert out == b"plant/7/temperature 21.5\n" * 3
        assert board.wait_for_end()["closed"] == "DELETED_BY_US"
    log = (tmp_path / "mosquitto.log").read_text()
    assert "Received DISCONNECT from sensor-7" in log and "Client sensor-7 disconnected" in log


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_reporter(gateway, tmp_path, runtime):
    with inside(gateway.namespaces.gateway):
        server = listening(INNER, 5683, socket.SOCK_DGRAM)
    with example(gateway, tmp_path, "reporter", runtime) as board:
        server.recvfrom(2_000)  # the first is lost
        data, where = server.recvfrom(2_000)
        request = CoAP(data)
        assert (request.ver, request.type, request.code, request.msg_id) == (1, 0, 2, 1)
        assert request.options == [("Uri-Path", b"report")] and bytes(request.payload).endswith(b"all is well")
        server.sendto(bytes(CoAP(type=2, code=68, msg_id=request.msg_id)), where)  # 2.04 Changed
        assert board.wait_for_end()["closed"] == "DELETED_BY_US"
    server.close()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_modbus(gateway, tmp_path, runtime):
    with example(gateway, tmp_path, "modbus", runtime) as board:
        address = board.wait_for("address")[0]["address"]
        board.wait_for("established")
        with inside(gateway.namespaces.gateway):
            asked = reach(address, 502)
        read = ModbusPDU03ReadHoldingRegistersRequest(startAddr=40, quantity=3)
        asked.sendall(bytes(ModbusADURequest(transId=7, unitId=9) / read))
        answer = ModbusADUResponse(asked.recv(1_000))
        assert (answer.transId, answer.unitId) == (7, 9)
        assert answer[ModbusPDU03ReadHoldingRegistersResponse].registerVal == [1_040, 1_041, 1_042]
        asked.sendall(bytes(ModbusADURequest(transId=8) / ModbusPDU04ReadInputRegistersRequest()))
        assert asked.recv(1_000)[7:] == bytes((0x84, 1))  # no such function
        asked.close()
        assert board.wait_for_end()["closed"] == "DELETED_BY_US"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_library(gateway, tmp_path, runtime):
    with inside(gateway.namespaces.gateway):
        service = listening(INNER, 7)
    with example(gateway, tmp_path, "library", runtime) as board:
        asked, _ = service.accept()
        asked.settimeout(60)
        assert asked.recv(100) == b"hello\n"
        asked.sendall(b"hello to you\n")
        assert asked.recv(100) == b""
        asked.close()
        assert board.wait_for_end()["closed"] == "DELETED_BY_US"
    service.close()
