"""`uike explain` and `uike ladder` of a board at a port: they listen until a negotiation has come to its end."""

import contextlib
import json
import socket
import threading
import time

import pytest
from click.testing import CliRunner

from host_tools import live, records
from host_tools.cli import main
from tests.handshake import lifetime, line
from uike import event, reason

CODES = {name.upper(): code for code, name in records.NAMES.items()}
HERE, THERE = b"\xc0\0\2\2\x01\xf4", b"\xc0\0\2\1\x01\xf4"
FAILED = (
    line(event.NEGOTIATING, 1, 0, b"\1" + HERE + THERE + b"hq"),
    line(event.CLOSED, 1, 9_000, bytes((reason.NO_ANSWER, 0, 0, 34, 0, 0, 0, 0, 0))),
)


@contextlib.contextmanager
def board(*lines):
    """The URL of a port at which a board says these lines, noise between them, and then waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk():
            with contextlib.suppress(OSError):
                stream = server.accept()[0]
                time.sleep(0.3)  # pyserial throws away what is there when it opens a port
                stream.sendall(b"ets Jun  8 2016 00:22:57\r\n" + b"".join(each + b"\r\n" for each in lines))
                stream.recv(1)  # until the command has gone
                stream.close()

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
    thread.join(5)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(live, "_QUIET_S", 0.05)
    monkeypatch.setattr(live, "_POLL_S", 0.02)


def run(*words, **environment):
    return CliRunner(env=environment).invoke(main, list(words))


def test_why_it_does_not_come_up():
    with board(*FAILED) as port:
        result = run("explain", "--json", UIKE_PORT=port)
    assert result.exit_code == 1 and json.loads(result.stdout)["case"] == "NO_ANSWER"
    assert "listening for 90 s" in result.stderr


def test_the_ladder_of_one_that_came_up():
    world, _ = lifetime()
    said = [line(CODES[name], sa, 43, body) for name, sa, body in world.board.log]
    with board(*said) as port:
        result = run("ladder", "--port", port)
    assert result.exit_code == 0 and "IKE_SA_INIT" in result.stdout and "IKE_AUTH" in result.stdout


@pytest.mark.parametrize("command", ["explain", "ladder"])
def test_a_board_that_says_nothing(command):
    with board() as port:
        result = run(command, "--port", port, "--listen", "0.2")
    assert result.exit_code == 1 and "the board said nothing of a negotiation" in result.stderr


@pytest.mark.parametrize("command", ["explain", "ladder"])
def test_no_board(command):
    result = run(command, "--port", "socket://127.0.0.1:1")
    assert result.exit_code == 3 and "nobody listens there" in result.stderr


def test_a_file_comes_first(tmp_path):
    path = tmp_path / "board.trace"
    path.write_bytes(b"\n".join(FAILED))
    result = run("explain", str(path), "--json", UIKE_PORT="socket://127.0.0.1:1")
    assert result.exit_code == 1 and json.loads(result.stdout)["case"] == "NO_ANSWER"
