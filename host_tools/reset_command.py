"""`uike reset`: the board forgets its configuration and every key."""

import rich_click as click

from host_tools import admin, board_command


@click.command()
@board_command.admin_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@board_command.on_board
def command(port, as_json, secret, yes):
    """Erase a board's configuration, keys and secrets, and restart it.

    What is stored is overwritten, then removed. The file system may keep old blocks for a while: before you give the
    board away, erase the whole flash (`uike flash BOARD --erase`).

    Example: uike reset --port /dev/ttyUSB0 --yes
    """
    if not yes:
        click.confirm("Erase the configuration and all keys of this board?", abort=True, err=True)
    with board_command.linked(port, board_command.errors_shown) as link:
        link.request(admin.prove(link, {"do": "reset"}, b"", secret))
        board_command.start_again(link)
    board_command.emit(as_json, {"reset": True}, ["reset: the board has no configuration and no key"])
