"""A Linux TUN device: the PC's own IP traffic through an emulated board's tunnel. Needs root."""

import fcntl
import ipaddress
import os
import struct
import subprocess

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_NAME_MAX = 15  # characters, IFNAMSIZ without its end
MTU = 1400  # bytes of an inner packet, so that ESP in UDP in IPv4 fits an Ethernet frame


class TunError(Exception):
    """The device could not be made or set up; the text says what to do."""


class Tun:
    """Made when opened, gone when closed. `read` and `write` carry one IP packet each and never block."""

    def __init__(self, name: str):
        if not 0 < len(name) <= _NAME_MAX or "/" in name:
            raise TunError(f"{name!r} is no name for a device: 1 to {_NAME_MAX} characters")
        self.name = name
        try:
            self._file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self._file, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI))
        except PermissionError as error:
            raise TunError("--tun needs root (or CAP_NET_ADMIN)") from error
        except OSError as error:
            raise TunError(f"no TUN device {name}: {error.strerror}; is the kernel's tun module there?") from error
        self._ip("link", "set", name, "mtu", str(MTU), "up")

    def _ip(self, *words: str) -> None:
        try:
            subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise TunError("--tun needs the command `ip`: apt install iproute2") from error
        except subprocess.CalledProcessError as error:
            raise TunError(f"ip {' '.join(words)}: {error.stderr.strip()}") from error

    def fileno(self) -> int:
        return self._file

    def address(self, address: str) -> None:
        """Give the device its virtual address."""
        self._ip("address", "replace", f"{address}/32", "dev", self.name)

    def route(self, network: ipaddress.IPv4Network) -> bool:
        """Send a network through the device; False for everything at once, which would swallow the tunnel itself."""
        if network.prefixlen == 0:
            return False
        self._ip("route", "replace", str(network), "dev", self.name)
        return True

    def read(self) -> bytearray | None:
        """The next IPv4 packet that the PC sends, or None. Others (IPv6 neighbour discovery) are passed over."""
        while True:
            try:
                packet = os.read(self._file, 65536)
            except BlockingIOError:
                return None
            if packet and packet[0] >> 4 == 4:
                return bytearray(packet)

    def write(self, packet) -> None:
        """Hand an IP packet to the PC; one that the kernel refuses is lost, as on any wire."""
        try:
            os.write(self._file, bytes(packet))
        except OSError:
            pass

    def close(self) -> None:
        os.close(self._file)
