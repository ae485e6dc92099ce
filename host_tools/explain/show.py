"""A verdict on the terminal: what, who, where, what each side has, and the lines that would mend it."""

from rich.console import Console
from rich.text import Text

from host_tools.explain.verdict import Verdict
from host_tools.ladder.text import wrap

_TITLE = 11  # columns


def show(console: Console, verdict: Verdict, story) -> None:
    """Print it; what a peer said is harmless by now (`names.printable`)."""
    style = "bold green" if verdict.up else "bold red"
    console.print(Text(f"{verdict.case}: {verdict.text}", style=style), soft_wrap=True)
    for title, lines in _rows(verdict, story):
        shown = [row for line in lines for row in _wrapped(line, console.width - _TITLE)]
        for index, row in enumerate(shown):
            head = (f"  {title if index == 0 else '':<{_TITLE - 2}}", "bold")
            console.print(Text.assemble(head, row), soft_wrap=True)


def _wrapped(line: str, width: int) -> list[str]:
    first, *rest = wrap(line.split(" "), width - 2, " ")
    return [first, *(f"  {row}" for row in rest)]


def _rows(verdict: Verdict, story):
    yield "who", [_who(verdict)] if verdict.who else []
    yield "about", [verdict.payload] if verdict.payload else []
    yield "ours", verdict.ours
    yield "theirs", verdict.theirs
    yield "differs", [verdict.difference] if verdict.difference else []
    yield "mend it", [verdict.remedy] if verdict.remedy else []
    place = f"   [connection.{story.name}]" if story.name else ""
    yield "here", [line + (place if index == 0 else "") for index, line in enumerate(verdict.here)]
    yield "there", [line + ("   (swanctl.conf)" if index == 0 else "") for index, line in enumerate(verdict.there)]
    yield "also", verdict.also


def _who(verdict: Verdict) -> str:
    where = f", in {verdict.exchange}" if verdict.exchange else ""
    if verdict.exchange and verdict.message_id is not None:
        where += f" {verdict.message_id}"
    notify = f", by {verdict.notify}" if verdict.notify else ""
    said = {True: ", encrypted with the SA's keys", False: ", which anybody could have sent", None: ""}
    theirs = notify and verdict.who != "this board"
    return f"{verdict.who}{where}{notify}{said[verdict.authenticated] if theirs else ''}"
