"""A ladder in the terminal: two lifelines of box characters, arrows between them, states outside."""

from rich.console import Console
from rich.text import Text

from host_tools.ladder.steps import Ladder, Step

_TIME, _STATE = 9, 17  # columns
_STYLES = {"good": "bold green", "bad": "bold red", "warn": "yellow", "sent": "cyan", "received": "magenta"}
WIDTH_MIN = 80


def show(console: Console, found: Ladder) -> None:
    """Print it, as wide as the console is."""
    _Printer(console, max(console.width, WIDTH_MIN)).print(found)


class _Printer:
    def __init__(self, console, width):
        self._console = console
        self._inner = width - _TIME - 2 * _STATE - 2

    def print(self, found: Ladder) -> None:
        half = (self._inner + _STATE) // 2
        for index in (0, 1):
            ours, theirs = found.us[index][: half - 1], found.them[index][: half - 1]
            gap = self._inner + 2 * _STATE - len(ours) - len(theirs) - 6
            row = Text(" " * (_TIME + 5) + ours + " " * gap + theirs, style="bold" if index == 0 else "dim")
            self._console.print(row, soft_wrap=True)
        started = found.steps[0].time_ms if found.steps else 0
        for step in found.steps:
            self._step(step, started)
        self._row("", "", Text(), "")

    def _step(self, step: Step, started: int) -> None:
        when = f"{(step.time_ms - started) / 1000:.3f}"
        theirs = f"({step.theirs})" if step.theirs and step.inferred else step.theirs or ""
        rows = self._arrows(step) if step.kind == "message" else self._lines(step)
        for index, row in enumerate(rows):
            self._row(
                when if index == 0 else "", step.ours or "" if index == 0 else "", row, theirs if index == 0 else ""
            )

    def _row(self, when, ours, middle: Text, theirs) -> None:
        middle.truncate(self._inner, pad=True)
        row = Text.assemble(
            (f"{when:>{_TIME - 1}} ", "dim"),
            (f"{ours:>{_STATE - 1}} ", "bold"),
            "│",
            middle,
            "│",
            (f" {theirs}", "bold"),
        )
        self._console.print(row, soft_wrap=True)

    def _arrows(self, step: Step) -> list[Text]:
        style = _STYLES[step.style] if step.style else _STYLES["sent" if step.out else "received"]
        rows = []
        title = step.title + (", no answer" if step.lost and step.out else "")
        rows.append(Text(self._arrow(step, title, step.size), style=style))
        if step.fragments:
            rows[:] = [
                Text(self._arrow(step, f"{title}, fragment {number} of {of}", f"{size} bytes"), style=style)
                for number, of, size in step.fragments
            ]
        rows += [Text(" " * 5 + line) for line in wrap(step.words, self._inner - 6)]
        for text, kind in step.facts:
            rows += self._wrapped(text, _STYLES.get(kind) or "dim", "       ")
        return rows

    def _arrow(self, step: Step, title: str, size: str) -> str:
        line = "╌" if step.again else "─"
        size = f" {size} " if size else ""
        fill = line * max(1, self._inner - len(title) - len(size) - 10)
        if step.out:
            return f"{line * 4} {title} {fill}{size}{line * 3}▶"
        head = "✕ " if step.lost else "◀" + line
        return f"{head}{line * 2} {title} {fill}{size}{line * 3}"

    def _lines(self, step: Step) -> list[Text]:
        mark = {"verdict": "✕ " if step.style == "bad" else "■ "}.get(step.kind, "• " if step.title else "")
        rows = self._wrapped(step.title, _STYLES.get(step.style, step.style), " ", mark)
        for text, kind in step.facts:
            rows += self._wrapped(text, _STYLES.get(kind) or "", "   ")
        return rows or [Text()]

    def _wrapped(self, text: str, style: str, indent: str, mark: str = "") -> list[Text]:
        lines = wrap(text.split(" "), self._inner - len(indent + mark) - 1, " ") if text else []
        rest = " " * len(mark)
        return [Text(indent + (rest if index else mark) + line, style=style) for index, line in enumerate(lines)]


def wrap(pieces: list[str], width: int, between: str = ", ") -> list[str]:
    """Lines of at most `width` characters, broken only between pieces, or inside of one that is too long by itself."""
    lines = [""] if pieces else []
    for index, piece in enumerate(pieces):
        piece += between if index + 1 < len(pieces) else ""
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
        while len(lines[-1].rstrip()) > width:
            lines[-1:] = [lines[-1][:width], lines[-1][width:]]
    return [line.rstrip() for line in lines]
