"""Boards: `boards/*/board.toml`, checked, and `uike boards`, which lists them."""

import dataclasses
import json
import re
import tomllib
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.table import Table

from host_tools import carried
from host_tools.esp32.flash import CHIPS
from uike import config

DIRECTORY = carried.folder("boards")
EMULATED = "emulated"
PHYS = ("LAN8710", "LAN8720", "IP101", "RTL8201", "DP83848", "KSZ8041", "KSZ8081", "GENERIC")  # network.PHY_...
MHZ = {"esp32": (80, 160, 240), "esp32s2": (80, 160, 240), "esp32s3": (80, 160, 240)}
ACCELERATORS = {"sha", "aes", "mpi", "ecc"}
_MARCH = {chip.name: chip.march for chip in CHIPS.values()} | {EMULATED: None}


class BoardError(Exception):
    """There is no such board, or its file is refused; the text says what is allowed."""


@dataclasses.dataclass(frozen=True)
class MicroPython:
    """The official image of a board. `sha256` is "" when nobody has checked one."""

    version: str
    file: str
    sha256: str = ""


@dataclasses.dataclass(frozen=True)
class Ethernet:
    """A PHY on the chip's own MAC; `clock` is "in" or "out", pins are GPIO numbers."""

    phy: str
    address: int
    mdc: int
    mdio: int
    clock: str
    clock_pin: int
    power: int | None = None


@dataclasses.dataclass(frozen=True)
class Board:
    """See boards/README.md for the keys."""

    name: str
    title: str
    chip: str
    flash_mb: int
    heap: str
    accelerators: list
    proposals: list
    esp_proposals: list
    psram_mb: int = 0
    mhz: int | None = None
    led_pin: int | None = None
    led_low: bool = False
    safe_pin: int | None = None
    micropython: MicroPython | None = None
    ethernet: Ethernet | None = None

    @property
    def march(self) -> str | None:
        """The machine for native code; None for bytecode alone."""
        return _MARCH[self.chip]

    def settings(self) -> dict:
        """What the board has to know of itself, as uike/hal/esp32/board.py reads it."""
        found = {"board": self.name, "mhz": self.mhz, "led": self.led_pin, "led_low": self.led_low or None}
        found |= {"safe_pin": self.safe_pin, "ethernet": self.ethernet and dataclasses.asdict(self.ethernet)}
        return {key: value for key, value in found.items() if value is not None}

    def complete(self, tree: dict) -> dict:
        """A configuration in which connections without proposals have the board's."""
        ours = {"proposals": self.proposals, "esp_proposals": self.esp_proposals}
        tables = {name: {**ours, **table} for name, table in tree["connection"].items()}
        return {**tree, "connection": tables}


def names(directory: Path = DIRECTORY) -> list[str]:
    return sorted(path.parent.name for path in directory.glob("*/board.toml"))


def load(name: str, directory: Path = DIRECTORY) -> Board:
    """The board of that name. Raises BoardError."""
    if name not in names(directory):
        raise BoardError(f"no board {name}; there are {', '.join(names(directory))}")
    path = directory / name / "board.toml"
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        for key, kind in (("micropython", MicroPython), ("ethernet", Ethernet)):
            if key in tree:
                tree[key] = _made(kind, tree[key], f"[{key}] ")
        board = _made(Board, {"name": name, **tree}, "")
        _check(board)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError) as error:
        raise BoardError(f"{path}: {error}") from None
    return board


def _made(kind, values, where):
    """An instance of a dataclass from a table. ValueError names the first key that is unknown, missing or wrong."""
    if not isinstance(values, dict):
        raise ValueError(f"{where}not a table")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in values:
        if key not in fields:
            raise ValueError(f"{where}{key}: unknown; allowed: {', '.join(fields)}")
    for key, field in fields.items():
        if key not in values:
            if field.default is dataclasses.MISSING:
                raise ValueError(f"{where}{key}: missing")
        elif not isinstance(values[key], field.type):
            raise ValueError(f"{where}{key}: not {getattr(field.type, '__name__', field.type)}")
    return kind(**values)


def _check(board: Board) -> None:
    rules = (
        (board.chip in _MARCH, f"chip: {board.chip}; allowed: {', '.join(_MARCH)}"),
        (board.flash_mb in (2, 4, 8, 16, 32), "flash_mb: 2, 4, 8, 16 or 32"),
        (re.fullmatch(r"[1-9]\d*k", board.heap), 'heap: kilobytes, as in "111k"'),
        (board.mhz in (None, *MHZ.get(board.chip, (80, 160))), "mhz: a frequency that the chip has, 160 or 240"),
        (set(board.accelerators) <= ACCELERATORS, f"accelerators: of {', '.join(sorted(ACCELERATORS))}"),
        ((board.micropython is None) == (board.chip == EMULATED), "[micropython]: for chips, and for those only"),
    )
    for holds, text in rules:
        if not holds:
            raise ValueError(text)
    if board.micropython and not re.fullmatch(r"([0-9a-f]{64})?", board.micropython.sha256):
        raise ValueError("[micropython] sha256: 64 hexadecimal digits")
    if board.ethernet and board.ethernet.clock not in ("in", "out"):
        raise ValueError('[ethernet] clock: "in" or "out"')
    if board.ethernet and board.ethernet.phy not in PHYS:
        raise ValueError(f"[ethernet] phy: one of {', '.join(PHYS)}")
    connection = {"role": "initiator", "remote": "192.0.2.1", "local_id": "a", "remote_id": "b", "psk": "c"}
    try:
        config.load(board.complete({"connection": {"any": connection}}))
    except config.ConfigError as error:
        raise ValueError(f"{error.key}: {error.problem}") from None


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object for all boards.")
def command(as_json):
    """List the boards: chip, memory, official MicroPython, default proposals.

    Example: uike boards --json
    """
    boards = [load(name) for name in names()]
    if as_json:
        click.echo(json.dumps({board.name: dataclasses.asdict(board) for board in boards}))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("board", "chip", "flash", "heap", "MicroPython", "engines", "what"):
        table.add_column(title, no_wrap=title != "what")
    for board in boards:
        version = (
            board.micropython.version + ("" if board.micropython.sha256 else " (unchecked)")
            if board.micropython
            else "-"
        )
        engines = " ".join(board.accelerators) or "-"
        table.add_row(board.name, board.chip, f"{board.flash_mb} MB", board.heap, version, engines, board.title)
    Console(width=None if Console().is_terminal else 140).print(table)
