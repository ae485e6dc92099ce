"""Serial ports: which one a board is at, and how to open it without resetting the board.

Anything that pyserial opens is a port: /dev/ttyUSB0, COM3, socket://127.0.0.1:4000, rfc2217://host:4000.
"""

import errno
import os
import sys
import time

import serial
from serial.tools import list_ports

BAUD = 115200
_MAKERS = {  # USB vendor: what it is
    0x303A: "Espressif, USB of the chip",
    0x10C4: "Silicon Labs CP210x",
    0x1A86: "WCH CH340",
    0x0403: "FTDI",
    0x067B: "Prolific PL2303",
}
NOT_THERE = (
    "no board found: is it plugged in, and with a cable that carries data (many only charge)? Boards with a CH340 or"
    " CP210x need that driver on Windows and older macOS. Name a port with --port, or UIKE_PORT"
)


class PortError(Exception):
    """There is no port to use; the text says why and what to do."""


def candidates() -> list:
    """Ports with a USB chip of the kinds that boards have, as pyserial describes them."""
    return sorted((port for port in list_ports.comports() if port.vid in _MAKERS), key=lambda port: port.device)


def choose(wanted: str | None, say=lambda text: None) -> str:
    """The port that was asked for, or the only one there is, which is named. PortError for none or several."""
    if wanted:
        return wanted
    found = candidates()
    if not found:
        raise PortError(NOT_THERE)
    if len(found) > 1:
        rows = "".join(f"\n  {port.device}  {_MAKERS[port.vid]}, {port.serial_number or 'no number'}" for port in found)
        raise PortError(f"several boards: choose one with --port{rows}")
    say(f"using {found[0].device} ({_MAKERS[found[0].vid]})")
    return found[0].device


def opened(url: str, baud: int = BAUD):
    """The port, as a `Port`. PortError."""
    try:
        stream = serial.serial_for_url(url, baud, timeout=0, do_not_open=True)
        if "://" not in url:
            stream.dtr = stream.rts = False  # on many boards these are reset and boot mode
            stream.exclusive = os.name == "posix" or None
        stream.open()
    except (serial.SerialException, ValueError, OSError) as error:
        raise PortError(_why(url, error)) from None
    return Port(stream, url)


def _why(url: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EACCES and sys.platform.startswith("linux"):
        return (
            f"{url}: permission denied: sudo usermod -aG dialout $USER (uucp on Arch), then log in again;"
            " in a container, pass the device in"
        )
    if number == errno.ENOENT:
        return f"{url}: not there. {NOT_THERE}"
    if number in (errno.EBUSY, errno.EAGAIN) or "lock" in str(error):
        return f"{url}: another program has it open: close its monitor"
    if number == errno.ECONNREFUSED or "refused" in str(error).lower():
        return f"{url}: nobody listens there: is `uike emulate --serial` running?"
    return f"{url}: {error}"


class Port:
    """An open port, in the form that `link.Link` wants. Losing it is a PortError."""

    POLL_S = 0.005

    def __init__(self, stream, url: str):
        self._stream = stream
        self.url = url

    def write(self, data: bytes) -> None:
        try:
            self._stream.write(data)
        except (serial.SerialException, OSError) as error:
            raise PortError(f"{self.url}: lost ({error})") from None

    def read(self, timeout_s: float) -> bytes:
        """What came in, as soon as something has; empty when the time is over."""
        until = time.monotonic() + timeout_s
        while True:
            try:
                data = self._stream.read(4096)
            except (serial.SerialException, OSError) as error:
                raise PortError(f"{self.url}: lost ({error})") from None
            left = until - time.monotonic()
            if data or left <= 0:
                return data
            time.sleep(min(self.POLL_S, left))

    def close(self) -> None:
        self._stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
