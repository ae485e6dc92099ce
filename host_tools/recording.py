"""A recording: a file with the lines of a board's console as they came, records of the trace and plain text.

Made by `uike emulate --record FILE`; read by the commands that say what happened. Lines of a terminal's log may have
something before the record, such as a time: a record begins at its `#`.
"""

import binascii
import re
from base64 import b64decode
from pathlib import Path
from typing import NamedTuple

import rich_click as click

from host_tools import records

_RECORD = re.compile(rb"#[A-Za-z0-9+/]{8,}={0,2}\s*$")


WRONG_USE = 2  # exit status


class RecordingError(Exception):
    """The file is no recording; the text says why."""


class Recording(NamedTuple):
    """What a board said, in order; `texts` are the lines that are no records."""

    events: list[records.Event]
    texts: list[str]


def read(path: Path) -> Recording:
    """The recording in a file. Raises RecordingError when there is no record in it."""
    try:
        found = parse(path.read_bytes().split(b"\n"))
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror or error}") from error
    if not found.events:
        raise RecordingError(f"{path}: no trace record in it; uike emulate --record FILE makes one")
    return found


def read_for(context: click.Context, path: Path) -> Recording:
    """The same for a command, which ends here when the file is no recording."""
    try:
        return read(path)
    except RecordingError as error:
        click.echo(f"uike {context.info_name}: {error}", err=True)
        context.exit(WRONG_USE)


def parse(lines) -> Recording:
    """The recording that lines of a console make."""
    found = Recording([], [])
    for line in lines:
        record = _RECORD.search(line)
        event = records.parse(record.group().strip()) if record else None
        if event:
            found.events.append(event)
        elif line.strip():
            found.texts.append(line.strip().decode("utf-8", "replace"))
    return found


def record(line: bytes) -> bytes:
    """The bytes of the record in a line; none when there is none."""
    found = _RECORD.search(line)
    try:
        return b64decode(found.group().strip()[1:], validate=True) if found else b""
    except binascii.Error:
        return b""


def keep(actor, path: Path, label: str):
    """Have the console's lines of an emulated board written to `path`; the open file is the caller's to close."""
    file = open(path.with_name(f"{path.stem}-{label}{path.suffix}") if label else path, "wb", buffering=0)
    actor.on_line = lambda line: file.write(line.rstrip(b"\r\n") + b"\n")
    return file
