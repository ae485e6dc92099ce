"""The pcapng format (draft-ietf-opsawg-pcapng): packets with their times and comments in, a file out."""

import struct
from typing import NamedTuple

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_MAGIC = 0x1A2B3C4D
_LINKTYPE_IPV4 = 228
_COMMENT, _NAME, _APPLICATION = 1, 2, 4  # options; an application is a section's, a name an interface's
_UDP = 17


class Packet(NamedTuple):
    """An IPv4 packet, its time in microseconds since 1970, and what is to be said of it."""

    time_us: int
    data: bytes
    comment: str = ""


def build(packets: list[Packet]) -> bytes:
    """The file: one section, one interface, a block for each packet."""
    return head() + b"".join(map(block, packets))


def head(application: str = "uike", name: str = "board") -> bytes:
    """What a file begins with; any number of blocks may follow."""
    section = struct.pack("<IHHq", _MAGIC, 1, 0, -1) + _options([(_APPLICATION, application)])
    interface = struct.pack("<HHI", _LINKTYPE_IPV4, 0, 0) + _options([(_NAME, name)])
    return _block(_SECTION, section) + _block(_INTERFACE, interface)


def block(packet: Packet) -> bytes:
    """The block of a packet."""
    size = len(packet.data)
    fields = struct.pack("<IIIII", 0, packet.time_us >> 32, packet.time_us & 0xFFFFFFFF, size, size)
    options = _options([(_COMMENT, packet.comment)]) if packet.comment else b""
    return _block(_PACKET, fields + _padded(packet.data) + options)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def _options(rows) -> bytes:
    found = b""
    for code, text in rows:
        data = text.encode()
        found += struct.pack("<HH", code, len(data)) + _padded(data)
    return found + bytes(4)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def udp(source: tuple[str, int], destination: tuple[str, int], payload: bytes) -> bytes:
    """An IPv4 packet with one UDP datagram, checksums included; endpoints are (address, port)."""
    addresses = b"".join(bytes(map(int, each[0].split("."))) for each in (source, destination))
    size = 8 + len(payload)
    head = struct.pack(">HHH", source[1], destination[1], size)
    check = _checksum(addresses + struct.pack(">BBH", 0, _UDP, size) + head + b"\0\0" + payload) or 0xFFFF
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 0, 0, 64, _UDP, 0) + addresses
    ip = ip[:10] + struct.pack(">H", _checksum(ip)) + ip[12:]
    return ip + head + struct.pack(">H", check) + payload


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
