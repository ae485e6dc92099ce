"""What strongSwan spends on the same work as we do, in the same run and on the same core, by the kernel's own account.

Both are responders behind the same UDP sockets and the same kind of TUN device, in the same network namespace; the same
initiator, our engine on CPython, loads both from another one. What is compared is CPU time, user and system, of the
responder's process alone (/proc/PID/stat): waiting costs nothing, and the initiator's time is nobody's.

strongSwan gets what makes it fast: OpenSSL for every algorithm, as we have it, and no log. Its own counters must
confirm each packet.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from host_tools.bench import SIZES
from host_tools.peers.network import Namespaces
from host_tools.peers.strongswan import CHARON, PLUGINS, QUIET, Gateway, connection

PSK = "a key that nobody guesses"
IKE = "aes128-sha256-x25519"
ESP = ("aes128-sha256", "aes128gcm16")
HANDSHAKES = 1_000
ECHOES = 20_000
WARM_UP = 20  # of either, before the measurement
FAST = "openssl " + PLUGINS.replace(" openssl", "")
TICKS = os.sysconf("SC_CLK_TCK")


class _Program:
    """`host_tools.bench.wire` in a namespace."""

    def __init__(self, namespace: str, *words):
        self.process = subprocess.Popen(
            Namespaces.command(namespace, sys.executable, "-m", "host_tools.bench.wire", *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            text=True,
        )

    def hear(self):
        """Its next answer. RuntimeError with its last words when it has died."""
        line = self.process.stdout.readline()
        if not line:
            said = self.process.stderr.read().strip().splitlines() or ["no word"]
            raise RuntimeError(f"{' '.join(self.process.args[-5:])}: {said[-1]}")
        return json.loads(line)

    def ask(self, what):
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return self.hear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


class _StrongSwan:
    def __init__(self, namespaces):
        self.namespaces = namespaces

    @contextmanager
    def responder(self, esp: str):
        """(PID, counters): a charon that is ready."""
        with tempfile.TemporaryDirectory() as directory:
            with Gateway(self.namespaces, Path(directory), plugins=FAST, levels=QUIET) as gateway:
                gateway.configure(connection(ike=IKE, esp=esp, psk=PSK))
                yield gateway.pid, gateway.counters


class _Uike:
    def __init__(self, namespaces):
        self.namespaces = namespaces

    @contextmanager
    def responder(self, esp: str):
        """(PID, counters): our engine, ready."""
        with _Program(self.namespaces.gateway, "serve", PSK.encode().hex(), IKE, esp) as program:
            program.hear()
            yield program.process.pid, lambda: program.ask("counters")


def measure() -> dict:
    """The rows of the comparison. RuntimeError in one line when a figure cannot be had."""
    if os.geteuid() != 0:
        raise RuntimeError("the comparison with strongSwan needs root")
    if not Path(CHARON).exists():
        raise RuntimeError(f"no strongSwan to compare with: {CHARON} is missing (see make interop)")
    allowed = os.sched_getaffinity(0)
    core = max(allowed)
    os.sched_setaffinity(0, {core})  # and so everything that is started here
    try:
        with Namespaces("-bench") as namespaces:
            both = _StrongSwan(namespaces), _Uike(namespaces)
            rows = [_handshakes(namespaces, both)]
            rows += [_packets(namespaces, both, esp, size) for esp in ESP for size in SIZES]
    finally:
        os.sched_setaffinity(0, allowed)
    return {"core": core, "handshakes": HANDSHAKES, "packets": 2 * ECHOES, "rows": rows}


def _handshakes(namespaces, both) -> dict:
    """CPU milliseconds of the responder for IKE_SA_INIT, IKE_AUTH and the Delete."""
    costs = []
    for peer in both:
        with peer.responder(ESP[0]) as (pid, _), _load(namespaces, ESP[0]) as load:
            load.ask(WARM_UP)
            costs.append(_spent(pid, lambda load=load: load.ask(HANDSHAKES)) * 1000 / HANDSHAKES)
    return _row(f"PSK handshake, {IKE}: CPU ms", *(round(each, 3) for each in costs), "at most 1")


def _packets(namespaces, both, esp: str, size: int) -> dict:
    """ESP packets for a second of the responder's CPU; an echo is two of them, one in and one out."""
    rates = []
    for peer in both:
        with peer.responder(esp) as (pid, counters), _load(namespaces, esp, size) as load:
            load.ask(WARM_UP)
            seconds = _spent(pid, lambda load=load: load.ask(ECHOES))
            counted = counters()
            if {counted["packets-in"], counted["packets-out"]} != {WARM_UP + ECHOES}:
                raise RuntimeError(f"{type(peer).__name__[1:]} counts {counted} of {WARM_UP + ECHOES} packets each way")
            rates.append(round(2 * ECHOES / seconds))
    return _row(f"ESP {esp}, {size} bytes: packets a CPU second", *rates, "0.5 or more")


def _load(namespaces, *words) -> _Program:
    esp, *size = words
    return _Program(namespaces.board, "load", PSK.encode().hex(), IKE, esp, *size)


def _spent(pid: int, work) -> float:
    """CPU seconds of a process during `work`."""
    before = _cpu_s(pid)
    work()
    return _cpu_s(pid) - before


def _cpu_s(pid: int) -> float:
    """User and system time of a process and all its threads, in seconds (proc(5): fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _row(what: str, strongswan: float, uike: float, aim: str) -> dict:
    """A row of the table; `aim` is what the ratio, ours to strongSwan's, should be."""
    if not strongswan:
        raise RuntimeError(f"{what}: strongSwan spent no time that the kernel could measure")
    return {"what": what, "strongswan": strongswan, "uike": uike, "ratio": round(uike / strongswan, 2), "aim": aim}
