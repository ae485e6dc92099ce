"""`uike gateway`: prints what the other end needs, in the words of its vendor."""

import dataclasses
import tomllib

import rich_click as click

from host_tools import arguments, config_file
from host_tools.gateway import cisco, libreswan, mikrotik, openbsd, other_end, pfsense, strongswan

VENDORS = {
    "strongswan": strongswan,
    "libreswan": libreswan,
    "cisco": cisco,
    "mikrotik": mikrotik,
    "openbsd": openbsd,
    "pfsense": pfsense,
}
WRONG_USE = 2
_HIDDEN = "THE-PSK-OF-THE-BOARD"


@click.command()
@click.option(
    "--config",
    "config_path",
    type=arguments.FILE,
    required=True,
    metavar="FILE",
    help="Configuration of the board (TOML).",
)
@click.option("--connection", "name", metavar="NAME", help="Which connection. [default: the only one]")
@click.option("--vendor", type=click.Choice(list(VENDORS)), default="strongswan", show_default=True)
@click.option("--pool", metavar="NETWORK", default="", help=f"For virtual IPs. [default: {other_end.POOL}]")
@click.option("--dns", metavar="ADDRESS", multiple=True, help="A name server for the board; may be repeated.")
@click.option("--board-address", metavar="ADDRESS", default="", help="Where the board is. [default: its local, or any]")
@click.option("--address", metavar="ADDRESS", default="", help="Where the gateway is. [default: the board's remote]")
@click.option("--secrets", is_flag=True, help="Print the pre-shared key, and not a word in its place.")
@click.pass_context
def command(context, config_path, name, vendor, pool, dns, board_address, address, secrets):
    """Print the configuration of the other end of a connection.

    strongSwan's is tested against a real one; what was done with the others is said on standard error.
    """
    try:
        tree = config_file.read(config_path)
        tables = tomllib.loads(config_path.read_text(encoding="utf-8"))["connection"]
        if name is None and len(tables) != 1:
            raise other_end.GatewayError(f"--connection: one of {', '.join(sorted(tables))}")
        end = other_end.of(
            tree,
            name or next(iter(tables)),
            pool=pool,
            board_address=board_address,
            gateway_address=address,
        )
        if end.ppk and vendor != "strongswan":
            raise other_end.GatewayError(f"no ppk is written for {vendor}: set it there by hand, or leave it out here")
        if end.raw_keys and vendor != "strongswan":
            raise other_end.GatewayError(f"no raw public keys are written for {vendor}: use certificates or a psk")
        end = dataclasses.replace(end, dns=list(dns))
        if not secrets:
            end = dataclasses.replace(end, psk=_HIDDEN, ppk=end.ppk and _HIDDEN)
        text = VENDORS[vendor].write(end)
    except (other_end.GatewayError, config_file.ConfigFileError) as error:
        click.echo(f"uike gateway: {error}", err=True)
        context.exit(WRONG_USE)
    click.echo(f"uike gateway: for {vendor}: {VENDORS[vendor].CHECKED}", err=True)
    click.echo(text, nl=False)
