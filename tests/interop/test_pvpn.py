"""pvpn, a VPN server of somebody else's in pure Python, as the gateway: its IKE and ESP share no line with ours, with
strongSwan or with OpenSSL. It prints each echo request that it decrypts, and answers none."""

import re
import subprocess
import sys
import time

import pytest

from host_tools.peers.network import Namespaces
from tests.interop import board as boards

SECRET = "a key that nobody guesses"
GROUPS = ["ecp256", "modp2048"]  # its X25519 fails in itself
START_S = 10.0


class Pvpn:
    """The server, in the gateway's namespace."""

    def __init__(self, namespaces, directory):
        self._command = Namespaces.command(namespaces.gateway, sys.executable, "-u", "-m", "pvpn", "-p", SECRET, "-v")
        self._path = directory / "pvpn.log"

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdout=self._path.open("w"), stderr=subprocess.STDOUT)
        self.wait_for("Serving on UDP")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)

    def wait_for(self, pattern):
        """All that it printed, once that is in it."""
        deadline = time.monotonic() + START_S
        while not re.search(pattern, self._path.read_text()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"pvpn never wrote {pattern!r}\n{self._path.read_text()}")
            time.sleep(0.05)
        return self._path.read_text()


@pytest.fixture(scope="module")
def apart():
    """A network without strongSwan, which has the ports."""
    with Namespaces("-p") as made:
        yield made


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_pvpn_decrypts_what_we_send(apart, tmp_path, runtime, group):
    text = boards.initiator(ike=f"aes128-sha256-{group}", remote_id="pvpn-0.2.5", psk=SECRET)
    words = ("--runtime", runtime, "--heap", "111k")
    with Pvpn(apart, tmp_path) as server, boards.Board(apart, tmp_path, text, *words) as board:
        (up,) = board.wait_for("child_up")
        assert board.wait_for("address")[0]["address"] == "1.0.0.1"
        board.type(do="ping", to="10.1.0.1", count=3, interval_ms=100, size=64)
        said = server.wait_for(r"ECHO .* Seq=3 ")
        echoes = re.findall(r"ECHO 192\.0\.2\.2 -> 10\.1\.0\.1 Id=(\d+) Seq=(\d+) Data=(b.*)", said)
        assert [int(sequence) for _, sequence, _ in echoes] == [1, 2, 3] and len({ident for ident, _, _ in echoes}) == 1
        assert all(f"{data}" == repr(bytes(range(64))) for _, _, data in echoes)
        board.type(do="rekey", what="child")
        (row,) = board.wait_for("child_rekeyed")
        assert row["old"] == up["spi_in"] and row["ours"]
        board.type(do="rekey", what="ike")
        assert board.wait_for("ike_rekeyed")[0]["ours"]
        board.wait_for("ping", 3)
        board.type(do="ping", to="10.1.0.1", count=1, size=8)  # with the new keys
        server.wait_for(r"ECHO .* Seq=1 Data=b'\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\x07'\n")
        board.type(do="close")
        (closed,) = board.wait_for("closed")
        assert closed["reason"] == 91
        server.wait_for(r"INFORMATIONAL\(.*DELETE\(IKE\(\)\)\)")
