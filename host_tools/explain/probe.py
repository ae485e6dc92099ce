"""Asking a gateway from this PC: what it answers to, on which port, in which version, and how long a datagram may be.

A header of a version that does not exist has its answer in RFC 7296 section 2.5, and leaves nothing behind. One
IKE_SA_INIT with everything that we can name does, and so does the first message of IKEv1: a gateway forgets them in
half a minute.
"""

import errno
import os
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass, field

from host_tools import names, payloads
from uike import iana

_PATIENCE_S = 0.5
_ARP_S = 1.7
_TRIES = 2
_LENGTHS = (576, 1280, 1400, 1500)  # of IP datagrams
_UDP_IP = 28
_MARKER = bytes(4)  # the non-ESP marker of port 4500
_RECVERR = 11  # Linux: IP_RECVERR: a host that is not there is an error too
_MTU_DISCOVER, _MTU_PROBE = 10, 3  # Linux: IP_MTU_DISCOVER, IP_PMTUDISC_PROBE: set DF, and know no path
_CIPHERS = [(12, 128), (12, 256), (12, 192), (3, 0), (13, 128), (13, 256)]
_AEAD = [(20, 128), (20, 256), (28, 0), (19, 128), (18, 128), (16, 128)]
_GROUPS = (31, 19, 14, 20, 21, 15, 16, 18, 5, 2, 28, 24)


@dataclass
class Findings:
    """What was found; None where nothing was asked. `chosen` are the transforms that the gateway took of everything,
    `group` the one that it wants."""

    address: str
    pings: bool | None = None
    port_500: str = "silent"  # "answers", "silent", "refused", "unreachable"
    port_4500: str = "silent"
    version_1: bool = False
    no_proposal: bool = False  # it refuses every proposal, so it has no IKEv2 connection for this address
    chosen: list = field(default_factory=list)
    group: int | None = None
    longest: int | None = None  # length of the longest IP datagram that was answered
    lost: int | None = None  # of the shortest that was not, while a shorter one was


def probe(address: str) -> Findings:
    """Ask everything; takes some seconds when nothing answers."""
    found = Findings(address)
    found.pings = _ping(address)
    patience = _PATIENCE_S if found.pings else _ARP_S  # a neighbour that is not there is known after a while
    found.port_500, _ = _ask(address, 500, _version(), patience)
    if found.port_500 in ("refused", "unreachable"):
        found.port_4500 = found.port_500
        return found
    found.port_4500, _ = _ask(address, 4500, _MARKER + _version())
    state, answer = _ask(address, 500, _init())
    if state == "answers":
        found.port_500 = state
        _read(found, answer)
    state, answer = _ask(address, 500, _main_mode())
    found.version_1 = state == "answers" and _is_version_1(answer)
    if found.port_500 == "answers":
        _lengths(found)
    return found


def _ping(address: str) -> bool | None:
    try:
        done = subprocess.run(["ping", "-c", "1", "-W", "1", address], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.returncode == 0


def _ask(address: str, port: int, datagram: bytes, patience_s=_PATIENCE_S, whole=False) -> tuple[str, bytes]:
    """(state, answer) of a port. ICMP comes back as an error of the socket; a cookie is sent back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(patience_s)
        if sys.platform == "linux":
            asking.setsockopt(socket.SOL_IP, _RECVERR, 1)
            if whole:
                asking.setsockopt(socket.SOL_IP, _MTU_DISCOVER, _MTU_PROBE)
        try:
            asking.connect((address, port))
            for _ in range(_TRIES):
                asking.send(datagram)
                try:
                    answer = asking.recv(4096)
                except TimeoutError:
                    continue
                cookie = _cookie(answer)
                if cookie is None:
                    return "answers", answer
                datagram = _with_cookie(datagram, cookie)
        except ConnectionRefusedError:
            return "refused", b""
        except OSError as error:
            unreachable = error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH)
            return ("unreachable" if unreachable else "silent"), b""
    return "silent", b""


# -- messages --------------------------------------------------------------------------------------------------------


def _header(first: int, version: int, exchange: int, flags: int, size: int) -> bytes:
    return os.urandom(8) + bytes(8) + bytes((first, version, exchange, flags)) + struct.pack(">II", 0, 28 + size)


def _version(padding: int = 0) -> bytes:
    return _header(0, 0x30, iana.IKE_SA_INIT, iana.FLAG_INITIATOR, padding) + bytes(padding)


def _chain(parts: list[tuple[int, bytes]]) -> bytes:
    kinds = [kind for kind, _ in parts[1:]] + [0]
    return b"".join(
        struct.pack(">BBH", following, 0, 4 + len(body)) + body
        for (_, body), following in zip(parts, kinds, strict=True)
    )


def _transform(last: bool, kind: int, number: int, bits: int = 0) -> bytes:
    attribute = struct.pack(">HH", 0x8000 | iana.KEY_LENGTH, bits) if bits else b""
    return struct.pack(">BBHBBH", 0 if last else 3, 0, 8 + len(attribute), kind, 0, number) + attribute


def _proposal(last: bool, number: int, rows) -> bytes:
    body = b"".join(_transform(index + 1 == len(rows), *row) for index, row in enumerate(rows))
    return struct.pack(">BBHBBBB", 0 if last else 2, 0, 8 + len(body), number, iana.PROTO_IKE, 0, len(rows)) + body


def _init() -> bytes:
    """An IKE_SA_INIT request with every algorithm that has a name here."""
    common = [(iana.PRF, number) for number in (5, 6, 7, 2, 1)] + [(iana.KE_METHOD, number) for number in _GROUPS]
    integrity = [(iana.INTEG, number) for number in (12, 13, 14, 2, 1)]
    offers = _proposal(False, 1, [*((iana.ENCR, *row) for row in _CIPHERS), *integrity, *common])
    offers += _proposal(True, 2, [*((iana.ENCR, *row) for row in _AEAD), *common])
    parts = [(iana.SA, offers), (iana.KE, struct.pack(">HH", iana.CURVE25519, 0) + os.urandom(31) + b"\x40")]
    parts.append((iana.NONCE, os.urandom(32)))
    chain = _chain(parts)
    return _header(iana.SA, iana.VERSION, iana.IKE_SA_INIT, iana.FLAG_INITIATOR, len(chain)) + chain


def _main_mode() -> bytes:
    """The first message of IKEv1 (RFC 2409 section 5): pre-shared key with what gateways of its time have."""
    rows = [
        (cipher, bits, digest, group)
        for cipher, bits in ((7, 128), (7, 256), (5, 0))
        for digest in (2, 4, 1)
        for group in (14, 2, 5)
    ]
    body = b""
    for index, (cipher, bits, digest, group) in enumerate(rows):
        values = [(1, cipher), *([(14, bits)] if bits else []), (2, digest), (3, 1), (4, group), (11, 1), (12, 28800)]
        attributes = b"".join(struct.pack(">HH", 0x8000 | kind, value) for kind, value in values)
        more = 3 if index + 1 < len(rows) else 0
        body += struct.pack(">BBHBBH", more, 0, 8 + len(attributes), index + 1, 1, 0) + attributes
    proposal = struct.pack(">BBHBBBB", 0, 0, 8 + len(body), 1, 1, 0, len(rows)) + body
    sa = struct.pack(">BBHII", 0, 0, 12 + len(proposal), 1, 1) + proposal
    return _header(1, 0x10, 2, 0, len(sa)) + sa


# -- answers ---------------------------------------------------------------------------------------------------------


def _cookie(answer: bytes) -> bytes | None:
    """The cookie that it asks for."""
    for kind, body, sound in payloads.chain(answer):
        if sound and kind == iana.N and body[2:4] == iana.COOKIE.to_bytes(2, "big"):
            return body[4:]
    return None


def _with_cookie(request: bytes, cookie: bytes) -> bytes:
    """The same request with the cookie before everything else (RFC 7296 section 2.6)."""
    payload = struct.pack(">BBHBBH", request[16], 0, 8 + len(cookie), 0, 0, iana.COOKIE) + cookie
    size = struct.pack(">I", len(request) + len(payload))
    return request[:16] + bytes((iana.N,)) + request[17:24] + size + payload + request[28:]


def _read(found: Findings, answer: bytes) -> None:
    for kind, body, sound in payloads.chain(answer):
        if sound and kind == iana.SA:
            found.chosen = payloads.offers(body)[0].transforms
        elif sound and kind == iana.N and len(body) >= 4:
            notify = int.from_bytes(body[2:4], "big")
            found.no_proposal = notify == iana.NO_PROPOSAL_CHOSEN
            if notify == iana.INVALID_KE_PAYLOAD and len(body) >= 6:
                found.group = int.from_bytes(body[4:6], "big")


def _is_version_1(answer: bytes) -> bool:
    """An SA payload: it took one of our transforms. A refusal says only that it can read IKEv1."""
    return len(answer) >= 28 and answer[17] >> 4 == 1 and answer[16] == 1


def _lengths(found: Findings) -> None:
    for length in _LENGTHS:
        state, _ = _ask(found.address, 500, _version(length - _UDP_IP - payloads.HEADER), whole=True)
        if state != "answers":
            found.lost = length
            return
        found.longest = length


def describe(found: Findings) -> list[str]:
    """What was found, a line each."""
    pings = {True: "answers pings", False: "answers no pings", None: "was not pinged"}[found.pings]
    rows = [f"{found.address} {pings}", f"UDP 500 {found.port_500}, UDP 4500 {found.port_4500}, asked from this PC"]
    if found.chosen:
        rows.append(f"of everything it takes {names.proposal_text(found.chosen)}")
    elif found.group is not None:
        rows.append(f"of everything it wants the group {names.group(found.group)}")
    elif found.no_proposal:
        rows.append("it refuses every IKEv2 proposal: it has no IKEv2 connection for this PC's address")
    if found.version_1:
        rows.append("it takes an IKEv1 proposal")
    if found.longest:
        rows.append(f"the longest IP datagram that it answered: {found.longest} bytes")
    if found.lost:
        rows.append(f"one of {found.lost} bytes got no answer")
    return rows
