"""`uike ladder`: the exchange of a recording as a ladder diagram, in the terminal or as a page."""

import rich_click as click

from host_tools import arguments, live, recording
from host_tools.explain.judge import judge
from host_tools.ladder import page, steps, svg, text

_WRITERS = {".svg": svg.draw, ".html": page.write}


@click.command()
@live.source
@click.argument("peer", type=arguments.FILE, required=False)
@click.option(
    "-o",
    "--output",
    type=arguments.OUTPUT,
    metavar="FILE",
    help="Write a picture (.svg) or a page (.html) that needs nothing else; without it, draw in the terminal.",
)
@click.option("--sa", type=click.IntRange(1), metavar="N", help="Only that IKE SA. [default: all]")
@click.option("--title", default="", metavar="TEXT", help="Above the picture.")
@click.pass_context
def command(context, recorded, peer, output, sa, title):
    """Draw the exchange of a recording as a ladder: messages with their payloads and times, what was sent again,
    fragments, the states of both sides, and where it failed.

    FILE is a recording (uike debug -w FILE, uike emulate --record FILE). Without one the board at --port is listened
    to until a negotiation has come to its end. PEER is the other side's recording, if there is one: then its states
    are its own, and not concluded from its messages.
    """
    ours = recorded.events
    theirs = recording.read_for(context, peer).events if peer else None
    found = steps.ladder(ours, theirs, sa)
    _, verdict = judge(ours)
    if not verdict.up and sa is None:
        lines = [*(f"here:  {line}" for line in verdict.here), *(f"there: {line}" for line in verdict.there)]
        steps.conclude(found, verdict.case, verdict.text, [verdict.difference, verdict.remedy, *lines])
    if output is None:
        text.show(arguments.screen(), found)
        return
    if output.suffix not in _WRITERS:
        raise click.UsageError(f"{output}: a picture is .svg, a page is .html")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(_WRITERS[output.suffix](found, title), encoding="utf-8")
