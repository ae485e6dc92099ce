"""What the commands that speak to a board have in common: --port and --json, the link, exit codes, lines on stderr.

Data goes to stdout. The exit code is 0 for done, 1 for failed, 2 for wrong use, 3 for no board.
"""

import contextlib
import functools
import json
import sys
import time
from collections.abc import Iterator

import rich_click as click

from host_tools import ports, reasons, records
from host_tools.debug import Renderer
from host_tools.link import CommandError, Link, LinkError

FAILED = 1
WRONG_USE = 2
NO_BOARD = 3
START_S = 30.0  # until a board answers after a restart
NO_PROGRAM = (
    "the port is there, but no uike board answers: is it flashed (uike flash BOARD), and is this its port?"
    " A board that is just starting needs some seconds"
)


class Failed(Exception):
    """The command was not done; the text says why and what to do."""

    def __init__(self, text: str, code: int = FAILED):
        super().__init__(text)
        self.code = code


def say(text: str) -> None:
    """A line of the tool's own, on stderr."""
    context = click.get_current_context(silent=True)
    click.echo(f"{context.command_path if context else 'uike'}: {text}", err=True)


def port_option(function):
    return click.option(
        "--port", envvar="UIKE_PORT", metavar="PORT", help="Serial port or pyserial URL. [default: the only board]"
    )(function)


def admin_option(function):
    return click.option(
        "--admin", "secret", envvar="UIKE_ADMIN", metavar="SECRET", help="The admin secret that the board has."
    )(function)


def json_option(function):
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(function)


def with_exit_codes(function):
    """A click command whose failures become a line on stderr and an exit code."""

    @functools.wraps(function)
    def wrapped(*arguments, **options):
        try:
            with failures():
                return function(*arguments, **options)
        except Failed as failed:
            say(str(failed))
            click.get_current_context().exit(failed.code)

    return wrapped


def on_board(function):
    """The same, with --port and --json."""
    return port_option(json_option(with_exit_codes(function)))


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """Errors of ports and of the link, as what click shows and exits with."""
    try:
        yield
    except ports.PortError as error:
        raise Failed(str(error), NO_BOARD) from None
    except CommandError as error:
        raise Failed(refusal(error.answer)) from None
    except LinkError as error:
        raise Failed(str(error)) from None


def refusal(answer: dict) -> str:
    """Why a board refused a command, and what to do, in a line."""
    number = answer.get("reason")
    if answer["error"] == "not enough memory":
        return (
            "the board has not enough memory for it beside its tunnels: uike reset, then do it again; or a smaller file"
        )
    if number is None:
        return f"the board refuses: {answer['error']}"
    wait = answer.get("wait")
    pause = f" (the next try in {-(-wait // 1000)} s)" if wait else ""
    name = reasons.NAMES.get(number, number)
    return f"the board refuses, {name}: {reasons.text(number)}{pause}; {reasons.remedy(number)}"


@contextlib.contextmanager
def linked(url: str | None, on_line=lambda line: None) -> Iterator[Link]:
    """A link with a session on it to the board at that port, or at the only one there is."""
    with ports.opened(ports.choose(url, say)) as port:
        link = Link(port, on_line)
        greet(link)
        yield link
        link.close()


def greet(link: Link, tries: int = 6) -> None:
    try:
        link.hello(tries)
    except LinkError as error:
        raise Failed(f"{NO_PROGRAM} ({error})", NO_BOARD) from None


def start_again(link) -> None:
    """Restarts the board and waits until it answers."""
    link.request({"do": "restart"})
    link.close()
    wait_for(link)


def wait_for(link) -> None:
    """Until a board that restarts answers. Failed when it takes too long."""
    until = time.monotonic() + START_S
    while True:
        try:
            link.hello(2)
            return
        except LinkError:
            if time.monotonic() > until:
                raise Failed(f"the board does not answer {START_S:.0f} s after its restart") from None


def errors_shown(line: bytes) -> None:
    """For `linked`: what a board says of a bad configuration, or why it stopped, is said to the user."""
    event = records.parse(line)
    if event and event.name in ("config_error", "stopped", "provisioned", "erased"):
        for text, _ in getattr(Renderer(None), f"_{event.name}")(event):
            say(f"the board: {text}")


def emit(as_json: bool, value: dict, lines=()) -> None:
    """The result, on stdout: as JSON, or as lines."""
    if as_json:
        click.echo(json.dumps(value))
        return
    for line in lines:
        click.echo(line)


def progress(text: str) -> None:
    """A line that says what is going on, where a human looks at it."""
    if sys.stderr.isatty():
        say(text)
