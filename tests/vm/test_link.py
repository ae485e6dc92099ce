"""The link in the VM: a big configuration into a board with its tunnel up, in the heap of a board, and what it costs."""

import json

import pytest

from host_tools import admin, demo
from host_tools import link as host
from host_tools.bench import vm as bench
from host_tools.emulator.board import EmulatedBoard
from host_tools.emulator.clock import VirtualClock
from host_tools.emulator.host import Host
from host_tools.emulator.network import Switch
from host_tools.provision_command import send
from host_tools.status_command import asked

HEAP = "111k"


class Port:
    """The serial port of a board in virtual time: bytes in as lines, what it prints out."""

    def __init__(self, clock, board):
        self.clock, self.host = clock, board.host
        self.printed = b""
        self.host.on_serial = self._hear

    def _hear(self, line):
        self.printed += line + b"\r\n"

    def write(self, data):
        for line in data.split(b"\n"):
            if line:
                self.host.type_line(line)

    def read(self, timeout_s):
        self.clock.run(lambda: self.printed, limit_ms=int(timeout_s * 1000) + 1)
        data, self.printed = self.printed, b""
        return data


class World:
    """A board and a gateway with their tunnel up."""

    def __init__(self):
        self.clock = VirtualClock()
        switch = Switch(self.clock, latency_ms=1)
        self.tree, theirs = demo.configurations(bench.PSK_HEX)
        self.boards = []
        for name, address, tree in (("board", demo.INITIATOR, self.tree), ("gateway", demo.GATEWAY, theirs)):
            files = {"config.json": json.dumps(tree).encode()}
            device = Host(name, self.clock, switch.attach(address), seed=1, files=files)
            self.boards.append(EmulatedBoard(device, "vm" if name == "board" else "cpython", heap=HEAP))
        self.host = self.boards[0].host
        for board in self.boards:
            board.start()
        self.link = host.Link(
            Port(self.clock, self.boards[0]), clock=lambda: self.clock.now() / 1000, draw=lambda below: 7
        )
        self.clock.run(limit_ms=3_000)
        self.link.hello()

    def used(self):
        """Bytes in use; what a stale word of the stack keeps alive comes and goes."""
        return min(self.link.request({"do": "status"})["heap"][0] for _ in range(8))

    def end(self):
        for board in self.boards:
            board.host.stop()
        self.clock.run(lambda: all(board.verdict for board in self.boards))
        assert self.boards[0].verdict.ok and not self.boards[0].violations, self.boards[0].verdict


@pytest.fixture
def world():
    made = World()
    yield made
    made.end()


def test_a_configuration_of_five_kilobytes_beside_a_tunnel(world):
    """Eight connections with long keys; it is stored, nothing of it stays in the heap, and the tunnel is untouched."""
    tables = {f"branch-{i}": {**world.tree["connection"]["hq"], "psk_hex": "a5" * 160} for i in range(8)}
    blobs = {"config.json": json.dumps({"connection": tables}).encode(), "network.json": b"{}"}
    assert 4_700 < len(blobs["config.json"]) < host.link.REQUEST_MAX
    assert not send(world.link, blobs, None)["admin"]
    before = world.used()  # the names in the code that did it stay interned
    send(world.link, blobs, None)
    assert {name: world.host.files[name] for name in blobs} == blobs
    assert world.used() - before <= 512  # the collector is conservative
    status = asked(world.link)
    assert [len(sa["children"]) for sa in status["sas"]] == [1]


def test_the_admin_secret(world):
    blobs = {"config.json": json.dumps(world.tree).encode(), "network.json": b"{}"}
    send(world.link, {**blobs, "admin": admin.key("open sesame")}, None)
    for number, secret in (
        (128, None),
        (129, "wrong one"),
        (129, "wrong one"),
        (129, "wrong one"),
        (130, "open sesame"),
    ):
        with pytest.raises(host.CommandError) as refused:
            send(world.link, blobs, secret)
        assert refused.value.answer["reason"] == number
    world.clock.run(limit_ms=refused.value.answer["wait"])
    assert send(world.link, blobs, "open sesame")["admin"]


def test_what_a_board_has_no_use_for(world):
    for body, text in ((b'{"connection": {}}', "no connection"), (b"{", "syntax"), (b"[]", "not a table")):
        with pytest.raises(host.CommandError, match=text):
            send(world.link, {"config.json": body}, None)
    with pytest.raises(host.CommandError, match="no such file"):
        send(world.link, {"seed": b"x"}, None)
    assert json.loads(world.host.files["config.json"]) == world.tree
