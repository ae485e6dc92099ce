"""`uike debug`: the trace of a board as it happens, filtered, kept in a file, or replayed from one."""

import contextlib
import json
import time

import rich_click as click

from host_tools import arguments, board_command, live, names, ports, recording
from host_tools.capture import datagrams, pcapng
from host_tools.debug import Renderer
from uike.app.link import MARK

GROUPS = {  # what `--group` names: events
    "message": ("message", "fragment", "retransmit", "keepalive"),
    "ike": (
        "state negotiating ike_proposal offer nat established address closed reject liveness ike_rekeyed"
        " address_changed reconnect redirected reauthenticated"
    ).split(),
    "child": ("child_up", "child_down", "child_rekeyed"),
    "drop": ("drop",),
    "ping": ("ping",),
    "board": (
        "greeting heap config_error command_error self_test engine_fault engine_retired seed stopped provisioned erased"
        " admin_refused"
    ).split(),
}
_FORMATS = ("text", "json", "pcapng")


@click.command()
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True, help="How to show it."
)
@click.option("--connection", metavar="NAME", help="Only the SAs of this connection.")
@click.option("--sa", "number", type=click.IntRange(1), metavar="N", help="Only this IKE SA.")
@click.option(
    "--group", "groups", multiple=True, type=click.Choice(list(GROUPS)), help="Only these events (repeatable)."
)
@click.option("--brief", is_flag=True, help="A line for each message: leave out the payloads.")
@click.option(
    "-w",
    "--write",
    "kept",
    type=click.File("wb"),
    metavar="FILE",
    help="Keep what the board says: a recording, for other commands too.",
)
@click.option(
    "-r",
    "--read",
    "replayed",
    type=arguments.FILE,
    metavar="FILE",
    help="Show what -w has kept; no board.",
)
@click.option("--duration", type=click.FloatRange(0), metavar="S", help="Stop after this long. [default: at Ctrl-C]")
@board_command.port_option
@click.option("--json", "as_json", is_flag=True, help="The same as --format json: an object a line.")
@board_command.with_exit_codes
def command(port, form, connection, number, groups, brief, kept, replayed, duration, as_json):
    """Show the protocol as a board speaks it.

    Example: uike debug --connection hq --group ike -w trace.uike; uike debug -r trace.uike --format json

    As pcapng go the datagrams that a board with trace_datagrams = true sends and receives:
    uike debug --format pcapng | wireshark -k -i -
    """
    wanted = Filter(connection, number, groups)
    show = _json if as_json or form == "json" else _pcapng() if form == "pcapng" else _text(brief)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        if replayed:
            lines = replayed.read_bytes().splitlines()
        else:
            lines = live.lines(stack.enter_context(ports.opened(ports.choose(port, board_command.say))), duration)
        for line in lines:
            if kept and not line.startswith(MARK):
                kept.write(line.strip() + b"\n")
                kept.flush()
            for event in recording.parse([line]).events:
                if wanted(event):
                    show(event)


class Filter:
    """Whether an event is wanted. Events of no SA pass a filter by connection or SA only if their text names it."""

    def __init__(self, connection: str | None = None, number: int | None = None, groups=()):
        self._connection = connection
        self._number = number
        self._names = {name for group in groups for name in GROUPS[group]}
        self._owners: dict[int, str] = {}  # IKE SA to connection

    def __call__(self, event) -> bool:
        fields = event.fields
        if event.name == "greeting":
            self._owners.clear()  # the board counts anew
        if event.name == "negotiating":
            self._owners[event.sa] = fields["name"]
        if event.name in ("ike_rekeyed", "reauthenticated") and event.sa in self._owners:
            self._owners[fields["successor"]] = self._owners[event.sa]
        if self._names and event.name not in self._names:
            return False
        if self._number is not None and event.sa != self._number:
            return False
        return self._connection in (None, self._owners.get(event.sa) if event.sa else fields.get("name"))


def _text(brief: bool):
    return Renderer(arguments.screen(), verbose=int(not brief)).event


def _pcapng():
    """Writes a capture to standard output as it grows."""
    out = click.get_binary_stream("stdout")
    out.write(pcapng.head())

    def show(event):
        if event.name == "datagram":
            since_us = starts.setdefault("us", int(time.time() * 1_000_000) - 1_000 * event.time_ms)
            out.write(pcapng.block(datagrams.packet(event, since_us)))
        out.flush()

    starts: dict[str, int] = {}  # when the board was switched on, by its first datagram
    return show


def _json(event) -> None:
    record = {"event": event.name, "sa": event.sa, "time_ms": event.time_ms, "fields": event.fields}
    click.echo(json.dumps(record, default=names.plain))
