"""Captures: scapy reads what we write; keys leave a recording only if the board put them there."""

import io
import json
import os
import struct

import pytest
from click.testing import CliRunner
from scapy.contrib.ikev2 import IKEv2
from scapy.layers.inet import IP, UDP
from scapy.utils import PcapNgReader

from host_tools import demo
from host_tools.capture import datagrams, keys, pcapng
from host_tools.cli import main
from host_tools.emulator.board import EmulatedBoard
from host_tools.emulator.clock import VirtualClock
from host_tools.emulator.host import Host
from host_tools.emulator.network import Switch
from host_tools.records import parse
from tests.handshake import events, lifetime, line
from uike import config, event

WHERE = b"\xc0\0\2\2\x11\x94" + b"\xc0\0\2\1\x11\x94"


def read(data):
    return list(PcapNgReader(io.BytesIO(data)))


def test_a_datagram_comes_out_as_it_went_in():
    payload = bytes(range(251))
    packet = pcapng.udp(("192.0.2.2", 4500), ("192.0.2.1", 61_000), payload)
    found = read(pcapng.build([pcapng.Packet(1_700_000_000_123_456, packet, "a comment")]))
    assert len(found) == 1 and bytes(found[0]) == packet and float(found[0].time) == pytest.approx(1_700_000_000.123456)
    assert found[0].comments == [b"a comment"]
    again = IP(packet)
    assert (again.src, again.dst, again[UDP].sport, again[UDP].dport) == ("192.0.2.2", "192.0.2.1", 4500, 61_000)
    assert bytes(again[UDP].payload) == payload
    sums = again.chksum, again[UDP].chksum
    del again.chksum, again[UDP].chksum
    again = IP(bytes(again))
    assert (again.chksum, again[UDP].chksum) == sums


def test_messages_without_datagrams():
    world, _ = lifetime()
    found = datagrams.packets(events(world.board))
    assert not datagrams.as_they_were(events(world.board)) and len(found) == 6
    wire = [data for sender, data, port in world.wire]
    assert [bytes(IP(each.data)[UDP].payload) for each in found[:2]] == [bytes(each) for each in wire[:2]]
    assert [bool(each.comment) for each in found] == [False, False, True, True, True, True]
    assert found[2].comment.endswith(f"encrypted, {len(wire[2]) - 4} bytes")
    opened = IKEv2(bytes(IP(found[2].data)[UDP].payload)[4:])
    assert opened.exch_type == 35 and opened.length == len(bytes(opened))


def test_datagrams_are_preferred():
    record = (event.DATAGRAM, b"\1" + WHERE + b"\0\0\0\0whatever")
    found = datagrams.packets([parse(line(record[0], 0, 77, record[1]))], 1_000)
    assert [(each.time_us, each.comment) for each in found] == [(78_000, "")]
    assert bytes(IP(found[0].data)[UDP].payload) == b"\0\0\0\0whatever"


def test_a_capture_of_a_live_board(tmp_path):
    path = tmp_path / "board.trace"
    body = b"\1" + WHERE + b"\0\0\0\0whatever"
    path.write_bytes(b"\n".join(line(event.DATAGRAM, 0, time_ms, body) for time_ms in (70, 1_070)))
    done = CliRunner().invoke(main, ["debug", "-r", str(path), "--format", "pcapng"])
    assert done.exit_code == 0, done.output
    found = read(done.stdout_bytes)
    assert [bytes(each[UDP].payload) for each in found] == [b"\0\0\0\0whatever"] * 2
    assert float(found[1].time - found[0].time) == 1.0


def test_keys_of_ciphers_that_wireshark_does_not_know():
    key = struct.pack(">HBHB", 28, 36, 0, 0) + bytes(36)
    head = bytes(8) + b"rrrrrrrr" + bytes((0, 0x20, 35, 8)) + bytes(8)
    message = b"\1" + WHERE + b"\1\0\x50" + head
    found = [parse(line(*each)) for each in ((event.KEYS, 0, 1, key),) * 2 + ((event.MESSAGE, 1, 2, message),)]
    assert keys.tables(found) == keys.Tables([], [], 1)


def test_no_keys_without_the_boards_word(tmp_path):
    path = tmp_path / "board.trace"
    path.write_bytes(line(event.GREETING, 0, 1, b"uike"))
    words = ["pcap", str(path), "-o", str(tmp_path / "out.pcapng"), "--keys", str(tmp_path / "profile")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1 and "trace_keys = true" in done.stderr and not (tmp_path / "profile").exists()
    assert read((tmp_path / "out.pcapng").read_bytes()) == []


def test_the_tables_are_for_their_owner_only(tmp_path):
    keys.write(tmp_path / "profile", keys.Tables(["a"], ["b"], 0))
    for name in ("ikev2_decryption_table", "esp_sa"):
        assert os.stat(tmp_path / "profile" / name).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("switch", ["trace_datagrams", "trace_keys"])
@pytest.mark.parametrize("value", [1, "yes", None])
def test_the_switches_are_flags(switch, value):
    with pytest.raises(config.ConfigError) as caught:
        config.load({"connection": {}, switch: value})
    assert (caught.value.key, caught.value.allowed) == (switch, "true or false")


@pytest.mark.parametrize(
    ("switches", "wanted"),
    [
        ({}, set()),
        ({"trace_datagrams": True}, {"datagram"}),
        ({"trace_keys": True}, {"keys"}),
        ({"trace_keys": False}, set()),
    ],
)
def test_a_board_tells_what_it_is_asked_to(switches, wanted):
    found = board_with(switches)
    assert {each.name for each in found} & {"datagram", "keys"} == wanted


def test_the_console_asks_for_datagrams_too():
    found = board_with({}, b'{"do": "datagrams"}')
    exchanges = [each.fields["data"][22] for each in found if each.name == "datagram"]
    assert exchanges == [37, 37]  # from then on: the Delete, behind its marker


def board_with(switches, *commands):
    """The events of a board with these switches in its configuration, which connects to another one and ends."""
    clock = VirtualClock()
    switch = Switch(clock)
    ours, theirs = demo.configurations("0123456789abcdef")
    lines, boards = [], []
    for address, tree in ((demo.GATEWAY, theirs), (demo.INITIATOR, {**ours, **switches})):
        host = Host(address, clock, switch.attach(address), seed=1, files={"config.json": json.dumps(tree).encode()})
        boards.append(EmulatedBoard(host, "cpython"))
    boards[1].host.on_line = lines.append
    for each in boards:
        each.start()
    for line_typed in commands:
        clock.after(500, lambda line_typed=line_typed: boards[1].host.type_line(line_typed))
    clock.after(1_000, lambda: boards[1].host.type_line(b'{"do": "quit"}'))
    clock.run(lambda: boards[1].verdict, limit_ms=10_000)
    for each in boards:
        each.stop(2.0)
    return [found for found in map(parse, lines) if found]
