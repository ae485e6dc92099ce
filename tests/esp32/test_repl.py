"""The raw REPL against a device that keeps to MicroPython's protocol, and against ones that do not."""

import contextlib

import pytest
import serial

from host_tools.esp32.repl import GuestError, Repl, ReplError
from tests.esp32.device import Device


@contextlib.contextmanager
def prompt(disk, **options):
    device = Device(disk, **options)
    try:
        with serial.serial_for_url(device.url) as link:
            yield device, Repl(link, boot_s=0.1)
    finally:
        device.close()


@pytest.fixture
def board(tmp_path):
    """(device, its REPL in raw mode)."""
    with prompt(tmp_path) as (device, repl):
        repl.enter()
        yield device, repl


def test_a_program_prints(board):
    _, repl = board
    assert repl.ask("for i in range(3):\n    print('line', i)") == "line 0\nline 1\nline 2"
    assert repl.ask("x = 5") == ""
    assert repl.ask("print(x)") == "5"


def test_a_long_program_fits_through_a_small_window(board):
    device, repl = board
    source = "".join(f"x{i} = {i}\n" for i in range(200)) + "print(x199)"
    assert repl.ask(source) == "199"
    assert device.programs == [source]


def test_lines_come_one_by_one_and_the_last_needs_no_end(board):
    _, repl = board
    lines = []
    repl.run("print('one')\nprint('two', end='')", lines.append)
    assert lines == ["one", "two"]


def test_an_exception_is_told_with_its_traceback_and_the_prompt_lives(board):
    _, repl = board
    with pytest.raises(GuestError, match=r"(?s)Traceback.*ValueError: what\Z"):
        repl.ask("print('before')\nraise ValueError('what')")
    assert repl.ask("print('after')") == "after"


def test_a_soft_reset_forgets_everything(board):
    device, repl = board
    repl.ask("x = 1")
    repl.soft_reset()
    assert device.resets == 1
    with pytest.raises(GuestError, match="NameError"):
        repl.ask("print(x)")


def test_files_are_written_byte_for_byte_and_nothing_else_is_touched(board, tmp_path):
    _, repl = board
    (tmp_path / "main.py").write_text("their own")
    (tmp_path / "uike_proof").mkdir()
    (tmp_path / "uike_proof" / "old").write_text("left over")
    files = {"a/b/c.mpy": bytes(range(256)) * 5, "a/d": b"", "e.py": b"'\"\\\n\r\x04\x03"}
    repl.put(files, "/uike_proof")
    found = {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {"main.py": b"their own", **{f"uike_proof/{name}": data for name, data in files.items()}}
    repl.remove("/uike_proof")
    assert [path.name for path in tmp_path.iterdir()] == ["main.py"]
    repl.remove("/uike_proof")  # it need not be there


def test_a_full_file_system_is_noticed(board):
    device, repl = board
    device.room = 700
    with pytest.raises(ReplError, match="/uike_proof/big has 700 bytes on the device, not 1000"):
        repl.put({"big": bytes(1000)}, "/uike_proof")


def test_silence_is_not_a_prompt(tmp_path):
    with prompt(tmp_path, mute=True) as (_, repl), pytest.raises(ReplError, match="no MicroPython prompt"):
        repl.enter()


def test_a_device_without_raw_paste_is_refused(tmp_path):
    with prompt(tmp_path, paste=False) as (_, repl):
        repl.enter()
        with pytest.raises(ReplError, match="no raw-paste mode: it answered b'ra'"):
            repl.ask("print(1)")


def test_a_program_that_says_nothing_for_too_long_is_given_up(board):
    device, repl = board
    device.mute = True
    with pytest.raises(ReplError):
        repl._lines(lambda line: None, 0.3)
