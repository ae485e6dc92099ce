"""What `uike flash` and `uike fleet` do to one board: MicroPython and firmware in, its settings and its store kept."""

import base64
import contextlib
import json
import time
from pathlib import Path
from typing import NamedTuple

from host_tools import boards, cache, image, ports
from host_tools.esp32 import appliance, bootloader, flash
from host_tools.link import Link, LinkError

START_S = 60.0  # from a restart to the first answer: the first boot formats, tests and joins
_KEPT_PARTITIONS = ("nvs", "phy_init")


class InstallError(Exception):
    """The board is not what it should be; the text says why and what to do."""


class Job(NamedTuple):
    """What goes onto a board. `blobs` are its configuration, None to leave it as it is; `erase`: nothing is kept."""

    board: boards.Board
    official: bytes
    built: image.Image
    blobs: dict[str, bytes] | None = None
    erase: bool = False


def install(port: str, job: Job, say=lambda text: None) -> dict:
    """Writes the flash; returns what it was. Raises InstallError, bootloader.BootloaderError and flash.FlashError."""
    with bootloader.connected(port, say) as loader:
        size = _checked(loader, job.board)
        identity = loader.identity()
        backup = cache.directory("store") / f"{identity.replace(':', '')}.json"
        kept = {} if job.erase else _kept(loader, size, backup, say)
        files = {**appliance.program(job.built), **_store(job, kept)}
        place = flash.file_system_place(job.official, size)
        parts = [*_segments(job.official), (place.offset, flash.file_system(files, place.size))]
        if job.erase:
            say("erasing the whole flash")
            loader.erase()
        say(f"writing MicroPython {job.board.micropython.version} and the firmware, {len(files)} files")
        loader.write(parts)
        say("verified; restarting")
        loader.restart()
    backup.unlink(missing_ok=True)
    return {"mac": identity, "chip": job.board.chip, "flash": size, "files": len(files), "kept": sorted(kept)}


def _checked(loader, board) -> int:
    """Bytes of flash of the right board."""
    if loader.chip != board.chip:
        raise InstallError(
            f"this chip is an {loader.chip}, and {board.name} has an {board.chip}: name another BOARD (uike boards)"
        )
    size = loader.flash_size() or board.flash_mb << 20
    if size < board.flash_mb << 20:
        raise InstallError(f"this board has {size >> 20} MB of flash, and {board.name} has {board.flash_mb}")
    return size


def _kept(loader, size: int, backup: Path, say) -> dict[str, bytes]:
    """The files of the store that the board has, or had when the last try was cut off.

    They are beside us until the new file system is written: a cable that is pulled meanwhile costs nothing."""
    rows = flash.table(loader.read(flash.TABLE_AT, flash.TABLE_LENGTH))
    found = {}
    with contextlib.suppress(flash.FlashError):
        if rows:
            place = flash.place_of_files(rows, size)
            read = lambda offset, length: loader.read(place.offset + offset, length)  # noqa: E731
            found = flash.stored_files(read, place.size, appliance.STORE)
    if not found and backup.exists():
        say("its configuration is taken from the last try, which was cut off")
        text = json.loads(backup.read_text())
        return {name: base64.b64decode(data) for name, data in text.items()}
    if found:
        text = json.dumps({name: base64.b64encode(data).decode() for name, data in found.items()})
        cache.write_file(backup, text.encode())  # for its owner's eyes only
    return found


def _store(job: Job, kept: dict[str, bytes]) -> dict[str, bytes]:
    """The files of the new store: those that were there, but for what is new."""
    fresh = {"board.json": json.dumps({"board": job.board.name}).encode(), **(job.blobs or {})}
    stale = {f"{appliance.STORE}/{name}{end}" for name in fresh for end in ("", ".old", ".new")}
    rest = {name: data for name, data in kept.items() if name not in stale}
    return {**rest, **{f"{appliance.STORE}/{name}": appliance.stored(data) for name, data in fresh.items()}}


def _segments(official: bytes) -> list[tuple[int, bytes]]:
    """The official image without the partitions that belong to the board."""
    start = flash.chip_of(official).offset
    parts, at = [], start
    for row in sorted(flash.partitions(official), key=lambda row: row.offset):
        if row.label in _KEPT_PARTITIONS and at <= row.offset < start + len(official):
            parts.append((at, official[at - start : row.offset - start]))
            at = row.offset + row.size
    parts.append((at, official[at - start :]))
    return [part for part in parts if part[1]]


def wait_for_greeting(port: str, on_line=lambda line: None, start_s: float = START_S) -> str:
    """What the firmware says of itself, once it runs. InstallError when it does not in time."""
    until = time.monotonic() + start_s
    while True:
        try:
            with ports.opened(port) as opened:
                link = Link(opened, on_line)
                while True:
                    try:
                        greeting = link.hello(2)
                        link.close()
                        return greeting
                    except LinkError:
                        if time.monotonic() > until:
                            raise
        except (ports.PortError, LinkError):  # a USB port goes away with a restart, and comes back
            if time.monotonic() > until:
                raise InstallError(
                    f"written and verified, but no answer {start_s:.0f} s after the restart: press RESET; see what it"
                    " prints with uike debug"
                ) from None
            time.sleep(0.2)
