"""`uike image`: one file that turns a board into the appliance: official MicroPython, firmware, configuration."""

import hashlib
import json
import urllib.error
import urllib.request

import rich_click as click

from host_tools import arguments, boards, cache, config_file, image, psk_strength, update_package
from host_tools.esp32 import appliance, flash

SOURCE = "https://micropython.org/resources/firmware/"
WRONG_USE = 2
TIMEOUT_S = 60


class ImageFileError(Exception):
    """There is no image to build on; the text says why and what to do."""


@click.command()
@click.argument("board_name", metavar="BOARD")
@arguments.micropython_option
@click.option(
    "--config",
    "config_path",
    type=arguments.FILE,
    required=True,
    metavar="FILE",
    help="Connections, [wifi], [static] and [ntp] (TOML).",
)
@click.option("-o", "--output", type=arguments.OUTPUT, required=True, metavar="OUT")
@click.option(
    "--update-key",
    type=arguments.FILE,
    metavar="FILE",
    help="The board takes updates that this key signed (`uike update`); its public half is stored.",
)
@arguments.allow_unknown_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@click.pass_context
def command(context, board_name, official_path, config_path, output, update_key, allow_unknown, as_json):
    """Make one flashable file for a BOARD (`uike boards`).

    It is for the start of the flash: whatever else is there goes, other programs' settings in NVS included.

    Example: uike image esp32-generic --config board.toml -o gw.bin; esptool write-flash 0 gw.bin
    """
    try:
        board = boards.load(board_name)
        for line in psk_strength.warnings(config_file.read(config_path)):
            click.echo(f"uike image: warning: {line}", err=True)
        official = official_image(board, official_path, allow_unknown)
        report = _build(board, official, config_path, output, update_key)
    except (
        boards.BoardError,
        config_file.ConfigFileError,
        flash.FlashError,
        image.ImageError,
        ImageFileError,
        update_package.PackageError,
    ) as error:
        click.echo(f"uike image: {error}", err=True)
        context.exit(WRONG_USE)
    if as_json:
        click.echo(json.dumps(report))
        return
    click.echo(f"{output}: {report['size']:,} bytes, SHA-256 {report['sha256']}")
    click.echo(
        f"  MicroPython {report['micropython']:,} bytes, firmware {report['firmware']:,} in {report['files']} files"
    )
    click.echo(f"Flash it: esptool --chip {board.chip} write-flash 0 {output}")


def official_image(board, path, allow_unknown) -> bytes:
    """MicroPython for that board, checked. Raises ImageFileError and flash.FlashError."""
    if board.micropython is None:
        raise ImageFileError(f"{board.name} has no flash: use uike emulate")
    data = path.read_bytes() if path else _downloaded(board.micropython.file)
    digest = hashlib.sha256(data).hexdigest()
    if digest != board.micropython.sha256 and not allow_unknown:
        wanted = board.micropython.sha256 or "none, since nobody has checked one"
        raise ImageFileError(
            f"{path or board.micropython.file}: SHA-256 {digest}, and the board's file has {wanted};"
            " take --allow-unknown if you trust this image"
        )
    chip = flash.chip_of(data).name
    if chip != board.chip:
        raise ImageFileError(f"an image for the {chip}, and {board.name} has an {board.chip}")
    return data


def _downloaded(name: str) -> bytes:
    kept = cache.directory("micropython") / name
    if not kept.exists():
        try:
            with urllib.request.urlopen(SOURCE + name, timeout=TIMEOUT_S) as answer:
                cache.write_file(kept, answer.read())
        except (urllib.error.URLError, OSError) as error:
            raise ImageFileError(
                f"{SOURCE}{name}: {error}; fetch it elsewhere, and name it with --micropython or put it at {kept}"
            ) from error
    return kept.read_bytes()


def _build(board, official, config_path, output, update_key) -> dict:
    device = config_file.load(config_path)
    built = image.build(platform="esp32", march=board.march)
    files = appliance.files(built, board.complete(device.tree), device.network, board.settings())
    more = {name: data for name, data in device.blobs().items() if name == "admin"}
    if update_key:
        more["update.key"] = update_package.public_key(update_key)
    files |= {f"{appliance.STORE}/{name}": appliance.stored(data) for name, data in more.items()}
    merged = flash.merge(official, files, board.flash_mb << 20)
    output.write_bytes(merged)
    return {
        "output": str(output),
        "size": len(merged),
        "sha256": hashlib.sha256(merged).hexdigest(),
        "micropython": len(official),
        "firmware": built.total,
        "files": len(files),
    }
