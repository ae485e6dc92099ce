"""Carries an update to a board, over the link: `uike update --package`. The board's side: firmware/uike/app/carry.py.

What a break has left on the board stays there, and the next try goes on behind it.
"""

import sys

from host_tools import admin, board_command
from host_tools.link import Restarted
from host_tools.update_package import LIST, Package

PIECE = 2048  # bytes of a file in a request: a board has to have them in one place


def carry(link, package: Package, secret: str | None) -> dict:
    """Brings the version of a package onto a board and starts it. Returns {"number", "version", "greeting", "sent"
    (bytes), "resumed", "ran" (whether it ran already)}. Failed when another version runs in the end."""
    told = package.told
    result = {"number": told["number"], "version": told["version"], "sent": 0, "resumed": False, "ran": False}
    there = _about(link)
    if there["number"] != told["number"]:
        result["resumed"], result["sent"] = _send(link, package, secret)
    elif not there["trial"]:
        return {**result, "ran": True, "greeting": link.greeting}
    board_command.progress("the board restarts")
    board_command.start_again(link)
    try:
        runs = _about(link)["number"]
    except Restarted:  # the hello was answered by the version that was about to go
        board_command.wait_for(link)
        runs = _about(link)["number"]
    if runs != told["number"]:
        raise board_command.Failed(f"number {told['number']} did not start: number {runs} is back; see uike debug")
    return {**result, "greeting": link.greeting}


def _about(link):
    return link.request({"do": "update", "step": "about"})


def _send(link, package, secret):
    """(whether some of it was there, bytes sent)"""
    body = package.header + package.signature
    opened = link.request(admin.prove(link, {"do": "update", "step": "open"}, body, secret), body)
    there = _there(link, package) if opened["resumed"] else {}
    total = len(package.list) + sum(map(len, package.files.values()))
    passed = sent = 0
    for path, at, data in package.steps(PIECE):
        passed += len(data)
        left = data[max(0, there.get(path, 0) - at) :]
        if left or not data:
            at += len(data) - len(left)
            link.request({"do": "update", "step": "write", "path": path, "at": at}, left)
            sent += len(left)
            _show(passed, total)
    _show(total, total, "\n")
    link.request({"do": "update", "step": "commit"})
    return opened["resumed"], sent


def _there(link, package):
    """Bytes of each file that are on the board. They came in order: behind one that is not whole there is nothing."""
    found = {}
    for path, data in {LIST: package.list, **package.files}.items():
        found[path] = link.request({"do": "update", "step": "size", "path": path})["size"]
        if found[path] < len(data):
            break
    return found


def _show(passed, total, end=""):
    """How far it is, where a human looks at it."""
    if sys.stderr.isatty():
        print(f"\r{passed:,} of {total:,} bytes", end=end, file=sys.stderr, flush=True)
