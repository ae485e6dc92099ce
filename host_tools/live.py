"""A recording of now: what the board at a port says, until a negotiation has come to its end.

Commands that explain a file take a port as well: `source` gives them the recording of either.
"""

import functools
import time
from collections.abc import Iterator

import rich_click as click

from host_tools import arguments, board_command, ports, recording
from host_tools.link import Lines

LISTEN_S = 90.0  # longer than a board's longest pause between two attempts
_QUIET_S = 2.0  # what belongs to an end follows it at once
_POLL_S = 0.5
_ENDS = {"child_up", "closed", "not_started", "config_error", "stopped", "safe_mode"}
_SILENCE = (
    "the board said nothing of a negotiation in {:.0f} s. A tunnel that is up says little: uike status shows it."
    " A restart lets one be heard from its beginning"
)


def lines(port, duration: float | None) -> Iterator[bytes]:
    """The lines of an open port, for so many seconds or for ever."""
    found = Lines()
    until = None if duration is None else time.monotonic() + duration
    while until is None or time.monotonic() < until:
        yield from found.feed(port.read(_POLL_S))


def listen(port, duration: float) -> recording.Recording:
    """What an open port says: until a negotiation ends and it is quiet, for so many seconds at most."""
    heard, found = Lines(), recording.Recording([], [])
    until = time.monotonic() + duration
    while time.monotonic() < until:
        more = recording.parse(heard.feed(port.read(_POLL_S)))
        found.events.extend(more.events)
        found.texts.extend(more.texts)
        if more.events and _ENDS & {event.name for event in found.events}:
            until = min(until, time.monotonic() + _QUIET_S)
    return found


def source(function):
    """For a command with `recorded`, a Recording: that of its FILE, or of the board at --port."""

    @click.argument("file", type=arguments.FILE, required=False)
    @board_command.port_option
    @click.option(
        "--listen",
        "duration",
        type=click.FloatRange(0, min_open=True),
        default=LISTEN_S,
        show_default=True,
        metavar="S",
        help="How long to wait for the end of a negotiation, at a port.",
    )
    @board_command.with_exit_codes
    @functools.wraps(function)
    def wrapped(file, port, duration, **options):
        if file:
            found = recording.read_for(click.get_current_context(), file)
        else:
            with ports.opened(ports.choose(port, board_command.say)) as opened:
                board_command.say(f"listening for {duration:.0f} s at most")
                found = listen(opened, duration)
            if not found.events:
                raise board_command.Failed(_SILENCE.format(duration))
        return function(recorded=found, **options)

    return wrapped
