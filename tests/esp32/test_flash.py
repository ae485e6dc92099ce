"""The flash of a board: what an official image says of itself, and files where MicroPython looks for them."""

import struct

import pytest
from littlefs import LittleFS

from host_tools.esp32 import flash
from host_tools.esp32.flash import FlashError, Partition

APPLICATION = ("factory", 0x10000, 0x1F0000)
PLAIN = [("nvs", 0x9000, 0x6000), ("phy_init", 0xF000, 0x1000), APPLICATION]
ESP32, ESP32C3 = 0, 5


def official(chip=ESP32, rows=PLAIN, length=0x30000):
    """An image as far as its header and partition table go: bootloader, table, application, in one file."""
    offset = flash.CHIPS[chip].offset
    image = bytearray(b"\xe9" + b"\x5a" * (length - 1))
    struct.pack_into("<H", image, 12, chip)
    at = 0x8000 - offset
    for label, start, size in rows:
        struct.pack_into("<2sBBII16sI", image, at, b"\xaa\x50", 1, 2, start, size, label.encode(), 0)
        at += 32
    image[at : at + 2] = b"\xeb\xeb"
    return bytes(image)


def mounted(data):
    """The file system in those bytes; littlefs-python refuses one with another number of blocks."""
    system = LittleFS(block_size=4096, block_count=len(data) // 4096, mount=False)
    system.context.buffer[:] = data
    system.mount()
    return system


@pytest.mark.parametrize("number, name, offset", [(0, "esp32", 0x1000), (5, "esp32c3", 0), (9, "esp32s3", 0)])
def test_the_image_says_for_which_chip_it_is(number, name, offset):
    chip = flash.chip_of(official(number))
    assert (chip.name, chip.offset) == (name, offset)


@pytest.mark.parametrize(
    "image, text",
    [
        (b"", "not an ESP32 firmware image"),
        (b"\xe9" * 8, "not an ESP32 firmware image"),
        (b"MZ" + bytes(100), "not an ESP32 firmware image"),
        (b"\xe9" + bytes(11) + b"\x63\x00", "chip number 99; known are esp32,"),
    ],
)
def test_what_is_no_image_is_refused(image, text):
    with pytest.raises(FlashError, match=text):
        flash.chip_of(image)


def test_the_partition_table_is_read_up_to_its_checksum():
    assert flash.partitions(official()) == [Partition(*row) for row in PLAIN]
    assert flash.partitions(official(ESP32C3)) == [Partition(*row) for row in PLAIN]


@pytest.mark.parametrize("image", [official(rows=[]), official()[:0x2000]])
def test_an_image_without_a_table_is_refused(image):
    with pytest.raises(FlashError, match="no partition table"):
        flash.partitions(image)


@pytest.mark.parametrize(
    "rows, size, place",
    [
        (PLAIN, 4 << 20, ("vfs", 0x200000, 0x200000)),  # since 1.26: what is left of the flash
        (PLAIN, 8 << 20, ("vfs", 0x200000, 0x600000)),
        ([*PLAIN, ("vfs", 0x200000, 0x100000)], 8 << 20, ("vfs", 0x200000, 0x100000)),
        ([*PLAIN, ("ffat", 0x280000, 0x180000)], 4 << 20, ("ffat", 0x280000, 0x180000)),
    ],
)
def test_the_place_of_the_files(rows, size, place):
    assert flash.file_system_place(official(rows=rows), size) == place


def test_a_flash_too_small_for_files_is_refused():
    with pytest.raises(FlashError, match="no room for the files at 0x200000"):
        flash.file_system_place(official(), 2 << 20)


FILES = {"uike_proof/main.mpy": b"M\x06" + bytes(5000), "uike_proof/uike/ike/sa.mpy": b"x", "empty": b""}


@pytest.mark.parametrize("chip", [ESP32, ESP32C3])
def test_image_and_files_lie_where_the_chip_looks_for_them(chip):
    image = official(chip)
    offset = flash.CHIPS[chip].offset
    whole = flash.merge(image, FILES)
    assert len(whole) == 4 << 20
    assert whole[:offset] == b"\xff" * offset
    assert whole[offset : offset + len(image)] == image
    assert set(whole[offset + len(image) : 0x200000]) == {0xFF}
    system = mounted(whole[0x200000:])
    found = {f"{top}/{name}".strip("/") for top, _, names in system.walk("/") for name in names}
    assert found == set(FILES)
    for path, data in FILES.items():
        with system.open(path, "rb") as file:
            assert file.read() == data


def test_a_file_system_has_as_many_blocks_as_its_partition():
    for blocks in (64, 512, 1536):
        data = flash.file_system({"a": b"1"}, blocks * 4096)
        assert len(data) == blocks * 4096
        assert mounted(data).fs_stat().block_count == blocks


def test_an_image_that_reaches_into_the_files_is_refused():
    with pytest.raises(FlashError, match="ends behind 0x200000"):
        flash.merge(official(length=0x200000), FILES)
