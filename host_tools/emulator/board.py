"""An emulated board: the firmware's entry on a runtime, on a Host, in a thread of its own."""

import importlib.util
import sys
import threading
import traceback
from pathlib import Path

from host_tools import image as images
from host_tools.emulator.host import Host
from host_tools.emulator.vm import FUEL_LIMIT, Verdict

RUNTIMES = ("vm", "cpython")
STOP_TIMEOUT_S = 10.0


class EmulatedBoard:
    """`start()` it, read its console through `host.on_line`, and read `verdict` when it has ended.

        board = EmulatedBoard(Host("a", clock, switch.attach("192.0.2.1"), files={"config.json": b"..."}))
        board.start()

    runtime "vm": the folded image inside the MicroPython VM with `heap` bytes ("96k"). runtime "cpython": the source
    files. `entry`, a function of one Board, replaces the firmware's main on CPython (tests).
    """

    def __init__(
        self,
        host: Host,
        runtime: str = "vm",
        *,
        heap: str = "111k",
        wasm: Path | None = None,
        image: images.Image | None = None,
        fuel_limit: int = FUEL_LIMIT,
        entry=None,
    ):
        if runtime not in RUNTIMES:
            raise ValueError(f"runtime {runtime!r}: one of {', '.join(RUNTIMES)}")
        self.host = host
        self.runtime = runtime
        self.verdict: Verdict | None = None
        self.on_end = lambda: None  # called in the board's thread when it has ended
        self._entry = entry
        self._vm = None
        self._partial = b""
        self._thread = threading.Thread(target=self._work, name=f"board {host.name}", daemon=True)
        if runtime == "vm":
            image = image or images.build()
            self._make_vm = lambda: self._new_vm(heap, wasm, image, fuel_limit)
            self._make_vm()
        if host.clock.virtual:
            host.clock.add(host)

    def _new_vm(self, heap, wasm, image, fuel_limit) -> None:
        from host_tools.emulator.door import HostDoor
        from host_tools.emulator.vm import Vm

        door = HostDoor(self.host)
        self._vm = Vm(
            [(str(image.directory), ".")],
            door,
            heap=heap,
            fuel_limit=fuel_limit,
            wasm=wasm,
            clock_ns=self.host.clock.now_ns,
            on_output=self._printed,
        )
        door.fuel = lambda: self._vm.fuel

    @property
    def fuel(self) -> int | None:
        """Instructions executed, once the board has ended; None on CPython."""
        return self._vm.fuel if self._vm and self.verdict else None

    def fuel_now(self) -> int | None:
        """Instructions executed so far; in the board's own thread only, as `host.on_line` is called."""
        return self._vm.fuel if self._vm else None

    @property
    def violations(self) -> list[str]:
        """Requests of the VM that its door refused; a healthy firmware has none."""
        return self._vm.violations if self._vm else []

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False when the board still runs. Real time only."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> Verdict | None:
        """Ask it to stop, then end it by force (a VM; a CPython thread is left behind). Real time only."""
        self.host.stop()
        if not self.join(timeout_s) and self._vm:
            self._vm.kill()
            self.join(timeout_s)
        return self.verdict

    def _work(self) -> None:
        self.host.clock.enter(self.host)
        try:
            verdict = self._run()
            while self.host.restarting and verdict.ok:
                self._switch_on_again()
                verdict = self._run()
            self.verdict = verdict
        except BaseException as error:  # a fault of ours must reach whoever waits for the verdict
            self.verdict = Verdict("host", f"{type(error).__name__}: {error}", traceback.format_exc())
        finally:
            if self._partial:
                self._printed(1, b"\n")
            self.host.close()
            self.on_end()
            self.host.clock.leave(self.host)

    def _run(self) -> Verdict:
        return self._vm.run() if self._vm else self._run_source()

    def _switch_on_again(self) -> None:
        """Everything but the store is as it was at the first power-on; the clock goes on."""
        self.host.begin()
        if self._vm:
            self._make_vm()

    def _run_source(self) -> Verdict:
        _firmware_on_path()
        from uike.hal.cpython.board import Board

        try:
            (self._entry or firmware_main())(Board(self.host))
        except Exception as error:
            return Verdict("exception", f"{type(error).__name__}: {error}", traceback.format_exc())
        return Verdict("finished", "the program ended")

    def _printed(self, descriptor: int, data: bytes) -> None:
        """Whole lines of what the VM prints are console lines like any other."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self.host.say(line)


def firmware_main():
    """The function `main(board)` of the firmware's main.py, from its source file."""
    _firmware_on_path()
    spec = importlib.util.spec_from_file_location("uike_main", images.FIRMWARE / "main.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def _firmware_on_path() -> None:
    if importlib.util.find_spec("uike") is None:
        sys.path.append(str(images.FIRMWARE))
