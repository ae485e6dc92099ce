"""`uike explain`: why the tunnel of a recording did not come up, in one verdict."""

import json

import rich_click as click

from host_tools import arguments, live
from host_tools.explain import from_probe, peer_log, probe
from host_tools.explain.judge import judge
from host_tools.explain.show import show


@click.command()
@live.source
@click.option(
    "--log",
    "log_path",
    type=arguments.FILE,
    metavar="FILE",
    help="strongSwan's log: it knows what the wire does not say.",
)
@click.option(
    "--probe", "probing", is_flag=True, help="Ask the gateway from this PC: ports, versions, lengths, proposals."
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
@click.pass_context
def command(context, recorded, log_path, probing, as_json):
    """Say why: who said no, at which message and payload, whether that can be believed, what each side offered, and the
    line of configuration that would mend it.

    FILE is a recording (uike debug -w FILE, uike emulate --record FILE). Without one the board at --port is listened
    to until a negotiation has come to its end. The exit status is 0 if its tunnel is up, 1 if it is not.
    """
    story, verdict = judge(*recorded)
    if log_path:
        peer_log.enrich(verdict, log_path.read_text(errors="replace"))
    if probing and story.remote[0]:
        from_probe.enrich(verdict, story, probe.probe(story.remote[0]))
    if as_json:
        click.echo(json.dumps(verdict.as_dict()))
    else:
        show(arguments.screen(), verdict, story)
    context.exit(0 if verdict.up else 1)
