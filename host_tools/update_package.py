"""`uike update`: packages with a new version of the application, signed for the boards that have the key's public half.

A package file is a mark, and behind it four parts with their lengths (4 bytes, big endian): header, signature, list,
and the files one behind the other in the order of the list. What they mean is in firmware/uike/app/update.py; a device
is given the parts one by one, by `Package.steps` (`host_tools/carry.py`).
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import rich_click as click
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from host_tools import arguments, board_command, boards, image
from host_tools.esp32 import appliance
from uike.app.update import LIST, MARK

MAGIC = b"uike package 1\n"
MACHINES = {"xtensawin": 10, "rv32imc": 11}  # MicroPython's numbers of native code
CHUNK = 512  # bytes of a step, unless a link wants less
WRONG_USE = 2
_RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


class PackageError(Exception):
    """A package or a key is not what it should be; the text says why."""


class Package(NamedTuple):
    """A parsed package: `files` are path to contents."""

    header: bytes
    signature: bytes
    list: bytes
    files: dict[str, bytes]

    @property
    def told(self) -> dict:
        """What the header says."""
        return json.loads(self.header)

    def steps(self, size: int = CHUNK) -> Iterator[tuple[str, int, bytes]]:
        """(path, offset, bytes) of each call of the device's `write`, in order."""
        for path, data in {LIST: self.list, **self.files}.items():
            for at in range(0, len(data) or 1, size):
                yield path, at, data[at : at + size]

    def check(self, public: bytes) -> None:
        """Raises PackageError unless everything in it is what the key's owner signed."""
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(self.signature, MARK + self.header)
        except (InvalidSignature, ValueError):
            raise PackageError("not signed by that key") from None
        if hashlib.sha256(self.list).hexdigest() != self.told["list"] or self.list != _list(self.files):
            raise PackageError("the files are not those that were signed")


def make(files: dict[str, bytes], number: int, version: str, machine: int, key: Ed25519PrivateKey) -> Package:
    """A package of these files, path to contents."""
    listed = _list(files)
    told = {"number": number, "version": version, "platform": "esp32", "machine": machine}
    header = json.dumps({**told, "list": hashlib.sha256(listed).hexdigest()}).encode()
    return Package(header, key.sign(MARK + header), listed, dict(sorted(files.items())))


def _list(files: dict[str, bytes]) -> bytes:
    rows = [f"{hashlib.sha256(data).hexdigest()} {len(data)} {path}\n" for path, data in sorted(files.items())]
    return "".join(rows).encode()


def dump(package: Package) -> bytes:
    """The package as a file."""
    parts = (package.header, package.signature, package.list, b"".join(package.files.values()))
    return MAGIC + b"".join(struct.pack(">I", len(part)) + part for part in parts)


def parse(data: bytes) -> Package:
    """The package in a file; nothing is verified. Raises PackageError."""
    if not data.startswith(MAGIC):
        raise PackageError("not a package")
    at, parts = len(MAGIC), []
    try:
        for _ in range(4):
            (size,) = struct.unpack_from(">I", data, at)
            parts.append(data[at + 4 : at + 4 + size])
            at += 4 + size
        header, signature, listed, rest = parts
        files, start = {}, 0
        for line in listed.decode().splitlines():
            _, size, path = line.split()
            files[path] = rest[start : start + int(size)]
            start += int(size)
        json.loads(header)
    except (struct.error, ValueError) as error:
        raise PackageError(f"a package that is cut off or broken: {error}") from None
    if at != len(data) or start != len(rest):
        raise PackageError("a package that is cut off or broken: its lengths do not fit")
    return Package(header, signature, listed, files)


def private_key(path: Path) -> Ed25519PrivateKey:
    """The key of a PEM file. Raises PackageError, without a word of what is in the file."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise PackageError(f"{path}: no Ed25519 key in PEM without a password; uike update --new-key makes one")
    return key


def public_key(path: Path) -> bytes:
    """The 32 bytes that a board stores, from a PEM file with the public or the private key. Raises PackageError."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        key = private_key(path).public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise PackageError(f"{path}: not an Ed25519 key")
    return key.public_bytes(*_RAW)


def write_new_key(path: Path) -> bytes:
    """Makes a key at a path where there is none yet, readable for its owner only; returns the public half."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except OSError as error:
        raise PackageError(f"{path}: {error.strerror}") from error
    return key.public_key().public_bytes(*_RAW)


@click.command()
@click.option("--new-key", type=click.Path(path_type=Path), metavar="FILE", help="Make a key (PEM) for signing.")
@click.option("--make", "board_name", metavar="BOARD", help="Make a package for this board (`uike boards`).")
@click.option("--show", type=click.Path(exists=True, path_type=Path), metavar="FILE", help="What is in a package.")
@click.option(
    "--package", type=click.Path(exists=True, path_type=Path), metavar="FILE", help="Bring this one to a board."
)
@click.option(
    "--number", type=click.IntRange(1, 1 << 30), help="A board takes only a number above that of its version."
)
@click.option("--version", default="", metavar="TEXT", help="What people call it.")
@click.option("--key", type=click.Path(exists=True, path_type=Path), metavar="FILE", help="To sign, or to check.")
@click.option("-o", "--output", type=arguments.OUTPUT, metavar="OUT")
@board_command.admin_option
@board_command.on_board
@click.pass_context
def command(context, port, as_json, new_key, board_name, show, package, number, version, key, output, secret):
    """Make and check updates of the application for boards in the field.

    A board takes those that are signed by the key which `uike image --update-key` gave it. One that was cut off is
    taken up again by the same command. --port, --json and --admin are for --package.

    Example: uike update --make esp32-generic --number 2 --version 0.2.0 --key update.pem -o new.uike

    Example: uike update --package new.uike --port /dev/ttyUSB0
    """
    try:
        if sum(map(bool, (new_key, board_name, show, package))) != 1:
            raise PackageError("one of --new-key, --make, --show, --package")
        if new_key:
            click.echo(f"{new_key}: keep it safe; its public half is {write_new_key(new_key).hex()}")
        elif board_name:
            _make(board_name, number, version, key, output)
        elif show:
            _show(show, key)
        else:
            _carry(package, key, port, secret, as_json)
    except (PackageError, boards.BoardError, image.ImageError) as error:
        click.echo(f"uike update: {error}", err=True)
        context.exit(WRONG_USE)


def _make(board_name, number, version, key, output):
    if not (number and key and output):
        raise PackageError("--make needs --number, --key and --output")
    board = boards.load(board_name)
    if board.march not in MACHINES:
        raise PackageError(f"{board.name} has no flash: use uike emulate")
    files = appliance.application(image.build(platform="esp32", march=board.march))
    package = make(files, number, version, MACHINES[board.march], private_key(key))
    package.check(public_key(key))
    data = dump(package)
    output.write_bytes(data)
    click.echo(f"{output}: number {number}, {len(files)} files, {len(data):,} bytes")


def _carry(path, key, port, secret, as_json):
    from host_tools.carry import carry  # which needs this module

    package = parse(path.read_bytes())
    if key:
        package.check(public_key(key))
    with board_command.linked(port) as link:
        result = carry(link, package, secret)
    done = "runs already" if result["ran"] else f"runs; {result['sent']:,} bytes sent"
    more = ", the rest was there" if result["resumed"] else ""
    board_command.emit(as_json, result, [f"{result['greeting']}: number {result['number']} {done}{more}"])


def _show(path, key):
    package = parse(path.read_bytes())
    if key:
        package.check(public_key(key))
    click.echo(f"{package.header.decode()}\n{len(package.files)} files; {'signed by that key' if key else 'unchecked'}")
