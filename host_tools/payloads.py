"""The payloads of a traced IKE message in words: what a reader of the protocol wants to see of each, a line or two.

Input is a whole IKE message, header and payloads in the clear (RFC 7296 section 3). Whatever it holds, `decode` returns
lines; what does not parse is said so and shown in hexadecimal.
"""

import ipaddress
from typing import NamedTuple

from host_tools import names
from uike import iana

HEADER = 28
_PAYLOADS_MAX = 64
_ROWS_MAX = 32  # of one payload


class Header(NamedTuple):
    """The IKE header (section 3.1); SPIs in hexadecimal."""

    spi_i: str
    spi_r: str
    exchange: int
    response: bool
    from_initiator: bool
    message_id: int


class Offer(NamedTuple):
    """One proposal of an SA payload; SPI in hexadecimal, transforms as (type, id, key bits)."""

    number: int
    protocol: int
    spi: str
    transforms: list[tuple[int, int, int]]


class Payload(NamedTuple):
    """name as the RFC writes it ("SA", "N", "TSi"); lines describe it; sound is False when it did not parse."""

    name: str
    lines: list[str]
    sound: bool = True


class _Bad(ValueError):
    """The payload does not parse."""


def header(message: bytes) -> Header | None:
    """The header of a message; None when it is shorter than one."""
    if len(message) < HEADER:
        return None
    flags = message[19]
    return Header(
        message[:8].hex(),
        message[8:16].hex(),
        message[18],
        bool(flags & iana.FLAG_RESPONSE),
        bool(flags & iana.FLAG_INITIATOR),
        int.from_bytes(message[20:24], "big"),
    )


def decode(message: bytes) -> list[Payload]:
    """The payloads of a message, in order."""
    return [
        _payload(kind, body) if sound else Payload(names.payload(kind), [f"broken: {names.hex_text(body)}"], False)
        for kind, body, sound in chain(message)
    ]


def chain(message: bytes) -> list[tuple[int, bytes, bool]]:
    """(type, body, sound) of each payload; the last one is not sound when its length does not fit."""
    found = []
    if len(message) < HEADER:
        return found
    kind, at = message[16], HEADER
    while kind and len(found) < _PAYLOADS_MAX:
        size = int.from_bytes(message[at + 2 : at + 4], "big")
        if size < 4 or size > len(message) - at:
            found.append((kind, message[at:], False))
            break
        found.append((kind, message[at + 4 : at + size], True))
        kind, at = message[at], at + size
    return found


def _payload(kind: int, body: bytes) -> Payload:
    name = {iana.N: "N", iana.D: "D", iana.V: "V"}.get(kind, names.payload(kind))
    read = _READERS.get(kind)
    try:
        lines = read(body) if read else [f"{len(body)} bytes: {names.hex_text(body)}"]
    except (IndexError, ValueError):
        return Payload(name, [f"broken: {names.hex_text(body)}"], False)
    if len(lines) > _ROWS_MAX:
        lines = lines[:_ROWS_MAX] + [f"... {len(lines) - _ROWS_MAX} more"]
    return Payload(name, lines)


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise _Bad
    return int.from_bytes(data[at : at + size], "big")


def proposals(body: bytes) -> list[str]:
    """The proposals of an SA payload (section 3.3), a line each."""
    lines = []
    for each in offers(body):
        spi = f", SPI {each.spi}" if each.spi else ""
        protocol = names.name(names.PROTOCOLS, each.protocol)
        lines.append(f"proposal {each.number}, {protocol}{spi}: {names.proposal_text(each.transforms)}")
    return lines


def offers(body: bytes) -> list[Offer]:
    """The proposals of an SA payload (section 3.3). Raises ValueError when it does not parse."""
    found, at, more = [], 0, True
    while more:
        size = _number(body, at + 2, 2)
        spi_size = _number(body, at + 6, 1)
        if size < 8 + spi_size or at + size > len(body):
            raise _Bad
        more = body[at] != 0
        spi = body[at + 8 : at + 8 + spi_size].hex()
        found.append(Offer(body[at + 4], body[at + 5], spi, _transforms(body[at + 8 + spi_size : at + size])))
        at += size
    return found


def _transforms(data: bytes) -> list[tuple[int, int, int]]:
    found, at = [], 0
    while at < len(data):
        size = _number(data, at + 2, 2)
        if size < 8 or at + size > len(data):
            raise _Bad
        bits, attribute = 0, at + 8
        while attribute + 4 <= at + size:
            kind, value = _number(data, attribute, 2), _number(data, attribute + 2, 2)
            if kind == 0x8000 | iana.KEY_LENGTH:
                bits = value
            attribute += 4 if kind & 0x8000 else 4 + value
        found.append((data[at + 4], _number(data, at + 6, 2), bits))
        at += size
    return found


def _ke(body):
    group = names.group(_number(body, 0, 2))
    return [f"{group}, {len(body) - 4} bytes: {names.hex_text(body[4:])}"]


def _nonce(body):
    return [f"{len(body)} bytes: {names.hex_text(body)}"]


def _id(body):
    return [f"{names.name(names.ID_TYPES, body[0])} {names.id_text(body[0], body[4:])}"]


def _auth(body):
    method = names.name(names.AUTH_METHODS, body[0])
    return [f"{method}, {len(body) - 4} bytes (withheld)"]


def _notify(body):
    kind, spi_size = _number(body, 2, 2), body[1]
    data = body[4 + spi_size :]
    text = names.notify(kind)
    if spi_size:
        text += f", {names.name(names.PROTOCOLS, body[0])} SPI {body[4 : 4 + spi_size].hex()}"
    if kind == iana.INVALID_KE_PAYLOAD and len(data) == 2:
        text += f": use {names.group(_number(data, 0, 2))}"
    elif kind == iana.SIGNATURE_HASH_ALGORITHMS:
        text += f": {', '.join(str(_number(data, at, 2)) for at in range(0, len(data), 2))}"
    elif data:
        text += f": {names.hex_text(data)}"
    return [text]


def _delete(body):
    protocol, size, count = body[0], body[1], _number(body, 2, 2)
    if not count:
        return [f"the {names.name(names.PROTOCOLS, protocol)} SA"]
    spis = [body[4 + index * size : 4 + (index + 1) * size].hex() for index in range(min(count, _ROWS_MAX))]
    return [f"{names.name(names.PROTOCOLS, protocol)} SPI {', '.join(spis)}"]


def _vendor(body):
    return [names.printable(body) if body.isascii() else names.hex_text(body)]


def _selectors(body):
    lines, at = [], 4
    for _ in range(body[0]):
        size = _number(body, at + 2, 2)
        if size < 8 or at + size > len(body):
            raise _Bad
        selector = body[at : at + size]
        if body[at] == iana.TS_IPV4_ADDR_RANGE and size == 16:
            lines.append(names.selector_text(selector))
        elif body[at] == iana.TS_IPV6_ADDR_RANGE and size == 40:
            first, last = (ipaddress.IPv6Address(selector[start : start + 16]) for start in (8, 24))
            lines.append(f"{first}..{last}")
        else:
            lines.append(f"type {body[at]}: {names.hex_text(selector)}")
        at += size
    return [", ".join(lines)] if len(lines) <= 4 else lines


def _configuration(body):
    lines, at = [names.name(names.CFG_TYPES, body[0])], 4
    while at < len(body):
        kind, size = _number(body, at, 2) & 0x7FFF, _number(body, at + 2, 2)
        value = body[at + 4 : at + 4 + size]
        if len(value) != size:
            raise _Bad
        text = _attribute(kind, value)
        lines.append(names.name(names.CFG_ATTRIBUTES, kind) + (f" {text}" if size else ""))
        at += 4 + size
    return [", ".join(lines)] if len(lines) <= 6 else lines


def _attribute(kind, value):
    if kind in names.CFG_ATTRIBUTES and len(value) == 4:
        return str(ipaddress.IPv4Address(value))
    if kind == iana.INTERNAL_IP4_SUBNET and len(value) == 8:
        return str(ipaddress.IPv4Network((value[:4], str(ipaddress.IPv4Address(value[4:]))), strict=False))
    return names.hex_text(value)


_READERS = {
    iana.SA: proposals,
    iana.KE: _ke,
    iana.NONCE: _nonce,
    iana.IDi: _id,
    iana.IDr: _id,
    iana.AUTH: _auth,
    iana.N: _notify,
    iana.D: _delete,
    iana.V: _vendor,
    iana.TSi: _selectors,
    iana.TSr: _selectors,
    iana.CP: _configuration,
}
