"""What a proof says at its end: a table for each stage, every wrong answer, and the exit status."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from host_tools.esp32.stages import Result, Run


def status(runs: list[Run], results: list[Result]) -> int:
    """0 only if every stage answered and no answer was wrong."""
    silent = {run.stage for run in runs} - {result.stage for result in results}
    return 1 if silent or not results or any(result.kind == "wrong" for result in results) else 0


def show(screen: Console, about: dict, runs: list[Run], results: list[Result]) -> None:
    """Prints everything."""
    firmware = f"provider {about['provider']}, firmware {about['firmware']:,} bytes of .mpy files"
    screen.print(f"{about['device']}\n{firmware}", markup=False)
    for stage, title in dict.fromkeys((run.stage, run.title) for run in runs):
        rows = [result for result in results if result.stage == stage]
        screen.print()
        screen.print(f"{title}: {_score(rows)}", style="bold")
        figures = [row for row in rows if row.kind == "figure"]
        if figures:
            screen.print(_table(figures))
    wrong = [result for result in results if result.kind == "wrong"]
    screen.print()
    for result in wrong:
        screen.print(f"WRONG {result.stage}: {result.name}: {result.unit}", markup=False, style="bold red")
    verdict = "every answer was right" if not status(runs, results) else f"{len(wrong)} wrong"
    screen.print(f"{verdict}, {about['seconds']} s")


def _score(rows: list[Result]) -> str:
    right, wrong = (sum(row.kind == kind for row in rows) for kind in ("ok", "wrong"))
    if not right + wrong:
        return "figures only"
    return f"{right} right, {wrong} wrong"


def _table(figures: list[Result]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for row in figures:
        table.add_row(Text(row.name), _quantity(int(row.value), row.unit))
    return table


def _quantity(value: int, unit: str) -> str:
    """Microseconds as milliseconds, everything else as it is."""
    return f"{value / 1000:,.2f} ms" if unit == "us" else f"{value:,} {unit}"
