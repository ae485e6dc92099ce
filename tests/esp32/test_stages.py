"""A proof: what the device's lines mean, that a wrong answer fails it, and what is said when it cannot begin."""

import io
import json
from types import SimpleNamespace

import pytest
import serial
from click.testing import CliRunner
from rich.console import Console

from host_tools import image
from host_tools.esp32 import __main__ as command
from host_tools.esp32 import emulator, report, stages
from host_tools.esp32.repl import Repl
from host_tools.esp32.stages import Result, Run
from tests.crypto import cases as vectors
from tests.esp32.device import Device
from tests.esp32.test_flash import official

RUN = Run("packets", "ESP packets", "packets", "'soft', (64,)")
ABOUT = {"device": "MicroPython", "provider": "soft", "firmware": 1000, "seconds": 1}


@pytest.mark.parametrize(
    "line, result",
    [
        ("figure\tSHA-256 64 bytes\t35\tus", Result("s", "figure", "SHA-256 64 bytes", "35", "us")),
        ("ok\tX25519 agrees", Result("s", "ok", "X25519 agrees")),
        ("wrong\tX25519 agrees\ta wrong answer", Result("s", "wrong", "X25519 agrees", "", "a wrong answer")),
        ("ok\tone\ttoo many", None),
        ("figure\tfree\t35", None),
        ("I (1234) wifi:state: run", None),
        ("", None),
    ],
)
def test_lines(line, result):
    assert stages.parse("s", line) == result


class Saying(Run):
    """A run whose program is given."""

    def source(self, names, slow_flash):
        return self.arguments


def executed(tmp_path, program):
    """(results, other lines, exit status) of a program on the device."""
    device = Device(tmp_path)
    run = Saying("packets", "ESP packets", "packets", program)
    results, others = [], []
    try:
        with serial.serial_for_url(device.url) as link:
            repl = Repl(link, boot_s=1)
            repl.enter()
            stages.execute(repl, run, SimpleNamespace(symbols={"bV": "replay"}), results.append, others.append)
            assert device.resets == 1
    finally:
        device.close()
    return results, others, report.status([run], results)


def test_right_answers(tmp_path):
    program = "print('ok\\tone')\nprint('figure\\ttwo\\t2\\tbytes')\nprint('noise')"
    results, others, status = executed(tmp_path, program)
    assert [result.name for result in results] == ["one", "two"] and others == ["noise"] and status == 0


def test_one_wrong_answer_among_right_ones_fails(tmp_path):
    results, _, status = executed(tmp_path, "print('ok\\tone')\nprint('wrong\\ttwo\\twhy')\nprint('ok\\tthree')")
    assert len(results) == 3 and status == 1


def test_an_exception_after_right_answers_fails(tmp_path):
    results, others, status = executed(tmp_path, "print('ok\\tone')\nraise ValueError('broken')")
    assert results[-1] == Result("packets", "wrong", "ESP packets", "", "ValueError: broken") and status == 1
    assert "Traceback" in others[0]


def test_an_exception_is_told_in_the_names_of_the_firmware(tmp_path):
    program = """raise ValueError("'Window' object has no attribute 'bV'")"""
    results, others, _ = executed(tmp_path, program)
    assert results[-1].unit == "ValueError: 'Window' object has no attribute 'replay'"
    traceback = '  File "sad.py", line 1, in bV'
    assert stages.readable(traceback, {"bV": "replay", "File": "x"}) == '  File "sad.py", line 1, in replay'


def test_saying_nothing_fails(tmp_path):
    results, _, status = executed(tmp_path, "print('noise')")
    assert results == [Result("packets", "wrong", "ESP packets", "", "the program said nothing")] and status == 1


def test_a_stage_without_results_fails_and_so_does_a_proof_of_nothing():
    right = [Result("heap", "ok", "one")]
    assert report.status([RUN], right) == 1 and report.status([RUN._replace(stage="heap")], right) == 0
    assert report.status([], []) == 1


def test_the_report_names_each_wrong_answer():
    results = [Result("packets", "figure", "out", "1500", "us"), Result("packets", "wrong", "[in]", "", "it was lost")]
    screen = Console(width=100, file=io.StringIO())
    report.show(screen, ABOUT, [RUN], results)
    text = screen.file.getvalue()
    assert "1.50 ms" in text and "0 right, 1 wrong" in text and "WRONG packets: [in]: it was lost" in text


def test_vectors_go_in_parts():
    cases = [{"name": str(number), "data": "5a" * 1_000} for number in range(500)]
    parts = stages.parts(cases)
    assert len(parts) == 3 and [case for part in parts for case in part] == cases
    assert all(sum(len(json.dumps(case)) + 1 for case in part) <= stages.PART_MAX for part in parts)
    assert stages.parts([]) == [[]]


def test_a_vector_without_an_answer_is_a_wrong_one():
    cases = [{"name": "one"}, {"name": "two"}, {"name": "three"}]
    results = [Result("vectors", "ok", "one"), Result("vectors", "wrong", "three", "", "why")]
    assert stages.unanswered(cases, results) == [Result("vectors", "wrong", "two", "", "no answer")]
    assert stages.unanswered([], results) == []


def test_vectors_of_a_few_algorithms():
    few = command._cases("ed25519_sign,drbg")
    assert {case["kind"] for case in few} == {"sign", "drbg"}
    assert few == vectors.cases("ed25519_sign") + vectors.cases("drbg")
    assert command._cases("all") == vectors.every() and command._cases("none") == []
    for name in vectors.ALL:
        assert command._cases("sample").count(vectors.cases(name)[0]) == 1
    for wrong in ("ed25519,rot13", "", "sample,ecdsa"):
        with pytest.raises(command.UsageError, match="no vectors of .*there are sample, all, none, sha1"):
            command._cases(wrong)


def test_every_program_has_its_guest_and_its_names_are_those_of_the_image():
    runs = stages.plan("soft", ("net", "secret"), [{}])
    kinds = "heap wifi selftest vectors primitives signatures packets first handshake certificates"
    assert {run.stage for run in runs} == set(kinds.split())
    names = image.device_names(platform=stages.PLATFORM)
    for run in runs:
        assert (stages.GUEST / f"{run.module}.py").exists()
        compile(run.source(names, slow_flash=True), run.stage, "exec")
    assert "umount" in RUN.source(names, slow_flash=True) and "umount" not in RUN.source(names, slow_flash=False)
    assert "umount" not in runs[0].source(names, slow_flash=True)  # it would change what is measured


# -- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def image_path(tmp_path):
    path = tmp_path / "official.bin"
    path.write_bytes(official())
    return str(path)


def said(*arguments):
    outcome = CliRunner().invoke(command.main, arguments)
    return outcome.exit_code, outcome.stderr.strip()


def test_a_missing_emulator_is_one_clear_line(image_path):
    status, text = said("--image", image_path, "--emulator", "/nowhere/qemu-system-xtensa")
    assert status == 2 and text.count("\n") == 0
    assert text.startswith("esp32: no emulator /nowhere/qemu-system-xtensa: name a qemu-system-xtensa")


def test_an_emulator_that_ends_says_why(image_path, tmp_path):
    broken = tmp_path / "qemu"
    broken.write_text("#!/bin/sh\necho unsupported machine type >&2\nexit 1\n")
    broken.chmod(0o755)
    assert said("--image", image_path, "--emulator", str(broken)) == (
        2,
        "esp32: the emulator ended: unsupported machine type",
    )


def test_wrong_use(image_path):
    both = "esp32: give either --port, or both --image and --emulator"
    assert said() == (2, both)
    assert said("--image", image_path) == (2, both)
    assert said("--port", "/dev/nowhere", "--image", image_path, "--emulator", "qemu") == (2, both)
    status, text = said("--image", image_path, "--emulator", "sh", "--only", "nothing")
    assert status == 2 and text.startswith("esp32: there is no such stage; this image and these options have heap, ")
    status, text = said("--image", image_path, "--emulator", "sh", "--vectors", "rot13")
    assert status == 2 and text.startswith("esp32: no vectors of rot13; there are sample, all, none, sha1")
    status, text = said("--port", "/dev/nowhere")
    assert status == 2 and "/dev/nowhere" in text and text.count("\n") == 0


def test_a_file_that_is_no_image_is_refused(tmp_path):
    path = tmp_path / "x.bin"
    path.write_text("hello")
    assert said("--image", str(path), "--emulator", "qemu")[1].startswith("esp32: not an ESP32 firmware image")


def test_the_emulator_stays_on_loopback(monkeypatch, tmp_path):
    monkeypatch.setattr(emulator.shutil, "which", lambda name: name)
    line = emulator.command("qemu", "esp32", tmp_path / "flash.bin", 5000, network=True)
    assert line[:3] == ["qemu", "-machine", "esp32"] and "tcp:127.0.0.1:5000,server,nowait" in line
    assert "-nic" in line and "-nic" not in emulator.command("qemu", "esp32", tmp_path / "flash.bin", 5000)
    with pytest.raises(emulator.EmulatorError, match="no emulated esp32c6"):
        emulator.command("qemu", "esp32c6", tmp_path / "flash.bin", 5000)
