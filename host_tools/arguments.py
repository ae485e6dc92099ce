"""What several commands take and give: files that are there or to be written, a MicroPython image; a screen."""

from pathlib import Path

import rich_click as click
from rich.console import Console

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = click.Path(dir_okay=False, path_type=Path)
_WIDTH = 118


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


def screen() -> Console:
    """What is drawn on: the terminal, or lines of a fixed width where there is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    return console
