"""The stages of a proof: which there are, what goes onto the device for them, and what their lines mean."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from host_tools import authority, demo, image, shorten
from host_tools.bench import CERTIFICATES, SUITES
from host_tools.esp32.repl import GuestError, Repl, ReplError
from uike import iana

PLATFORM = "esp32"
DIRECTORY = "/uike_proof"  # on the device: everything of ours, and nothing else
GUEST = Path(__file__).parent / "guest"
CASES = "cases.jsonl"
PART_MAX = 400_000  # bytes of vectors at a time
PACKET_SIZES = (64, 512, 1400)  # bytes of the inner packets
SILENCE_S = 900  # the longest that one primitive may take, on a slow emulator
PSK_HEX = "5a" * 32
SIGNATURES = (  # name, kind of key, algorithm as `uike.pki.signature` has it
    ("RSA-2048 PKCS #1 SHA2-256", "rsa2048", iana.RSASSA_PKCS1 + iana.SHA2_256),
    ("ECDSA P-256 SHA2-256", "p256", iana.ECDSA + iana.SHA2_256),
    ("Ed25519", "ed25519", iana.EDDSA + iana.HASH_IDENTITY),
)

# An emulator takes long for each read of its flash: mounted again so that a read is of half a block (4 KB of heap).
LONG_READS = """
import vfs
from flashbdev import bdev
vfs.umount("/")
vfs.mount(vfs.VfsLfs2(bdev, readsize=512, progsize=512), "/")
"""


_NAMES_SAID = re.compile(r"(?<=, in )\w+|(?<=')\w+(?=')")


class Result(NamedTuple):
    """One line of a stage. kind: "figure" (value and unit), "ok", "wrong" (why in `unit`)."""

    stage: str
    kind: str
    name: str
    value: str = ""
    unit: str = ""


class Run(NamedTuple):
    """One program on the device, on a fresh heap: the stage, a title, the guest module and its arguments as source."""

    stage: str
    title: str
    module: str
    arguments: str
    measures_heap: bool = False

    def source(self, names: shorten.Names, slow_flash: bool) -> str:
        """The program, in the image's names. The heap is measured before anything of ours is there."""
        text = (
            "import gc, sys\ngc.collect()\nfree = gc.mem_free()\n"
            f"{LONG_READS if slow_flash and not self.measures_heap else ''}"
            f"sys.path.insert(0, {DIRECTORY!r})\n"
            f"from proof.{self.module} import run\nrun({self.arguments})\n"
        )
        return names.shorten(text, self.module)


def plan(provider: str, wifi: tuple[str, str] | None, cases: list[dict]) -> list[Run]:
    """Every program, in order. `provider` is "soft", "esp32" or "esp32-lax" (`guest/measure.py`)."""
    crypto = repr(provider)
    runs = [Run("heap", "memory", "heap", f"{crypto}, free", True)]
    runs.append(Run("selftest", "self-test", "selftest", crypto))
    if cases:
        runs.append(Run("vectors", "published vectors", "vectors", f"{crypto}, {DIRECTORY + '/' + CASES!r}"))
    runs.append(Run("primitives", "primitives", "primitives", crypto))
    keys = [(name, algorithm, authority.der(authority.private_key(kind)).hex()) for name, kind, algorithm in SIGNATURES]
    runs.append(Run("signatures", "signatures", "signatures", f"{crypto}, {keys!r}"))
    runs.append(Run("packets", "ESP packets", "packets", f"{crypto}, {PACKET_SIZES!r}"))
    runs.append(_handshake(crypto, "first", *SUITES[0]))
    runs += [_handshake(crypto, "handshake", *suite) for suite in SUITES]
    runs += [_handshake(crypto, "certificates", *SUITES[0], kind) for kind in CERTIFICATES]
    if wifi:  # the last one: its driver keeps memory until the next power-on
        runs.append(Run("wifi", "memory with Wi-Fi", "wifi", f"{crypto}, {wifi[0]!r}, {wifi[1]!r}", True))
    return runs


_HANDSHAKES = {  # stage: its title. Of the two engines on a board both have their code in memory, or neither
    "first": "PSK handshake that loads its code",
    "handshake": "PSK handshake, its code in memory",
    "certificates": "handshake with certificates, a root and what it issued",
}


def _handshake(crypto: str, stage: str, ike: str, esp: str, kind: str = "") -> Run:
    trees = demo.configurations(PSK_HEX, ike, esp, kind)
    name = f"{ike}, {kind}" if kind else ike
    warm = stage != "first"
    return Run(stage, _HANDSHAKES[stage], "handshake", f"{crypto}, {name!r}, {trees!r}, {warm}")


def parts(cases: list[dict]) -> list[list[dict]]:
    """The vectors in parts that a flash has room for; one, if it is empty, without any."""
    found, size = [[]], 0
    for case in cases:
        size += len(json.dumps(case)) + 1
        if size > PART_MAX:
            found.append([])
            size = len(json.dumps(case)) + 1
        found[-1].append(case)
    return found


def unanswered(cases: list[dict], results: list[Result]) -> list[Result]:
    """A wrong answer for each vector that the device was given and said nothing of: a line may be lost on its way."""
    answered = {result.name for result in results}
    return [Result("vectors", "wrong", case["name"], "", "no answer") for case in cases if case["name"] not in answered]


def files(built: image.Image, cases: list[dict], runner: Path | None, march: str | None = None) -> dict[str, bytes]:
    """Path to contents of all that goes below `DIRECTORY`: the firmware, the guest's programs, the vectors."""
    found = {str(path.relative_to(built.directory)): path.read_bytes() for path in built.directory.rglob("*.mpy")}
    texts = {f"proof.{path.stem}": path.read_text() for path in GUEST.glob("[a-z]*.py")}
    if cases and runner:
        texts["guest_vectors"] = runner.read_text()
        found[CASES] = "".join(json.dumps(case) + "\n" for case in cases).encode()
    return found | image.compile_modules(texts, platform=PLATFORM, march=march)


def parse(stage: str, line: str) -> Result | None:
    """What a line says; None for a line that is no result."""
    kind, *fields = line.split("\t")
    if {"figure": 3, "ok": 1, "wrong": 2}.get(kind) != len(fields):
        return None
    name, value, unit = (fields + ["", ""])[:3] if kind != "wrong" else (fields[0], "", fields[1])
    return Result(stage, kind, name, value, unit)


def readable(text: str, symbols: dict[str, str]) -> str:
    """What the device says of an exception, in the firmware's own names instead of the image's."""
    return _NAMES_SAID.sub(lambda found: symbols.get(found[0], found[0]), text)


def execute(
    repl: Repl,
    run: Run,
    names: shorten.Names,
    on_result: Callable[[Result], None],
    on_other: Callable[[str], None],
    slow_flash: bool = False,
) -> None:
    """Runs one program on a fresh heap. A program that fails, or says nothing, is a wrong answer."""
    answers = 0

    def line(text):
        nonlocal answers
        result = parse(run.stage, text)
        if result:
            answers += 1
            on_result(result)
        elif text:
            on_other(text)

    try:
        repl.soft_reset()
        repl.run(run.source(names, slow_flash), line, SILENCE_S)
    except GuestError as error:
        said = readable(str(error), names.symbols)
        on_result(Result(run.stage, "wrong", run.title, "", said.splitlines()[-1]))
        on_other(said)
    except ReplError as error:
        on_result(Result(run.stage, "wrong", run.title, "", str(error)))
        repl.enter()
    else:
        if not answers:
            on_result(Result(run.stage, "wrong", run.title, "", "the program said nothing"))
