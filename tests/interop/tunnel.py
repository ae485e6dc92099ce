"""A tunnel between a board and strongSwan that lives on while a test does things to it, and whether both ends agree."""

import re
import subprocess
import time
from contextlib import contextmanager

from host_tools.peers.network import INNER, Namespaces
from host_tools.peers.strongswan import connection
from tests.interop import board as boards

TOWARDS_US = {
    "remote": "192.0.2.2",
    "pool": False,
    "ask_address": True,
    "local_ts": "dynamic",
    "remote_ts": "10.2.0.0/16",
}
NEVER = "rekey_time = 0\n"  # by itself
INTERVAL_S = {"cpython": 0.02, "vm": 0.1}
AGREE_S = 20.0  # replaced SAs linger for some seconds at both ends


class Tunnel:
    """Both ends of it. `role` is the board's."""

    def __init__(self, board, gateway, role, runtime):
        self.board = board
        self.gateway = gateway
        self.role = role
        self.runtime = runtime
        self._pinging = None
        self._count = 0

    def begin_pings(self, count):
        """Traffic at a short interval, from the board when it is the initiator, else from strongSwan's side."""
        self._count = count
        interval = INTERVAL_S[self.runtime]
        if self.role == "initiator":
            self.board.type(do="ping", to=INNER, count=count, interval_ms=round(1000 * interval))
            self.board.wait_for("ping", 3)
        else:
            command = ("ping", "-q", "-c", count, "-i", interval, "-W", "5", "10.2.0.1")
            command = Namespaces.command(self.gateway.namespaces.gateway, *command)
            self._pinging = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            time.sleep(3 * interval)

    def end_pings(self):
        """All of them were answered."""
        if self.role == "initiator":
            unanswered = [row for row in self.board.wait_for("ping", self._count) if not row["answered"]]
            assert not unanswered, unanswered
        else:
            out, _ = self._pinging.communicate(timeout=60)
            assert f"{self._count} packets transmitted, {self._count} received, 0% packet loss" in out, out

    def rekey(self, who, what):
        """One side replaces the "child" or the "ike" SA."""
        if who == "we":
            self.board.type(do="rekey", what=what)
        else:
            self.gateway.swanctl("--rekey", f"--{what}", {"child": "net", "ike": "peer"}[what])

    def children(self):
        """(SPI of ours, SPI of strongSwan's) of the Child SAs that are up, by our events and by strongSwan's word."""
        ours = {(row["spi_in"], row["spi_out"]) for row in self.board.events("child_up")}
        ours -= {(row["spi_in"], row["spi_out"]) for row in self.board.events("child_down")}
        raw = self.gateway.sas()
        theirs = {(out, into) for into, out in re.findall(r"spi-in=(\w+) spi-out=(\w+)", raw)}
        return ours, theirs

    def ike_sas(self):
        """The SPIs of the IKE SA that our events call the last, and of all that strongSwan has."""
        rows = self.board.events("ike_rekeyed")
        raw = self.gateway.sas()
        found = re.findall(r"state=(\w+) .*?initiator-spi=(\w+) responder-spi=(\w+)", raw)
        return (rows[-1]["spi_i"], rows[-1]["spi_r"]) if rows else None, found

    def agree(self, count=1):
        """Both ends come to have the same `count` Child SAs and one IKE SA. Returns the raw list of strongSwan's.

        After a collision strongSwan may keep one more IKE SA for a while, which it calls rekeyed and does not use."""
        deadline = time.monotonic() + AGREE_S
        while True:
            ours, theirs = self.children()
            last, sas = self.ike_sas()
            used = [row[1:] for row in sas if row[0] == "ESTABLISHED"]
            if ours == theirs and len(ours) == count and len(used) == 1 and last in (None, used[0]):
                return self.gateway.sas()
            if time.monotonic() > deadline:
                raise AssertionError(f"ours {ours} theirs {theirs}, IKE SA: ours {last} theirs {sas}")
            time.sleep(0.1)

    def cut(self, *who):
        """From here on nothing that "they" or "we" send arrives; the links stay up, so that neither notices."""
        for namespace, address, link in self._neighbours(who):
            words = ("neigh", "replace", address, "lladdr", "02:00:00:00:00:99", "nud", "permanent", "dev", link)
            _ip(namespace, *words)

    def mend(self, *who):
        """The end of `cut`."""
        for namespace, address, link in self._neighbours(who):
            _ip(namespace, "neigh", "delete", address, "dev", link)

    def _neighbours(self, who):
        made = self.gateway.namespaces
        sides = {"they": (made.gateway, "192.0.2.2", "gw0"), "we": (made.board, "192.0.2.1", "dev0")}
        return [sides[each] for each in who]


def _ip(namespace, *words):
    subprocess.run(["ip", "-n", namespace, *words], check=True, capture_output=True)


@contextmanager
def network_behind(namespaces, address):
    """One more address behind the gateway."""
    _ip(namespaces.gateway, "address", "add", f"{address}/32", "dev", "lo")
    try:
        yield
    finally:
        _ip(namespaces.gateway, "address", "delete", f"{address}/32", "dev", "lo")


@contextmanager
def tunnel(gateway, directory, runtime, role, ours="", configuration=None, **theirs):
    """A Tunnel that is up; at the end of the test the board closes it, and must not have failed.

    `ours` are further lines of the board's file, `configuration` changes of its keys, `theirs` those of
    strongSwan's `connection`."""
    make = {"initiator": boards.initiator, "responder": boards.responder}[role]
    gateway.configure(connection(**{**(TOWARDS_US if role == "responder" else {}), **theirs}))
    text = make(ours, **(configuration or {}))
    with boards.Board(gateway.namespaces, directory, text, "--runtime", runtime, "--heap", "111k") as board:
        if role == "responder":
            board.wait_for("greeting")
            gateway.swanctl("--initiate", "--child", "net", "--timeout", "20")
        board.wait_for("child_up")
        board.wait_for("established")
        yield Tunnel(board, gateway, role, runtime)
        result = board.finish()
    assert result["established"] and result["failure"] is None, result
