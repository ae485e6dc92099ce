"""`uike emulate`: boards without hardware, against each other or against a real gateway."""

import json
import secrets
import signal
import sys

import rich_click as click
from rich.console import Console

from host_tools import arguments, boards, config_file, demo, psk_strength, recording
from host_tools.emulator import report
from host_tools.emulator.board import RUNTIMES, EmulatedBoard
from host_tools.emulator.clock import RealClock
from host_tools.emulator.host import Host
from host_tools.emulator.network import SocketPort, Switch
from host_tools.emulator.serial import SerialError, SerialPort
from host_tools.emulator.session import Actor, Plan, Session
from host_tools.emulator.tun import Tun, TunError
from host_tools.image import ImageError

PORTS = (500, 4500)
WRONG_USE = 2
REPORT_WIDTH = 120  # of the table, where no terminal says otherwise


@click.command()
@click.option(
    "--config",
    "config_path",
    type=arguments.FILE,
    metavar="FILE",
    help="Configuration of one board (TOML): it talks to a real gateway through this PC's network. "
    "Without it, two boards talk to each other inside this process.",
)
@click.option(
    "--runtime",
    type=click.Choice(RUNTIMES),
    default="vm",
    show_default=True,
    help="The MicroPython VM with the folded image, or the source files in this Python.",
)
@click.option("--board", "board_name", metavar="NAME", help="Heap and default proposals of this board (`uike boards`).")
@click.option("--heap", metavar="SIZE", help="Heap of a VM board. [default: the board's, else 111k]")
@click.option(
    "--vm",
    "wasm",
    type=arguments.FILE,
    metavar="PATH",
    help="Another WebAssembly build of MicroPython.",
)
@click.option("--ping", metavar="ADDR", help=f"Ping this address through the tunnel [two boards: {demo.INNER}].")
@click.option("--count", type=click.IntRange(1, 10_000), default=3, show_default=True, help="Number of pings.")
@click.option(
    "--interval",
    type=click.FloatRange(0.001, 3600),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Seconds from one ping to the next.",
)
@click.option(
    "--size", type=click.IntRange(0, 1300), default=56, show_default=True, metavar="N", help="Bytes of data in a ping."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    default=30.0,
    show_default=True,
    metavar="S",
    help="Give up when the tunnel is not up by then.",
)
@click.option(
    "--duration",
    type=click.FloatRange(0),
    metavar="S",
    help="Stay up this long. [responder: until interrupted; initiator: until its pings are done]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end, and no trace.")
@click.option(
    "--events",
    "events_path",
    type=arguments.OUTPUT,
    metavar="FILE",
    help="Write each event of the trace there, a JSON object a line.",
)
@click.option(
    "--record",
    "record_path",
    type=arguments.OUTPUT,
    metavar="FILE",
    help="Keep the console's lines there, for `uike ladder` and `uike explain`; of two boards, in FILE with "
    "the board's name before its suffix.",
)
@click.option("--stdin", "from_stdin", is_flag=True, help="Pass command lines (JSON) to the board's console.")
@click.option(
    "--serial",
    "serial_where",
    metavar="PORT",
    help="Offer the board's console: pty, or socket://127.0.0.1:4000. `uike status --port ...` and the others find a"
    " board there.",
)
@click.option("--blank", is_flag=True, help="One board that was never provisioned.")
@click.option(
    "--clock/--no-clock",
    "knows_time",
    default=True,
    help="Whether the board knows what time it is.  [default: it does]",
)
@click.option(
    "--program",
    "program",
    type=arguments.FILE,
    metavar="FILE",
    help="Run this on the board in the place of the plain appliance: a file with main(board).",
)
@click.option("--tun", "tun_name", metavar="NAME", help="Connect the tunnel to a Linux TUN device (root).")
@click.option("--trace/--no-trace", default=None, help="Show the protocol as it happens [default: unless --json].")
@click.option("--brief", is_flag=True, help="A line for each message: leave out the payloads.")
@click.option(
    "--svg",
    "svg_path",
    type=arguments.OUTPUT,
    metavar="FILE",
    help="Save what was shown as a picture.",
)
@click.pass_context
def command(context, **options):
    """Run emulated boards.

    Two of them by themselves bring up a tunnel and ping through it; with --config, one board does so with a real
    gateway. The exit status is 0 only if the tunnel came up and every ping came back through it.
    """
    try:
        context.exit(_run(options))
    except (UsageError, boards.BoardError, config_file.ConfigFileError, TunError, ImageError, SerialError) as error:
        click.echo(f"uike emulate: {error}", err=True)
        context.exit(WRONG_USE)


class UsageError(Exception):
    """The command cannot do what was asked; the text says why and what to do."""


def _run(options) -> int:
    board = boards.load(options["board_name"] or boards.EMULATED)
    options = {**options, "board": board, "heap": options["heap"] or board.heap}
    show_trace = options["trace"] if options["trace"] is not None else not options["as_json"]
    picture = options["svg_path"]
    screen = Console(
        stderr=options["as_json"], highlight=False, record=bool(picture), force_terminal=True if picture else None
    )
    if picture or not screen.is_terminal:
        screen.width = REPORT_WIDTH
    tun = Tun(options["tun_name"]) if options["tun_name"] else None
    events = open(options["events_path"], "w", buffering=1) if options["events_path"] else None
    files = [events] if events else []
    serial = None
    try:
        if options["config_path"] or options["blank"]:
            actors, plan = _one_board(options, tun)
        else:
            actors, plan = _two_boards(options, tun)
        for index, actor in enumerate(actors):
            label = actor.name if len(actors) > 1 else ""
            report.follow(actor, index, label, screen if show_trace else None, events, not options["brief"])
            if options["record_path"]:
                files.append(recording.keep(actor, options["record_path"], label))
        if options["serial_where"]:
            serial = SerialPort(actors[0].board.host, options["serial_where"])
            click.echo(f"uike emulate: serial port {serial.url}", err=True)
        session = Session(actors, plan, tun)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: session.interrupt())
        if options["from_stdin"]:
            # unbuffered: a thread that waits inside a buffer's lock would abort the interpreter at its end
            session.forward(open(sys.stdin.fileno(), "rb", buffering=0, closefd=False))
        session.run()
    finally:
        if serial:
            serial.close()
        if tun:
            tun.close()
        for file in files:
            file.close()
    summary = report.summary(actors[0])
    if options["as_json"]:
        click.echo(json.dumps(summary))
    elif not options["blank"] or actors[0].outcome.established:  # one that nobody provisioned has nothing to report
        report.table(screen, actors)
    if picture:
        report.picture(screen, picture)
    return 0 if actors[0].outcome.ok or options["blank"] else 1


def _board(options, name, clock, port, config, tun=None) -> Actor:
    files = {"config.json": json.dumps(config).encode()} if config else {}
    host = Host(name, clock, port, files=files, tun=tun, measure=True)
    host.knows_time = options["knows_time"]
    board = EmulatedBoard(
        host,
        options["runtime"],
        heap=options["heap"],
        wasm=options["wasm"],
        program=options["program"] if name != "gateway" else None,
    )
    return Actor(name, board)


def _plan(options, **changes) -> Plan:
    return Plan(
        ping=options["ping"],
        count=options["count"],
        interval_ms=round(options["interval"] * 1000),
        size=options["size"],
        timeout_s=options["timeout"],
        duration_s=options["duration"],
        **changes,
    )


def _two_boards(options, tun) -> tuple[list[Actor], Plan]:
    clock = RealClock()
    switch = Switch(clock)
    ours, theirs = demo.configurations(secrets.token_hex(32))
    options = {**options, "ping": options["ping"] or demo.INNER}
    actors = [
        _board(options, "initiator", clock, switch.attach(demo.INITIATOR), ours, tun),
        _board(options, "gateway", clock, switch.attach(demo.GATEWAY), theirs),
    ]
    return actors, _plan(options, forever=_serves(options, tun))


def _serves(options, tun) -> bool:
    """Whether somebody else says when there is no more work to be done."""
    return bool(options["from_stdin"] or options["program"] or tun is not None or options["serial_where"])


def _one_board(options, tun) -> tuple[list[Actor], Plan]:
    tree = {"connection": {}} if options["blank"] else config_file.read(options["config_path"])
    for line in psk_strength.warnings(tree):
        click.echo(f"uike emulate: warning: {line}", err=True)
    if options["board_name"]:
        tree = options["board"].complete(tree)
    connections = list(tree["connection"].values())
    initiator = any(connection.get("role") == "initiator" for connection in connections)
    locals_ = {connection.get("local", "0.0.0.0") for connection in connections}
    port = SocketPort(locals_.pop() if len(locals_) == 1 else "0.0.0.0")
    try:
        port.open(PORTS)
    except OSError as error:
        raise UsageError(f"UDP ports 500 and 4500 of {port.local}: {error.strerror or error}") from error
    if port.elsewhere and not initiator and not options["blank"]:
        raise UsageError(
            "a responder needs UDP ports 500 and 4500, which another program has, or this user may not open: stop that"
            " one, or run as root, or sysctl -w net.ipv4.ip_unprivileged_port_start=500"
        )
    forever = _serves(options, tun) or not initiator and not options["ping"]
    actor = _board(options, "board", RealClock(), port, None if options["blank"] else tree, tun)
    return [actor], _plan(options, initiator=initiator, forever=forever)
