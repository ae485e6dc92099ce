"""An emulated chip: a QEMU that the user has, started on a flash file and stopped again.

The machine names and options are those of Espressif's QEMU and of its forks. `-icount` makes its clock count
instructions, so that a time read in the guest says how much was executed and is the same in every run. With a network
it goes with the PC's: a guest that waits for others must not reach its time limits before these have had the time.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import serial

MACHINES = {  # chip: further options
    "esp32": ("-icount", "shift=2,sleep=off,align=off"),
    "esp32c3": ("-icount", "shift=3,sleep=off,align=off"),
    "esp32s3": ("-icount", "shift=2,sleep=off,align=off"),
}
NETWORK = ("-nic", "user,model=esp32_wifi,net=192.168.4.0/24")  # where the emulator has a Wi-Fi: some forks do
INSTRUCTION_NS = {"esp32": 4, "esp32c3": 8, "esp32s3": 4}
_START_S = 10


class EmulatorError(Exception):
    """The emulator cannot be had; the text says why and what to do."""


def find(binary: str, chip: str) -> str:
    """The emulator's path. EmulatorError if it is not there, or has no such chip."""
    found = shutil.which(binary)
    if not found:
        raise EmulatorError(f"no emulator {binary}: name a qemu-system-xtensa or qemu-system-riscv32 with these chips")
    if chip not in MACHINES:
        raise EmulatorError(f"no emulated {chip}: there are {', '.join(MACHINES)}; use a board at a serial port")
    return found


def command(binary: str, chip: str, flash: Path, port: int, network: bool = False, forward: str = "") -> list[str]:
    """The command line of an emulated chip whose UART 0 is a TCP server on loopback. EmulatorError if impossible.

    `forward`: further words for its network, such as a way in."""
    return [
        find(binary, chip), "-machine", chip,
        "-drive", f"file={flash},if=mtd,format=raw",
        "-serial", f"tcp:127.0.0.1:{port},server,nowait",
        "-display", "none", "-monitor", "none",
        *((NETWORK[0], NETWORK[1] + forward) if network else MACHINES[chip]),
    ]  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(binary: str, chip: str, flash: bytes, network: bool = False):
    """A serial link to an emulated chip that has just been switched on; it is gone when the context ends."""
    with tempfile.TemporaryDirectory(prefix="uike-esp32-") as directory:
        path, port = Path(directory) / "flash.bin", _free_port()
        line = command(binary, chip, path, port, network)
        path.write_bytes(flash)
        with open(Path(directory) / "log", "w+b") as log:
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ)
            try:
                with _link(process, port, log) as link:
                    yield link
            finally:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _link(process: subprocess.Popen, port: int, log):
    end = time.monotonic() + _START_S
    while True:
        try:
            return serial.serial_for_url(f"socket://127.0.0.1:{port}")
        except serial.SerialException as error:
            if process.poll() is not None:
                log.seek(0)
                said = log.read().decode("utf-8", "replace").strip().splitlines()
                raise EmulatorError(f"the emulator ended: {said[-1] if said else process.returncode}") from error
            if time.monotonic() > end:
                raise EmulatorError("the emulator does not open its serial port") from error
            time.sleep(0.1)
