"""What `uike emulate` shows: the live trace, the file of events, and the table at the end."""

import json
import re
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from host_tools import names
from host_tools.debug import Renderer
from host_tools.emulator.session import Actor

COLOURS = ("cyan", "magenta")


def follow(actor: Actor, index: int, label: str, screen: Console | None, events, payloads=True) -> None:
    """Have what a board says rendered on `screen` (None: not) and written to the open file `events` (None: not).

    `payloads` False leaves a line of each message."""
    renderer = None
    if screen:
        prefix = Text(f"{label:<9} ", style=COLOURS[index % len(COLOURS)]) if label else Text()
        renderer = Renderer(screen, prefix, int(payloads))

    def on_event(event):
        if renderer:
            renderer.event(event)
        if events:
            _write(
                events, label, {"event": event.name, "sa": event.sa, "time_ms": event.time_ms, "fields": event.fields}
            )

    def on_text(text):
        if screen:
            screen.print(Text(f"{label:<9} " if label else "", style="dim") + Text(text, style="dim"))
        if events:
            _write(events, label, {"event": "text", "text": text})

    actor.on_event, actor.on_text = on_event, on_text


def _write(file, label: str, record: dict) -> None:
    file.write(json.dumps({"board": label, **record} if label else record, default=names.plain) + "\n")
    file.flush()


def summary(actor: Actor) -> dict:
    """The JSON object of a board's run."""
    samples = actor.board.host.heap_samples
    return actor.outcome.summary(heap_peak=max(samples) if samples else None, fuel=actor.board.fuel)


def table(screen: Console, actors: list[Actor]) -> None:
    """The short table: a column for each board."""
    sums = [summary(actor) for actor in actors]
    grid = Table(show_header=len(actors) > 1, box=None, pad_edge=False, padding=(0, 3, 0, 0))
    grid.add_column("", style="bold", no_wrap=True)
    for index, actor in enumerate(actors):
        grid.add_column(actor.name, overflow="fold", style=COLOURS[index % len(COLOURS)] if len(actors) > 1 else None)
    for title, text in _ROWS:
        cells = [text(each) for each in sums]
        if any(cells):
            grid.add_row(title, *(cell or "-" for cell in cells))
    screen.print()
    screen.print(grid)
    for actor, each in zip(actors, sums, strict=True):
        if each["failure"]:
            _failure(screen, actor.name if len(actors) > 1 else "", each["failure"])


def picture(screen: Console, path: Path) -> None:
    """Save what a recording screen showed as SVG, in a font of the reader's: nothing is fetched from anywhere."""
    drawing = re.sub(r"@font-face \{.*?\}\s*", "", screen.export_svg(title="uike emulate"), flags=re.DOTALL)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(drawing.replace("Fira Code", "ui-monospace"))


def _failure(screen: Console, label: str, failure: dict) -> None:
    screen.print(Text.assemble((f"{label}: " if label else "", "bold"), (failure["text"], "bold red")))
    if failure["remedy"]:
        screen.print(Text(f"  {failure['remedy']}"))


def _pings(each: dict) -> str:
    sent, answered = each["pings"]["sent"], each["pings"]["answered"]
    times = [f"{rtt} ms" if rtt is not None else "lost" for rtt in each["rtt_ms"]]
    shown = ", ".join(times[:8]) + (", ..." if len(times) > 8 else "")
    return f"{answered} of {sent} answered ({shown})" if sent else ""


def _kilobytes(value: int | None) -> str:
    return f"{value / 1024:.1f} KB" if value else ""


_ROWS = (
    ("tunnel", lambda each: "came up" if each["established"] else "did not come up"),
    ("IKE", lambda each: each["ike"]),
    ("ESP", lambda each: each["esp"]),
    ("virtual IP", lambda each: each["virtual_ip"]),
    ("local selectors", lambda each: ", ".join(each["local_ts"])),
    ("remote selectors", lambda each: ", ".join(each["remote_ts"])),
    ("handshake", lambda each: f"{each['handshake_ms']} ms" if each["handshake_ms"] is not None else ""),
    ("pings", _pings),
    ("heap at its peak", lambda each: _kilobytes(each["heap_peak"])),
    ("heap when idle", lambda each: _kilobytes(each["heap_idle"])),
    ("instructions", lambda each: f"{each['fuel']:,}" if each["fuel"] else ""),
)
