"""`uike flash` against a boot loader that speaks the chip's protocol: what it writes, what it keeps, what it refuses."""

import contextlib
import functools
import json
import socket
import threading
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from esp32_mock_bootloader import server as mock

from host_tools import image, installer
from host_tools.cli import main
from host_tools.esp32 import flash
from tests.esp32.test_flash import ESP32, official
from tests.host_tools.test_board_commands import FILE

NVS = 0x9000


class Chip:
    """A chip in its boot loader on a TCP port, and its flash of four megabytes."""

    def __init__(self, name):
        self.name = name
        self.ended = threading.Event()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(0.2)
        self.address = self.server.getsockname()
        self.url = f"socket://127.0.0.1:{self.address[1]}"
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.ended.is_set():
            try:
                connection = mock.BootloaderConnection(sock=self.server.accept()[0])
            except TimeoutError:
                continue
            with contextlib.suppress(OSError):
                mock.handle_client(connection, self.ended, self.name)

    @property
    def flash(self):
        return mock.get_flash_image().data

    def stored(self, path):
        """A blob of the store."""
        place = flash.file_system_place(official(ESP32), len(self.flash))
        data = self.flash[place.offset : place.offset + place.size]
        return flash.stored_files(lambda at, size: bytes(data[at : at + size]), place.size, "store").get(path)

    def close(self):
        self.ended.set()
        self.thread.join()
        self.server.close()


@pytest.fixture
def board(monkeypatch):
    """Makes chips."""
    monkeypatch.setattr(mock, "_CLIENT_RECV_TIMEOUT", 0.5)  # a client of the same process may be that slow
    monkeypatch.setattr(mock, "_FLASH_END_IDLE_SEC", 0.1)
    mock.get_flash_image().reset()
    made = []

    def make(name="esp32"):
        made.append(Chip(name))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def chip(board):
    return board()


build = functools.cache(image.build)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "build", build)
    there = SimpleNamespace(directory=lambda *_: tmp_path / "kept", write_file=installer.cache.write_file)
    monkeypatch.setattr(installer, "cache", there)
    (tmp_path / "kept").mkdir()
    (tmp_path / "micropython.bin").write_bytes(official(ESP32))
    (tmp_path / "gw.toml").write_text(FILE)

    def call(port, *words, board="esp32-generic", code=0):
        given = ["flash", board, "--port", port, "--micropython", str(tmp_path / "micropython.bin"), "--allow-unknown"]
        result = CliRunner().invoke(main, [*given, "--no-wait", *words])
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    call.config = str(tmp_path / "gw.toml")
    call.kept = tmp_path / "kept"
    return call


def test_a_new_board_is_flashed_and_flashed_again(run, chip):
    report = json.loads(run(chip.url, "--config", run.config, "--json").stdout)
    assert report["chip"] == "esp32" and report["mac"].startswith("24:0a:c4") and report["kept"] == []
    first = chip.stored("store/config.json")
    assert b"correct horse" in first and chip.flash[0x1000:0x1800] == official(ESP32)[:0x800]
    chip.flash[NVS : NVS + 4] = b"mine"
    report = json.loads(run(chip.url, "--json").stdout)
    assert "store/config.json" in report["kept"] and chip.stored("store/config.json") == first
    assert chip.flash[NVS : NVS + 4] == b"mine" and not list(run.kept.iterdir())
    out = run(chip.url, "--erase").stdout
    assert "written and verified" in out and chip.stored("store/config.json") is None
    assert chip.flash[NVS : NVS + 4] == b"\xff" * 4


def test_a_wrong_chip_is_refused_before_anything_is_written(run, board):
    result = run(board("esp32c3").url, code=1)
    assert "this chip is an esp32c3, and esp32-generic has an esp32" in result.stderr
    assert not mock.get_flash_image().data.strip(b"\xff")


def test_no_boot_loader(run):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = f"socket://127.0.0.1:{nobody.getsockname()[1]}"
    result = run(port, code=1)
    assert "hold BOOT" in result.stderr and result.stdout == ""


class Cable:
    """A line to a chip that is pulled after so many bytes have gone there."""

    def __init__(self, chip, limit):
        self.chip, self.limit = chip, limit
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        near = self.server.accept()[0]
        far = socket.create_connection(self.chip.address)
        threading.Thread(target=self.back, args=(far, near), daemon=True).start()
        passed = 0
        with contextlib.suppress(OSError):  # the chip hangs up when it has all
            while passed < self.limit and (data := near.recv(4096)):
                passed += len(data)
                far.sendall(data)
        for end in (near, far):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.server.close()

    @staticmethod
    def back(far, near):
        with contextlib.suppress(OSError):  # pulled
            while data := far.recv(65536):
                near.sendall(data)


def test_the_cable_is_pulled_in_the_middle(run, chip):
    """Whenever that is, the next run makes the board whole, with the configuration that it had."""
    run(chip.url, "--config", run.config)
    before = chip.stored("store/config.json")
    for limit in (20_000, 100_000):
        result = run(Cable(chip, limit).url, code=1)
        assert "the cable was pulled" in result.stderr and "run the same command again" in result.stderr
        assert chip.stored("store/config.json") in (before, None)
    report = json.loads(run(chip.url, "--json").stdout)
    assert "store/config.json" in report["kept"] and chip.stored("store/config.json") == before
    assert not list(run.kept.iterdir())


def test_wrong_use_comes_before_the_board(run, tmp_path):
    assert "no board toaster" in run("loop://", board="toaster", code=2).stderr
    (tmp_path / "gw.toml").write_text(FILE + "[wifi2]\n")
    assert "wifi2" in run("loop://", "--config", run.config, code=2).stderr


def test_waiting_for_a_greeting_that_does_not_come():
    with pytest.raises(installer.InstallError, match="press RESET"):
        installer.wait_for_greeting("loop://", start_s=0.1)
