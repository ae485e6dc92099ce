"""A board in its boot loader, through esptool: find the chip, read, erase, write, verify, restart.

What esptool says is not shown; what it raises becomes a BootloaderError.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator

import esptool
import serial
from esptool import cmds

BAUD = 115200
FAST_BAUD = 460800
_UNPLUGGED = "the cable was pulled, or the board lost power: plug it in and run the same command again"


class BootloaderError(Exception):
    """The board did not do it; the text says why and what to do."""


class Bootloader:
    """Made by `connected`. Addresses and sizes in bytes."""

    def __init__(self, loader):
        self._loader = loader

    @property
    def chip(self) -> str:
        """As in a board's file: "esp32c3"."""
        return self._loader.CHIP_NAME.lower().replace("-", "")

    def identity(self) -> str:
        """The chip's MAC address: what a board is known by."""
        return ":".join(f"{byte:02x}" for byte in self._loader.read_mac())

    def flash_size(self) -> int | None:
        """Bytes of flash; None when the chip does not say."""
        text = cmds.detect_flash_size(self._loader)
        return int(text[:-2]) << 20 if text and text.endswith("MB") else None

    def read(self, address: int, size: int) -> bytes:
        return self._loader.read_flash(address, size)

    def erase(self) -> None:
        cmds.erase_flash(self._loader)

    def write(self, parts: list[tuple[int, bytes]]) -> None:
        """Writes (address, data), each compared afterwards by its MD5 on the chip."""
        cmds.write_flash(self._loader, parts, no_progress=True)

    def restart(self) -> None:
        cmds.reset_chip(self._loader, "hard-reset")


@contextlib.contextmanager
def connected(port: str, say: Callable[[str], None] = lambda text: None) -> Iterator[Bootloader]:
    """A board with its boot loader running. Raises BootloaderError, then and for whatever happens inside."""
    loader = None
    try:
        _silence()
        loader = cmds.detect_chip(port, BAUD, connect_mode="default-reset")
        loader = cmds.run_stub(loader)
        if "://" not in port:
            loader.change_baud(FAST_BAUD)
        cmds.attach_flash(loader)
        say(f"{loader.CHIP_NAME} at {port}")
        yield Bootloader(loader)
    except (esptool.FatalError, serial.SerialException, OSError) as error:
        raise BootloaderError(_why(port, error, loader)) from None
    finally:
        if loader is not None:
            with contextlib.suppress(Exception):  # a port that is gone
                loader._port.close()


def _why(port: str, error: Exception, loader) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if loader is not None:
        return f"{port}: {text}; {_UNPLUGGED}"
    return (
        f"{port}: {text}; hold BOOT while you press RESET, then try again; if that does not help, try another cable:"
        " many carry power only"
    )


class _Silent(esptool.logger.TemplateLogger):
    """Says nothing: the command has its own words."""

    def print(self, *args, **kwargs):
        pass

    note = warning = error = stage = progress_bar = set_verbosity = print


@functools.cache
def _silence() -> None:
    """Once for the process: a logger that was set cannot be set again."""
    esptool.log.set_logger(_Silent())
