"""`uike pcap`: a recording as a capture file, and its keys as Wireshark's tables."""

from pathlib import Path

import rich_click as click

from host_tools import arguments, recording
from host_tools.capture import datagrams, keys, pcapng

_NO_DATAGRAMS = "no datagrams in this recording, so encrypted messages are shown as the board decrypted them"
_ASK = 'trace_datagrams = true in the configuration, or {"do": "datagrams"} on the console, records them'


@click.command()
@click.argument("file", type=arguments.FILE)
@click.option(
    "-o",
    "--output",
    type=arguments.OUTPUT,
    required=True,
    metavar="FILE",
    help="The capture, .pcapng.",
)
@click.option(
    "--keys",
    "keys_path",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write there the tables with which Wireshark decrypts it; needs trace_keys = true on the board.",
)
@click.pass_context
def command(context, file, output, keys_path):
    """Write the IKE and ESP datagrams of a recording as pcapng, for Wireshark.

    With --keys they can be read in the clear: wireshark -o's tables, or that folder as its configuration folder.
    """
    events = recording.read_for(context, file).events
    last_ms = max(each.time_ms for each in events)
    since_us = int(file.stat().st_mtime * 1_000_000) - 1000 * last_ms
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(pcapng.build(datagrams.packets(events, since_us)))
    if not datagrams.as_they_were(events):
        click.echo(f"uike pcap: {_NO_DATAGRAMS}; {_ASK}", err=True)
    if keys_path:
        found = keys.tables(events)
        if not found.ike:
            click.echo(
                "uike pcap: no keys in this recording; the board's configuration must say trace_keys = true", err=True
            )
            context.exit(1)
        keys.write(keys_path, found)
        click.echo(f"uike pcap: WARNING: whoever has {keys_path} reads these tunnels; delete it when done", err=True)
        if found.unknown:
            click.echo(f"uike pcap: {found.unknown} keys of ciphers that Wireshark has no name for", err=True)
