"""Trace records of a board, decoded: a console line in, an Event out. `firmware/uike/event.py` describes the bodies.

A record that does not decode is an Event too, named "garbled": a broken line must not hide the next one.
"""

import binascii
import ipaddress
import struct
from base64 import b64decode
from typing import NamedTuple

from uike import event, iana

NAMES = {
    value: name.lower()
    for name, value in vars(event).items()
    if isinstance(value, int) and name.isupper() and not name.startswith("STATE_") and name != "PACKET"
}
_HEADER = struct.Struct(">BHI")


class Event(NamedTuple):
    """name is that of the code in lower case; sa counts IKE SAs since power-on, 0 for none."""

    code: int
    name: str
    sa: int
    time_ms: int
    fields: dict


class Body:
    """A record's body, read from front to back; too short a body is a ValueError."""

    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise ValueError("short")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int = 1) -> int:
        return int.from_bytes(self.take(size), "big")

    def flag(self) -> bool:
        return bool(self.number())

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    def text(self) -> str:
        return self.rest().decode("utf-8", "replace")

    def address(self) -> str:
        return str(ipaddress.IPv4Address(self.take(4)))

    def endpoint(self) -> tuple[str, int]:
        return self.address(), self.number(2)

    def spi(self) -> str:
        return self.take(4).hex()

    def transform(self) -> tuple[int, int, int]:
        return self.number(), self.number(2), self.number(2)

    def all_of(self, read) -> list:
        found = []
        while self.at < len(self.data):
            found.append(read())
        return found

    def counted(self, read) -> list:
        return [read() for _ in range(self.number())]

    def selector(self) -> bytes:
        size = 40 if self.data[self.at : self.at + 1] == bytes((iana.TS_IPV6_ADDR_RANGE,)) else 16
        return self.take(size)


def parse(line: bytes) -> Event | None:
    """The event of a console line; None when the line is text and no record."""
    if not line.startswith(b"#"):
        return None
    try:
        record = b64decode(line[1:].strip(), validate=True)
        code, sa, time_ms = _HEADER.unpack_from(record)
        body = Body(record[_HEADER.size :])
        fields = _DECODERS[code](body)
        if body.at != len(body.data):
            raise ValueError("long")
    except (binascii.Error, struct.error, KeyError, ValueError):
        return Event(0, "garbled", 0, 0, {"text": line[:200].decode("ascii", "replace")})
    return Event(code, NAMES[code], sa, time_ms, fields)


def _message(body):
    return {
        "out": body.flag(),
        "local": body.endpoint(),
        "remote": body.endpoint(),
        "encrypted": body.flag(),
        "length": body.number(2),
        "data": body.rest(),
    }


def _child_up(body):
    return {
        "spi_in": body.spi(),
        "spi_out": body.spi(),
        "transforms": body.counted(body.transform),
        "local_ts": body.counted(body.selector),
        "remote_ts": body.counted(body.selector),
    }


def _ip(value):
    return str(ipaddress.ip_address(value))


def _subnet(value):
    return str(ipaddress.ip_network((value[:4], _ip(value[4:])) if len(value) == 8 else (value[:16], value[16])))


_CFG = {  # attribute: (field, whether there may be several, reader)
    iana.INTERNAL_IP4_ADDRESS: ("address", False, _ip),
    iana.INTERNAL_IP4_NETMASK: ("netmask", False, _ip),
    iana.INTERNAL_IP6_ADDRESS: ("address6", False, lambda value: f"{_ip(value[:16])}/{value[16]}"),
    iana.INTERNAL_IP4_DNS: ("dns", True, _ip),
    iana.INTERNAL_IP6_DNS: ("dns", True, _ip),
    iana.INTERNAL_IP4_SUBNET: ("subnets", True, _subnet),
    iana.INTERNAL_IP6_SUBNET: ("subnets", True, _subnet),
    iana.INTERNAL_DNS_DOMAIN: ("domains", True, lambda value: value.decode("ascii", "replace")),
    iana.APPLICATION_VERSION: ("version", False, lambda value: value.decode("utf-8", "replace")),
}


def _address(body):
    fields = {"address": None, "netmask": None, "address6": None, "version": None}
    fields.update({"dns": [], "subnets": [], "domains": []})
    while body.at < len(body.data):
        name, several, read = _CFG[body.number(2)]
        try:
            value = read(body.take(body.number(2)))
        except IndexError as error:
            raise ValueError("short") from error
        if several:
            fields[name].append(value)
        else:
            fields[name] = value
    return fields


def _child_down(body):
    fields = {"spi_in": body.spi(), "spi_out": body.spi(), "reason": body.number()}
    sizes = {"packets_in": 4, "packets_out": 4, "bytes_in": 8, "bytes_out": 8}
    return {**fields, **{name: body.number(size) for name, size in sizes.items()}}


def _closed(body):
    return {
        "reason": body.number(),
        "notify": body.number(2),
        "exchange": body.number(),
        "message_id": body.number(4),
        "authenticated": body.flag(),
        "detail": body.rest(),
    }


def _ping(body):
    return {
        "sequence": body.number(2),
        "answered": body.flag(),
        "rtt_ms": body.number(4),
        "peer": body.address(),
        "length": body.number(2),
    }


def _fragment(body):
    return {
        "out": body.flag(),
        "exchange": body.number(),
        "response": body.flag(),
        "message_id": body.number(4),
        "number": body.number(2),
        "of": body.number(2),
        "length": body.number(2),
    }


def _keys(body):
    encr, size, integ, integ_size = body.number(2), body.number(), body.number(2), body.number()
    return {"encr": encr, "integ": integ, "key": body.take(size), "integ_key": body.take(integ_size)}


def _negotiating(body):
    return {
        "initiator": body.flag(),
        "local": body.endpoint(),
        "remote": body.endpoint(),
        "name": body.text(),
    }


def _text(body):
    return {"text": body.text()}


_DECODERS = {
    event.MESSAGE: _message,
    event.STATE: lambda body: {"old": body.number(), "new": body.number()},
    event.DROP: lambda body: {"reason": body.number(), "remote": body.endpoint(), "detail": body.rest()},
    event.IKE_PROPOSAL: lambda body: {"transforms": body.all_of(body.transform)},
    event.NAT: lambda body: {"local": body.flag(), "remote": body.flag(), "supported": body.flag()},
    event.RETRANSMIT: lambda body: {
        "attempt": body.number(),
        "of": body.number(),
        "exchange": body.number(),
        "message_id": body.number(4),
    },
    event.ESTABLISHED: lambda body: {
        "elapsed_ms": body.number(4),
        "id_type": body.number(),
        "identity": body.rest(),
    },
    event.CHILD_UP: _child_up,
    event.CHILD_DOWN: _child_down,
    event.ADDRESS: _address,
    event.CLOSED: _closed,
    event.NEGOTIATING: _negotiating,
    event.PING: _ping,
    event.HEAP: lambda body: {"used": body.number(4), "free": body.number(4)},
    event.LIVENESS: lambda body: {"silence_s": body.number(4)},
    event.REJECT: lambda body: {"reason": body.number(), "notify": body.number(2), "detail": body.rest()},
    event.KEEPALIVE: lambda body: {"remote": body.endpoint()},
    event.GREETING: _text,
    event.CONFIG_ERROR: _text,
    event.COMMAND_ERROR: _text,
    event.FRAGMENT: _fragment,
    event.CHILD_REKEYED: lambda body: {
        "old": body.spi(),
        "new": body.spi(),
        "ours": body.flag(),
        "collision": body.number(),
    },
    event.IKE_REKEYED: lambda body: {
        "successor": body.number(2),
        "ours": body.flag(),
        "collision": body.number(),
        "spi_i": body.take(8).hex(),
        "spi_r": body.take(8).hex(),
    },
    event.ADDRESS_CHANGED: lambda body: {
        "old_local": body.endpoint(),
        "old_remote": body.endpoint(),
        "local": body.endpoint(),
        "remote": body.endpoint(),
    },
    event.RECONNECT: lambda body: {"in_ms": body.number(4), "attempt": body.number(), "name": body.text()},
    event.ENGINE_FAULT: lambda body: {"code": body.number(), "name": body.text()},
    event.BOOT: lambda body: {
        "cause": body.number(),
        "boots": body.number(),
        "reason": body.number(),
        "detail": body.rest(),
    },
    event.NOT_STARTED: lambda body: {"reason": body.number(), "detail": body.rest()},
    event.SAFE_MODE: lambda body: {"boots": body.number(), "strap": body.flag()},
    event.UPDATE: lambda body: {"step": body.number(), "version": body.text()},
    event.STORE_FALLEN: _text,
    event.REDIRECTED: lambda body: {"old": body.endpoint(), "new": body.endpoint()},
    event.REAUTHENTICATED: lambda body: {"successor": body.number(2)},
    event.OFFER: lambda body: {"ours": body.flag(), "data": body.rest()},
    event.SELF_TEST: lambda body: {"passed": body.number(), "elapsed_ms": body.number(4)},
    event.ENGINE_RETIRED: _text,
    event.SEED: lambda body: {"reason": body.number()},
    event.DATAGRAM: lambda body: {
        "out": body.flag(),
        "local": body.endpoint(),
        "remote": body.endpoint(),
        "data": body.rest(),
    },
    event.KEYS: _keys,
    event.STOPPED: lambda body: {"reason": body.number(), "detail": body.rest()},
    event.PROVISIONED: lambda body: {"sha256": body.take(32).hex()},
    event.ERASED: lambda body: {},
    event.ADMIN_REFUSED: lambda body: {"reason": body.number(), "attempts": body.number()},
}
