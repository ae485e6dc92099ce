"""Programs on the board reach Linux behind a real strongSwan, and are reached by it."""

import socket
from pathlib import Path

import pytest

from host_tools.peers.inside import inside, listening, reach
from host_tools.peers.network import INNER
from host_tools.peers.strongswan import connection
from tests.interop import board as boards

PROGRAM = Path(__file__).with_name("net_program.py")


@pytest.mark.parametrize(
    ("runtime", "esp"),
    [("cpython", "aes128-sha256"), ("cpython", "aes256gcm16"), ("vm", "aes128-sha256")],
)
def test_udp_and_tcp_both_ways(gateway, tmp_path, runtime, esp):
    gateway.configure(connection(esp=esp))
    words = ("--runtime", runtime, "--heap", "118k", "--program", PROGRAM)
    with inside(gateway.namespaces.gateway):
        udp, tcp = listening(INNER, 7001, socket.SOCK_DGRAM), listening(INNER, 7002)
        with boards.Board(gateway.namespaces, tmp_path, boards.initiator(esp=esp), *words) as board:
            data, where = udp.recvfrom(2_000)
            udp.sendto(data, where)
            assert udp.recvfrom(2_000)[0] == b"one datagram came back"
            echo, _ = tcp.accept()
            echo.settimeout(60)
            count = 0
            while data := echo.recv(65_536):
                count += len(data)
                echo.sendall(data)
            assert count == 20_000
            echo.close()
            asked = reach(where[0], 7003)
            for size in (1, 1_000, 3_000):
                asked.sendall(b"z" * size)
                got = b""
                while len(got) < size:
                    got += asked.recv(65_536)
                assert got == b"z" * size
            asked.close()
            result = board.wait_for_end()
        udp.close()
        tcp.close()
    assert result["established"] and result["closed"] == "DELETED_BY_US", result
    row = board.events("inner_path")[0]
    assert row["address"] == where[0]
    if runtime == "vm":
        assert 576 <= row["mtu"] < 1_000  # a packet is a small part of what is free
    else:
        assert row["mtu"] == {"aes128-sha256": 1422, "aes256gcm16": 1438}[esp]
    assert not board.events("drop") or {each["reason"] for each in board.events("drop")} == {163}  # 7003, too early
