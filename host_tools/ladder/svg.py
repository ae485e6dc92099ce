"""A ladder as SVG that needs nothing else: no script, no font, no link. Light, and dark where the reader's system is.

Letters have one width, so that what is measured here is what is shown.
"""

from html import escape

from host_tools.ladder.steps import Ladder, Step
from host_tools.ladder.text import wrap

WIDTH = 1000
_LEFT, _RIGHT = 196, 804  # lifelines
_TIME = 70  # right edge of the times
LETTER = {12: 7.23, 11: 6.63, 10: 6.03}  # width of a letter by the size of the font
_STATE_COLOURS = {"IDLE": "s0", "INIT": "s1", "AUTH": "s2", "ESTABLISHED": "s3", "DELETING": "s4", "DEAD": "s5"}
_STYLE = """
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:11px;fill:#24292f}
.card{fill:#ffffff;stroke:#d0d7de}.head{font-size:12px;font-weight:bold}.dim{fill:#6e7781}.small{font-size:10px}
.b{font-weight:bold}.i{font-style:italic}.mid{text-anchor:middle}.end{text-anchor:end}
.sent{fill:#0969da}.received{fill:#8250df}.good{fill:#1a7f37}.bad{fill:#cf222e}.warn{fill:#9a6700}
line,path.l{stroke-width:1.6;fill:none}line.sent{stroke:#0969da}line.received{stroke:#8250df}
line.bad{stroke:#cf222e}line.warn{stroke:#bf8700}line.dim{stroke:#afb8c1;stroke-width:1}
path.l.bad{stroke:#cf222e;stroke-width:2.2}path.l.warn{stroke:#bf8700;stroke-width:2.2}
.s0{fill:#d0d7de}.s1{fill:#80ccff}.s2{fill:#eac54f}.s3{fill:#4ac26b}.s4{fill:#d8b9ff}.s5{fill:#8c959f}
.box{fill:#f6f8fa;stroke:#d0d7de}.box.bad{fill:#ffebe9;stroke:#ff8182}.box.good{fill:#dafbe1;stroke:#4ac26b}
.box.warn{fill:#fff8c5;stroke:#d4a72c}
"""
_DARK = """
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.card{fill:#0d1117;stroke:#30363d}.dim{fill:#8b949e}
.sent{fill:#58a6ff}.received{fill:#bc8cff}.good{fill:#3fb950}.bad{fill:#ff7b72}.warn{fill:#d29922}
line.sent{stroke:#58a6ff}line.received{stroke:#bc8cff}line.bad,path.l.bad{stroke:#ff7b72}line.dim{stroke:#484f58}
.box{fill:#161b22;stroke:#30363d}.box.bad{fill:#3c1618;stroke:#f85149}.box.good{fill:#12261e;stroke:#2ea043}
.box.warn{fill:#272115;stroke:#9e6a03}.s0{fill:#484f58}.s1{fill:#1f6feb}.s2{fill:#9e6a03}.s3{fill:#2ea043}
.s4{fill:#8957e5}.s5{fill:#6e7681}}
"""


def draw(found: Ladder, title: str = "") -> str:
    """The SVG document of a ladder."""
    return _Drawing(found, title).document()


class _Drawing:
    def __init__(self, found: Ladder, title: str):
        self._ladder = found
        self._title = title
        self._parts: list[str] = []
        self._y = 20.0
        self._states = {"ours": ("IDLE", 0.0), "theirs": ("IDLE", 0.0)}  # and since which y
        self._bars: list[str] = []

    def document(self) -> str:
        self._heads()
        started = self._ladder.steps[0].time_ms if self._ladder.steps else 0
        for step in self._ladder.steps:
            self._step(step, started)
        self._y += 10
        self._bar("ours", None)
        self._bar("theirs", None)
        height = round(self._legend())
        body = "".join(self._bars + self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
            f"<style>{_STYLE}{_DARK}</style>"
            f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>{body}</svg>\n'
        )

    # -- pieces ------------------------------------------------------------------------------------------------------

    def _text(self, x, y, text, classes=""):
        self._parts.append(f'<text x="{x:g}" y="{y:g}" class="{classes}" xml:space="preserve">{escape(text)}</text>')

    def _line(self, x1, x2, y, classes, again=False):
        dash = ' stroke-dasharray="5 4"' if again else ""
        self._parts.append(f'<line x1="{x1:g}" y1="{y:g}" x2="{x2:g}" y2="{y:g}" class="{classes}"{dash}/>')

    def _head_of_arrow(self, x, y, out, classes):
        back = -9 if out else 9
        points = f"{x:g},{y:g} {x + back:g},{y - 4.5:g} {x + back:g},{y + 4.5:g}"
        self._parts.append(f'<polygon points="{points}" class="{classes}"/>')

    def _cross(self, x, y, classes):
        self._parts.append(f'<path d="M{x - 5:g} {y - 5:g}l10 10m0 -10l-10 10" class="l {classes}"/>')

    def _heads(self):
        if self._title:
            self._text(WIDTH / 2, self._y + 6, self._title, "head mid")
            self._y += 26
        for x, side in ((_LEFT, self._ladder.us), (_RIGHT, self._ladder.them)):
            for index, text in enumerate(side):
                shown = text if len(text) < 48 else text[:46] + "..."
                self._text(x, self._y + 6 + 15 * index, shown, "mid " + ("head", "small dim")[index])
        self._text(_TIME, self._y + 6, "s", "small dim end")
        self._y += 36
        for side in self._states:
            self._states[side] = ("IDLE", self._y)

    def _bar(self, side: str, state: str | None) -> None:
        """The lifeline's part in the state that ends here."""
        old, since = self._states[side]
        x = _LEFT if side == "ours" else _RIGHT
        if self._y > since:
            self._bars.append(
                f'<rect class="{_STATE_COLOURS.get(old, "s0")}" x="{x - 3.5}" y="{since:g}" width="7"'
                f' height="{self._y - since:g}"/>'
            )
        self._states[side] = (state or old, self._y)

    def _become(self, side: str, label: str, state: str, y: float, inferred: bool) -> None:
        here, self._y = self._y, y
        self._bar(side, state)
        self._y = here
        x = _LEFT - 12 if side == "ours" else _RIGHT + 12
        self._text(x, y + 4, label, ("b small end" if side == "ours" else "b small") + (" i dim" if inferred else ""))

    # -- steps -------------------------------------------------------------------------------------------------------

    def _step(self, step: Step, started: int) -> None:
        top = self._y
        if step.kind == "message":
            arrow = self._message(step)
        elif step.title:
            arrow = self._box(step)
        else:
            arrow = self._y
            self._y += 16
        if step.title:
            self._text(_TIME, arrow + 4, f"{(step.time_ms - started) / 1000:.3f}", "small dim end")
        at = top + 12 if step.kind != "message" else arrow
        if step.ours:
            self._become("ours", step.ours, step.ours_bar, at, False)
        if step.theirs:
            self._become("theirs", step.theirs, step.theirs_bar, at, step.inferred)

    def _message(self, step: Step) -> float:
        colour = step.style or ("sent" if step.out else "received")
        inner = (_LEFT + 18, _RIGHT - 18)
        self._y += 18
        self._text(inner[0], self._y, step.title, f"b {colour}")
        note = "no answer" if step.lost and step.out else ""
        self._text(inner[1], self._y, ", ".join(filter(None, (step.size, note))), "small dim end")
        self._y += 8
        arrow = self._y
        for index, (number, of, size) in enumerate(step.fragments or [(0, 0, 0)]):
            self._arrow(step, colour)
            if of:
                label = f"fragment {number} of {of}: {size} bytes"
                self._plate(WIDTH / 2, self._y, label)
            self._y += 15 if of and index + 1 < len(step.fragments) else 0
        self._y += 3
        for line in wrap(step.words, int((inner[1] - inner[0]) / LETTER[11])):
            self._y += 14
            self._text(inner[0], self._y, line)
        for text, style in step.facts:
            for line in wrap(text.split(" "), int((inner[1] - inner[0] - 12) / LETTER[10]), " "):
                self._y += 13
                self._text(inner[0] + 12, self._y, line, f"small {style or 'dim'}")
        self._y += 8
        return arrow

    def _arrow(self, step: Step, colour: str) -> None:
        left, right, y = _LEFT + 5, _RIGHT - 5, self._y
        if step.out:
            self._line(left, right - 6, y, colour, step.again)
            self._head_of_arrow(right, y, True, colour)
        elif step.lost:
            self._line(left + 24, right, y, colour, step.again)
            self._cross(left + 12, y, colour)
        else:
            self._line(left + 6, right, y, colour, step.again)
            self._head_of_arrow(left, y, False, colour)

    def _plate(self, x, y, label) -> None:
        """Words on a line, with the paper behind them."""
        width = len(label) * LETTER[10] + 8
        self._parts.append(
            f'<rect x="{x - width / 2:g}" y="{y - 6:g}" width="{width:g}" height="12" class="card" stroke="none"'
            ' style="stroke:none"/>'
        )
        self._text(x, y + 3.5, label, "small dim mid")

    def _box(self, step: Step) -> float:
        x, width = _LEFT + 18, _RIGHT - _LEFT - 36
        letters = int((width - 20) / LETTER[11])
        style = step.style if step.style in ("good", "bad", "warn") else "dim"
        rows = [(line, f"{style} b" if style != "dim" else "dim") for line in wrap(step.title.split(" "), letters, " ")]
        for text, kind in step.facts:
            rows += [
                (line, kind if kind in ("good", "bad", "warn") else "") for line in wrap(text.split(" "), letters, " ")
            ]
        self._y += 6
        top = self._y
        height = 14 * len(rows) + 8
        self._parts.append(f'<rect x="{x}" y="{top:g}" width="{width}" height="{height}" rx="5" class="box {style}"/>')
        for index, (line, classes) in enumerate(rows):
            self._text(x + 10, top + 15 + 14 * index, line, classes)
        self._y = top + height + 4
        return top + 11

    def _legend(self) -> float:
        x, y = _LEFT - 3.5, self._y + 20
        for state, colour in _STATE_COLOURS.items():
            self._parts.append(f'<rect class="{colour}" x="{x:g}" y="{y - 8:g}" width="9" height="9" rx="2"/>')
            self._text(x + 14, y, state, "small dim")
            x += 24 + len(state) * LETTER[10]
        if self._ladder.inferred:
            self._text(_RIGHT, y, "italic: concluded from its messages", "small dim i end")
        return y + 16
