"""The launcher (firmware/boot.py): what starts, what a boot that fails leaves behind, and that the prompt stays shut."""

import importlib.util
import os
import sys

import pytest

from host_tools.image import FIRMWARE
from tests.hal.chip import Reset
from uike import reason


@pytest.fixture
def start(chip, tmp_path, monkeypatch):
    """Starts the application as MicroPython does; returns the folder that was on the path, None without a start."""
    spec = importlib.util.spec_from_file_location("uike_launcher", FIRMWARE / "boot.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "config.json").write_bytes(b"....{}")
    monkeypatch.setattr(sys, "path", list(sys.path))

    def run(main, locked=True):
        def started():
            run.path = sys.path[0]
            run.interrupt = chip.interrupt
            main()

        fake = type(sys)("main")
        fake.main = started
        monkeypatch.setitem(sys.modules, "main", fake)
        run.path = None
        module.main(locked, str(tmp_path))
        return run.path

    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.mpy").write_bytes(b"M")
    run.folder, run.module = tmp_path, module
    return run


def fail(error):
    def main():
        raise error

    return main


def nothing():
    pass


def test_a_provisioned_board_never_comes_back_to_the_prompt(start, chip):
    for main in (nothing, fail(ValueError("a secret")), fail(SystemExit()), fail(KeyboardInterrupt())):
        with pytest.raises(Reset):
            start(main)
        assert start.interrupt == chip.interrupt == -1
    assert chip.resets == 4 and start.path == str(start.folder / "a")


def test_any_other_board_starts_at_the_second_call_and_does(start, chip, capsys):
    assert start(nothing, locked=False) is None  # provisioned
    os.remove(start.folder / "store" / "config.json")
    assert start(nothing, locked=True) is None and chip.interrupt == 3
    start.module.sys.print_exception = lambda error, *_: print(error)
    try:
        assert start(fail(ValueError("said")), locked=False) == str(start.folder / "a")
    finally:
        del start.module.sys.print_exception
    assert start.interrupt == 3 and not chip.resets and "said" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["config.json.new", "config.json.old"])
def test_a_configuration_that_was_about_to_be_written_counts(start, chip, name):
    (start.folder / "store" / "config.json").rename(start.folder / "store" / name)
    assert start(nothing, locked=False) is None
    with pytest.raises(Reset):
        start(nothing)


def test_the_watchdog_watches_over_the_start(start, chip):
    with pytest.raises(Reset):
        start(lambda: chip.pass_ms(60_001))
    assert chip.cause == chip.WDT_RESET


def test_what_a_run_ended_with_outlives_the_reset_and_is_no_secret(start, chip):
    for count, error in enumerate((ValueError("a secret"), OSError(5), MemoryError(), OSError("a secret")), 1):
        with pytest.raises(Reset):
            start(fail(error))
        assert chip.memory[:5] == b"uk1" + bytes((count, reason.APPLICATION_FAILED))
        chip.memory = chip.memory[:4] + b"\0"  # told
        assert b"secret" not in chip.memory
    chip.power_on()
    with pytest.raises(Reset):
        start(fail(OSError(5)))
    assert chip.memory[3:] == bytes((1, reason.APPLICATION_FAILED)) + b"OSError 5"


def test_what_the_application_says_itself_is_kept(start, chip):
    def main():
        chip.memory = chip.memory[:4] + bytes((reason.NO_TUNNEL,)) + b"hq"

    with pytest.raises(Reset):
        start(main)
    assert chip.memory == b"uk1" + bytes((1, reason.NO_TUNNEL)) + b"hq"


def test_a_version_on_trial_has_two_boots_and_then_the_other_is_back(start, chip):
    slot = start.folder / "slot"
    slot.write_text("b 2")
    began = []
    for left in ("b 1", "b 0", "a", "a"):
        chip.memory = b""
        with pytest.raises(Reset):
            start(fail(ValueError()))
        began.append(start.path[-1])
        assert slot.read_text() == left
        rolled_back = chip.memory[3:5] == bytes((1, reason.UPDATE_ROLLED_BACK))
        assert rolled_back == (left == "a" and began.count("a") == 1)
    assert began == ["b", "b", "a", "a"]


def test_a_version_that_was_given_up_has_its_last_words(start, chip):
    (start.folder / "slot").write_text("b 2")
    for _ in range(2):
        with pytest.raises(Reset):
            start(fail(OSError(28)))
        assert chip.memory[4] == reason.APPLICATION_FAILED
        chip.memory = chip.memory[:4] + b"\0" + chip.memory[5:] if chip.memory[3] == 1 else chip.memory
    with pytest.raises(Reset):
        start(nothing)
    assert chip.memory == b"uk1" + bytes((1, reason.UPDATE_ROLLED_BACK)) + b"OSError 28"  # and the old one counts anew


@pytest.mark.parametrize("text", ["", "c", "b x", "\0\0", "a 1 2"])
def test_a_slot_file_that_makes_no_sense(start, text):
    (start.folder / "slot").write_text(text)
    with pytest.raises(Reset):
        start(nothing)
    assert start.path[-1] == ("b" if text == "b x" else "a")


def test_a_folder_that_is_not_there(start):
    os.remove(start.folder / "a" / "main.mpy")
    with pytest.raises(Reset):
        start(nothing)
    assert start.path[-1] == "b"


def test_when_safe_mode_does_not_help_the_other_version_has_a_try(start, chip):
    began = ""
    for _ in range(14):
        with pytest.raises(Reset):
            start(fail(ValueError()))
        began += start.path[-1]
    assert began == "aaaaaabbbbbaaa"
