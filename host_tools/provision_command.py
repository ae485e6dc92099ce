"""`uike provision`: a configuration for a board, all or nothing, acknowledged by its digest; and its certificates."""

import hashlib
from pathlib import Path

import rich_click as click

from host_tools import admin, arguments, board_command, boards, config_file, credential_command


@click.group(invoke_without_command=True)
@click.option(
    "--config",
    "config_path",
    type=arguments.FILE,
    metavar="FILE",
    help="Connections, [wifi], [static], [ntp], [admin] and [[relay]] (TOML).",
)
@click.option("--board", "board_name", metavar="NAME", help="Default proposals of this board (`uike boards`).")
@board_command.admin_option
@click.option("--restart/--no-restart", default=True, help="Use it at once.  [default: restart]")
@board_command.on_board
@click.pass_context
def command(context, port, as_json, config_path, board_name, secret, restart):
    """Give a board its configuration.

    It is taken whole or not at all: until the board has acknowledged it, the one before stays in use, whenever cable
    or power go. Nothing reads it back. Once an [admin] secret is set, the next one needs it.

    Example: uike provision --config gw.toml --port /dev/ttyUSB0
    """
    if context.invoked_subcommand:
        if config_path:
            raise click.UsageError("--config, or one of the commands")
        context.default_map = {context.invoked_subcommand: {"port": port, "as_json": as_json, "secret": secret}}
        return
    if not config_path:
        raise click.UsageError("Missing option '--config', or one of the commands.")
    blobs = loaded(config_path, board_name)
    with board_command.linked(port, board_command.errors_shown) as link:
        answer = send(link, blobs, secret)
        if restart:
            board_command.start_again(link)
    result = {"sha256": answer["sha256"], "bytes": sum(map(len, blobs.values())), "restarted": restart, "port": port}
    board_command.emit(as_json, {**result, "admin": answer["admin"]}, _lines(answer, result))


command.add_command(credential_command.csr)
command.add_command(credential_command.cert)


def _lines(answer, result):
    yield f"provisioned: {result['bytes']} bytes, acknowledged with SHA-256 {answer['sha256']}"
    if not answer["admin"]:
        yield "no [admin] secret is set: whoever holds this cable may provision and reset the board"


def loaded(path: Path, board_name: str | None = None, text: str | None = None) -> dict[str, bytes]:
    """The blobs of a configuration file (of `text` in its place), checked. Wrong use when it is refused."""
    try:
        device = config_file.load(path, text)
        if board_name:
            device = device._replace(tree=boards.load(board_name).complete(device.tree))
    except (config_file.ConfigFileError, boards.BoardError) as error:
        raise board_command.Failed(str(error), board_command.WRONG_USE) from None
    return device.blobs()


def send(link, blobs: dict[str, bytes], secret: str | None) -> dict:
    """The board's answer. Failed when what it acknowledges is not what was sent."""
    body = b"".join(blobs.values())
    order = {"do": "provision", "files": [[name, len(data)] for name, data in blobs.items()]}
    answer = link.request(admin.prove(link, order, body, secret), body)
    if answer["sha256"] != hashlib.sha256(body).hexdigest():
        raise board_command.Failed("the board keeps something else than what was sent: provision it again")
    return answer
