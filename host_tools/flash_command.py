"""`uike flash`: official MicroPython and the firmware onto a board; its settings and its configuration stay."""

import rich_click as click

from host_tools import arguments, board_command, boards, image, image_command, installer, ports, provision_command
from host_tools.esp32 import bootloader, flash


@click.command()
@click.argument("board_name", metavar="BOARD")
@click.option(
    "--config",
    "config_path",
    type=arguments.FILE,
    metavar="FILE",
    help="Provision it too (TOML). [default: the configuration that it has stays]",
)
@arguments.micropython_option
@click.option("--erase", is_flag=True, help="Erase the whole flash first: settings, configuration and keys go.")
@arguments.allow_unknown_option
@click.option("--wait/--no-wait", default=True, help="Wait until the firmware answers.  [default: wait]")
@board_command.on_board
def command(port, as_json, board_name, config_path, official_path, erase, allow_unknown, wait):
    """Make a board a gateway: write MicroPython and the firmware, verify them, and wait for its greeting.

    NVS (Wi-Fi calibration, other programs' settings) and the board's configuration stay, unless --erase. If the cable
    is pulled meanwhile, run the same command again.

    Example: uike flash esp32-generic --config gw.toml --port /dev/ttyUSB0
    """
    try:
        job = prepared(board_name, official_path, allow_unknown, config_path, erase)
        port = ports.choose(port, board_command.say)
        report = installer.install(port, job, board_command.progress)
        report["greeting"] = installer.wait_for_greeting(port, board_command.errors_shown) if wait else None
    except (installer.InstallError, bootloader.BootloaderError, flash.FlashError) as error:
        raise board_command.Failed(str(error)) from None
    board_command.emit(as_json, {"port": port, **report}, _lines(port, report))


def prepared(board_name, official_path, allow_unknown, config_path, erase) -> installer.Job:
    """The job, all of it checked before a board is touched. Wrong use when something is refused."""
    blobs = provision_command.loaded(config_path, board_name) if config_path else None
    try:
        board = boards.load(board_name)
        official = image_command.official_image(board, official_path, allow_unknown)
        flash.file_system_place(official, board.flash_mb << 20)
        built = image.build(platform="esp32", march=board.march)
    except (boards.BoardError, image.ImageError, image_command.ImageFileError, flash.FlashError) as error:
        raise board_command.Failed(str(error), board_command.WRONG_USE) from None
    return installer.Job(board, official, built, blobs, erase)


def _lines(port, report):
    kept = sum(name.endswith(".json") for name in report["kept"])
    yield f"{port}: {report['chip']} {report['mac']}, {report['flash'] >> 20} MB: written and verified" + (
        f", {kept} settings kept" if kept else ""
    )
    if report["greeting"]:
        yield f"it says: {report['greeting']}"
