"""The flash of a board: an official MicroPython image, and a file system beside it in the place where it looks for one.

The facts about chips and offsets are Espressif's image and partition formats (ESP-IDF programming guide, "Firmware
Image Format" and "Partition Tables") and MicroPython's `ports/esp32/boards/*/board.json`.
"""

import struct
from collections.abc import Mapping
from typing import NamedTuple

from littlefs import LittleFS, LittleFSError, UserContext

BLOCK = 4096  # bytes that are erased together
SIZE = 4 << 20  # bytes of the smallest flash of the boards that we support
ERASED = b"\xff"

_MAGIC = 0xE9
_CHIP_ID_AT = 12
TABLE_AT = 0x8000  # in flash, where every official image has its partition table
TABLE_LENGTH = 0xC00
_ROW = struct.Struct("<2sBBII16sI")  # mark, type, subtype, offset, size, label, flags
_ROW_MARK = b"\xaa\x50"
_FILE_SYSTEMS = ("vfs", "ffat")  # labels, in the order in which MicroPython looks for them


class FlashError(Exception):
    """An image is not what it should be; the text says what was expected."""


class Chip(NamedTuple):
    """A chip: its name as QEMU and esptool write it, where its image starts in flash, and its native code."""

    name: str
    offset: int
    march: str


CHIPS = {  # by the chip number in the header of an image
    0: Chip("esp32", 0x1000, "xtensawin"),
    2: Chip("esp32s2", 0x1000, "xtensawin"),
    5: Chip("esp32c3", 0, "rv32imc"),
    9: Chip("esp32s3", 0, "xtensawin"),
    13: Chip("esp32c6", 0, "rv32imc"),
}


class Partition(NamedTuple):
    """A row of the partition table; offset and size in bytes."""

    label: str
    offset: int
    size: int


def chip_of(image: bytes) -> Chip:
    """The chip that an official image is for. FlashError if it is no image, or of a chip that we do not know."""
    if len(image) < _CHIP_ID_AT + 2 or image[0] != _MAGIC:
        raise FlashError("not an ESP32 firmware image: it does not start with E9")
    (number,) = struct.unpack_from("<H", image, _CHIP_ID_AT)
    if number not in CHIPS:
        raise FlashError(f"an image for chip number {number}; known are {', '.join(c.name for c in CHIPS.values())}")
    return CHIPS[number]


def partitions(image: bytes) -> list[Partition]:
    """The partition table inside an official image. FlashError if there is none."""
    start = TABLE_AT - chip_of(image).offset
    rows = table(image[start : start + TABLE_LENGTH])
    if not rows:
        raise FlashError("the image has no partition table: give the whole image (.bin), not the application alone")
    return rows


def table(data: bytes) -> list[Partition]:
    """The rows of a partition table; none when it is no table."""
    rows = []
    for at in range(0, len(data) - _ROW.size + 1, _ROW.size):
        mark, _, _, offset, size, label, _ = _ROW.unpack_from(data, at)
        if mark != _ROW_MARK:
            break
        rows.append(Partition(label.rstrip(b"\0").decode("ascii", "replace"), offset, size))
    return rows


def file_system_place(image: bytes, flash_size: int = SIZE) -> Partition:
    """Where MicroPython will look for its files.

    That is the partition named so or, since 1.26, all that is left behind the last one. FlashError if it does not fit.
    """
    return place_of_files(partitions(image), flash_size)


def place_of_files(rows: list[Partition], flash_size: int) -> Partition:
    """The same for a table."""
    by_label = {row.label: row for row in rows}
    found = next((by_label[label] for label in _FILE_SYSTEMS if label in by_label), None)
    if found is None:
        end = max(row.offset + row.size for row in rows)
        found = Partition(_FILE_SYSTEMS[0], end, flash_size - end)
    if found.size <= 0 or found.offset + found.size > flash_size:
        raise FlashError(f"a flash of {flash_size} bytes has no room for the files at {found.offset:#x}")
    return found


def file_system(files: Mapping[str, bytes], size: int) -> bytes:
    """A LittleFS 2 file system of exactly `size` bytes with these files, path to contents.

    MicroPython mounts it only if its number of blocks is that of the partition.
    """
    system = LittleFS(block_size=BLOCK, block_count=size // BLOCK, read_size=32, prog_size=32, name_max=255)
    for path, data in sorted(files.items()):
        parent = path.rpartition("/")[0]
        if parent:
            system.makedirs(parent, exist_ok=True)
        with system.open(path, "wb") as file:
            file.write(data)
    return bytes(system.context.buffer)


def stored_files(read, size: int, directory: str) -> dict[str, bytes]:
    """Path to contents of the files in a directory of the LittleFS that a board has; none when it has no such thing.

    `read(offset, length)` reads from its start; no more is asked for than is needed. `size` in bytes."""
    try:
        system = LittleFS(_Blocks(read), block_size=BLOCK, block_count=size // BLOCK, mount=False)
        system.mount()
        names = [name for name in system.listdir(directory) if system.stat(f"{directory}/{name}").type == 1]
        found = {}
        for name in names:
            with system.open(f"{directory}/{name}", "rb") as file:
                found[f"{directory.strip('/')}/{name}"] = file.read()
        return found
    except LittleFSError:
        return {}


class _Blocks(UserContext):
    """Blocks of a flash that is only read, each at most once."""

    def __init__(self, read):
        super().__init__(0)
        self._read = read
        self._known: dict[int, bytes] = {}

    def read(self, cfg, block, off, size):
        if block not in self._known:
            self._known[block] = self._read(block * BLOCK, BLOCK)
        return bytearray(self._known[block][off : off + size])


def merge(image: bytes, files: Mapping[str, bytes], flash_size: int = SIZE) -> bytes:
    """The whole flash: the official image untouched, the files in their place, the rest erased. Raises FlashError."""
    offset = chip_of(image).offset
    place = file_system_place(image, flash_size)
    if offset + len(image) > place.offset:
        raise FlashError(f"the image ends behind {place.offset:#x}, where the files should be")
    flash = bytearray(ERASED * flash_size)
    flash[offset : offset + len(image)] = image
    flash[place.offset : place.offset + place.size] = file_system(files, place.size)
    return bytes(flash)
