"""The board's store: whatever byte the power goes at, a blob is the old one or the new one, and a broken one is seen."""

import builtins
import json
import os
from functools import partial
from types import SimpleNamespace

import pytest

from uike.hal.esp32 import change, erasure
from uike.hal.esp32 import store as module
from uike.hal.esp32.store import Store

OLD, NEW = b"the old blob", b"the new blob, which is longer"


class PowerCut(BaseException):
    pass


class Disk:
    """Cuts the power after so many steps: each byte written, each rename and each opened file is one."""

    def __init__(self, monkeypatch, steps):
        self.left = steps
        self._rename, self._open = os.rename, builtins.open
        monkeypatch.setattr(module.os, "rename", self.rename)
        for each in (module, erasure):
            monkeypatch.setattr(each, "open", self.open, raising=False)

    def step(self):
        if not self.left:
            raise PowerCut
        self.left -= 1

    def rename(self, old, new):
        self.step()
        self._rename(old, new)

    def open(self, path, mode):
        if "w" not in mode:
            return self._open(path, mode)
        self.step()
        return File(self, self._open(path, mode, buffering=0))


class File:
    def __init__(self, disk, file):
        self.disk, self.file = disk, file

    def write(self, data):
        for i in range(len(data)):
            self.disk.step()
            self.file.write(data[i : i + 1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def test_what_is_written_is_read(tmp_path):
    store = Store(str(tmp_path / "store"))
    assert store.read("seed") is None
    for blob in (OLD, NEW, b"", bytes(5000)):
        store.write("seed", blob)
        assert store.read("seed") == blob and Store(str(tmp_path / "store")).read("seed") == blob
    assert not store.fallen


def test_a_power_cut_at_every_step_leaves_the_old_or_the_new(tmp_path, monkeypatch):
    found = set()
    for steps in range(80):
        directory = str(tmp_path / str(steps))
        Store(directory).write("config.json", b"the one before")
        Store(directory).write("config.json", OLD)
        with monkeypatch.context() as patch:
            Disk(patch, steps)
            try:
                Store(directory).write("config.json", NEW)
                done = True
            except PowerCut:
                done = False
        store = Store(directory)
        found.add((store.read("config.json"), done))
        assert store.read("config.json") == NEW if done else store.read("config.json") in (OLD, NEW)
        store.write("config.json", b"and one more")
        assert Store(directory).read("config.json") == b"and one more"
    assert found == {(OLD, False), (NEW, False), (NEW, True)}


def test_two_cuts_in_a_row(tmp_path, monkeypatch):
    for first in range(0, 80, 3):
        for second in range(0, 80, 7):
            directory = str(tmp_path / f"{first}-{second}")
            Store(directory).write("a", OLD)
            for steps, blob in ((first, NEW), (second, b"third")):
                with monkeypatch.context() as patch:
                    Disk(patch, steps)
                    try:
                        Store(directory).write("a", blob)
                    except PowerCut:
                        pass
            assert Store(directory).read("a") in (OLD, NEW, b"third")


@pytest.mark.parametrize("at", [0, 3, 4, 10, -1])
def test_a_broken_blob_falls_back_to_the_one_before_and_says_so(tmp_path, at):
    directory = tmp_path / "store"
    store = Store(str(directory))
    store.write("a", OLD)
    store.write("a", NEW)
    data = bytearray((directory / "a").read_bytes())
    data[at] ^= 1
    (directory / "a").write_bytes(data)
    again = Store(str(directory))
    assert again.read("a") == OLD and again.fallen == ["a"]
    (directory / "a").write_bytes(data[:2])
    assert Store(str(directory)).read("a") == OLD


def test_nothing_is_read_of_what_is_broken_all_over(tmp_path):
    store = Store(str(tmp_path / "store"))
    store.write("a", OLD)
    (tmp_path / "store" / "a").write_bytes(b"xx")
    assert store.read("a") is None


def test_settings(tmp_path):
    store = Store(str(tmp_path / "store"))
    assert store.settings("network.json") == {}
    for text, expected in (('{"wifi": {"ssid": "x"}}', {"wifi": {"ssid": "x"}}), ("[1]", {}), ("{", {})):
        store.write("network.json", text.encode())
        assert store.settings("network.json") == expected
    assert json.loads("{}") == {}


@pytest.fixture
def small_flash(monkeypatch):
    """64 KB are free; the bytes that were written to each file."""
    written = {}

    class Watched(File):
        def write(self, data):
            written[os.path.basename(self.file.name)] = written.get(os.path.basename(self.file.name), b"") + data
            self.file.write(data)

    disk = Disk(monkeypatch, 1 << 30)

    def watched(path, mode):
        return Watched(disk, builtins.open(path, mode)) if "w" in mode else builtins.open(path, mode)

    monkeypatch.setattr(erasure, "open", watched, raising=False)
    monkeypatch.setattr(module.os, "statvfs", lambda path: (4096, 4096, 512, 16, 16), raising=False)
    return written


def test_erasing_overwrites_and_removes_and_fills_what_is_free(tmp_path, small_flash):
    store = Store(str(tmp_path / "store"))
    store.write("a", OLD)
    store.write("a", NEW)
    store.write("crash", b"how a run ended is no secret")
    store.write("board.json", b"{}")
    small_flash.clear()
    turns = []
    store.erase(lambda: turns.append(1))
    assert {path.name for path in (tmp_path / "store").iterdir()} == {"crash", "board.json"} and store.read("a") is None
    assert small_flash["a"] == bytes(len(NEW) + 4) and small_flash["a.old"] == bytes(len(OLD) + 4)
    assert small_flash["filler"] == bytes(65_536) and len(turns) == 18


def test_a_power_cut_in_an_erasure_leaves_nothing_behind_the_next_boot(tmp_path, monkeypatch, small_flash):
    """And what makes the board a provisioned one goes first."""
    for steps in range(0, 60, 7):
        directory = tmp_path / str(steps)
        store = Store(str(directory))
        store.write("a", OLD)
        store.write("config.json", b"{}")
        with monkeypatch.context() as patch:
            Disk(patch, steps)
            try:
                store.erase()
            except PowerCut:
                pass
        again = Store(str(directory))
        if steps:
            assert not again.has("config.json") and not list(directory.iterdir())
        else:
            assert again.has("config.json")  # it had not begun


def test_a_blob_is_there_or_not(tmp_path):
    store = Store(str(tmp_path / "store"))
    assert not store.has("a")
    store.write("a", OLD)
    assert store.has("a")


NAMES = ("config.json", "network.json", "admin")


def written(directory):
    store = Store(directory)
    return tuple(store.read(name) for name in NAMES)


def cut(monkeypatch, steps, action):
    """Does the action until the power goes; whether it was done."""
    with monkeypatch.context() as patch:
        disk = Disk(patch, steps)
        patch.setattr(change, "open", disk.open, raising=False)
        patch.setattr(erasure, "open", disk.open, raising=False)
        patch.setattr(change.os, "remove", lambda path, remove=os.remove: (disk.step(), remove(path)))
        try:
            action()
            return True
        except PowerCut:
            return False


def test_a_power_cut_in_a_transaction_leaves_all_old_or_all_new(tmp_path, monkeypatch):
    before, after = (b"old", b"{}", b"k"), (b"new one", b"[1]", b"kk")
    found = set()
    for steps in range(400):
        directory = str(tmp_path / str(steps))
        for name, data in zip(NAMES, before, strict=True):
            Store(directory).write(name, data)
        board = SimpleNamespace(store=Store(directory))
        blobs = [(name, (data[:1], data[1:])) for name, data in zip(NAMES, after, strict=True)]
        done = cut(monkeypatch, steps, partial(change.replace, board, blobs))
        cut(monkeypatch, steps % 97, partial(Store, directory))  # and once more while it is being finished
        now = written(directory)
        found.add((now, done))
        assert now == after if done else now in (before, after)
        assert not [name for name in os.listdir(directory) if name.startswith("journal")]
        if done:
            break
    assert found == {(before, False), (after, False), (after, True)} and steps > 100
