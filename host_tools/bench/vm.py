"""What a handshake and a packet cost in the MicroPython VM: instructions and bytes of heap, exact and repeatable."""

import contextlib
import json
import struct
import tempfile
from base64 import b64decode
from pathlib import Path

from host_tools import demo, image
from host_tools.emulator.board import EmulatedBoard
from host_tools.emulator.clock import VirtualClock
from host_tools.emulator.host import Host
from host_tools.emulator.network import Switch
from host_tools.emulator.vm import run_script
from uike import event, iana

HERE = Path(__file__).parent
PSK_HEX = "5a" * 32
SEED = 1
LIMIT_MS = 20_000
_ESP = {
    "aes128-sha256": (iana.ENCR_AES_CBC, 16, iana.AUTH_HMAC_SHA2_256_128),
    "aes256-sha256": (iana.ENCR_AES_CBC, 32, iana.AUTH_HMAC_SHA2_256_128),
    "aes128gcm16": (iana.ENCR_AES_GCM_16, 20, 0),
    "aes256gcm16": (iana.ENCR_AES_GCM_16, 36, 0),
    "chacha20poly1305": (iana.ENCR_CHACHA20_POLY1305, 36, 0),
}


class BenchError(Exception):
    """A run that should have worked did not; there is nothing to report."""


@contextlib.contextmanager
def image_with(texts: dict[str, str]):
    """The firmware with modules {name: source} beside its own, or in their place."""
    with tempfile.TemporaryDirectory(prefix="uike-bench-") as directory:
        files, sizes = image.compile_image()
        image.write(files, Path(directory))
        image.write(image.compile_modules(texts), Path(directory))
        yield image.Image(Path(directory), "", sizes)


def metered_image():
    """The firmware with the benchmark's main in the place of its own."""
    texts = {"main": HERE / "metered_main.py", "meter": HERE / "meter.py"}
    return image_with({name: path.read_text() for name, path in texts.items()})


class Run:
    """Two VM boards in virtual time, from power-on to the tunnel and a quiet moment after it.

    `then` is what the initiator's console is told after that, one after the other: (command, the event that ends it).
    `kind`, of `authority.KINDS`: certificates with such keys take the place of the PSK.
    """

    def __init__(self, ike, esp, heap, *, image=None, measure=False, then=(), kind=""):
        self.clock = VirtualClock()
        switch = Switch(self.clock, latency_ms=1)
        self.fuel: dict[str, dict[int, int]] = {"initiator": {}, "responder": {}}  # event code -> instructions
        self.crypto: dict[str, tuple[int, int]] = {}
        self.idle: dict[str, int] = {}
        self.boards = {}
        configurations = demo.configurations(PSK_HEX, ike, esp, kind)
        for role, address, tree in zip(self.fuel, (demo.INITIATOR, demo.GATEWAY), configurations, strict=True):
            host = Host(
                role,
                self.clock,
                switch.attach(address),
                seed=SEED,
                files={"config.json": json.dumps(tree).encode()},
                measure=measure,
            )
            host.on_line = lambda line, role=role: self._line(role, line)
            self.boards[role] = EmulatedBoard(host, "vm", heap=heap, image=image)
        for board in self.boards.values():
            board.start()
        self.clock.run(self._idle, limit_ms=LIMIT_MS)
        for command, code in then:
            self.boards["initiator"].host.type_line(json.dumps(command).encode())
            self.clock.run(lambda code=code: all(code in seen for seen in self.fuel.values()), limit_ms=LIMIT_MS)
        for board in self.boards.values():
            board.host.stop()
        self.clock.run(lambda: all(board.verdict for board in self.boards.values()))
        if not self._idle():
            raise BenchError(f"{ike} {esp}, heap {heap}: {[board.verdict for board in self.boards.values()]}")

    def peak(self, role) -> int:
        """Most bytes in use after a collection, at any line of the trace."""
        return max(self.boards[role].host.heap_samples)

    def _idle(self):
        return len(self.idle) == 2

    def _line(self, role, line):
        if line.startswith(b"metered "):
            spent, overhead = line.split()[1:]
            self.crypto[role] = int(spent), int(overhead)
        elif line.startswith(b"#"):
            record = b64decode(line[1:])
            self.fuel[role].setdefault(record[0], self.boards[role].fuel_now())
            if record[0] == event.HEAP:
                self.idle[role] = struct.unpack_from(">I", record, 7)[0]

    def handshake(self, role) -> int:
        """Instructions from the first thought of the SA to its establishment."""
        return self.fuel[role][event.ESTABLISHED] - self.fuel[role][event.NEGOTIATING]


def handshake(ike: str, esp: str, heap: str = "111k", kind: str = "") -> dict:
    """Both roles of one suite: {"initiator": {...}, "responder": {...}}; instructions and bytes. Keys of certificates
    are new each time, so those figures differ a little."""
    with metered_image() as metered:  # it has to keep what it counts with: certificates do not fit beside that
        run = Run(ike, esp, "160k" if kind else heap, image=metered, kind=kind)
    sizes = Run(ike, esp, heap, measure=True, kind=kind)
    result = {}
    for role in run.fuel:
        crypto, overhead = run.crypto[role]
        fuel = run.handshake(role) - overhead
        result[role] = {
            "fuel": fuel,
            "crypto_fuel": crypto,
            "ratio": round(fuel / crypto, 3),
            "heap_peak": sizes.peak(role),
            "heap_idle": sizes.idle[role],
        }
    return result


def packets(esp: str, sizes: tuple[int, ...], heap: str = "111k") -> list[dict]:
    """One ESP packet of each size through the engine, out and in; instructions and net heap growth in bytes."""
    encr, key, integ = _ESP[esp]
    values = {
        "ENCR": encr,
        "ENCR_KEY": bytes(range(key)),
        "INTEG": integ,
        "INTEG_KEY": bytes(range(32)) if integ else b"",
        "SIZES": sizes,
    }
    suite = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    stdout, _, verdict = run_script(HERE / "packets_main.py", heap, {"suite": suite})
    if not verdict.ok:
        raise BenchError(f"{esp}: {verdict}")
    rows = [list(map(int, line.split())) for line in stdout.splitlines()]
    return [{"size": size, "fuel_out": out, "fuel_in": into, "growth": growth} for size, out, into, growth in rows]
