"""What options of several commands take: a file that is there, a file to be written, an official MicroPython image."""

from pathlib import Path

import rich_click as click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = click.Path(dir_okay=False, path_type=Path)


def micropython_option(function):
    return click.option(
        "--micropython",
        "official_path",
        type=FILE,
        metavar="FILE",
        help="The official image (.bin). [default: downloaded once, and kept]",
    )(function)


def allow_unknown_option(function):
    return click.option("--allow-unknown", is_flag=True, help="Take an image whose SHA-256 is not the board file's.")(
        function
    )
