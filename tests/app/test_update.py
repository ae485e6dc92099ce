"""Updates: taken when they are signed and newer, refused otherwise; and whenever the power goes, a whole version runs."""

import builtins
import importlib.util
import json
import os
import shutil
import sys
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from host_tools import update_package
from host_tools.image import FIRMWARE
from tests.hal.chip import Chip
from uike.app import update
from uike.hal.cpython.crypto import Provider
from uike.hal.esp32 import slots as module
from uike.hal.esp32.slots import Slots

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes(*update_package._RAW)
OLD = {"main.mpy": b"old main", "uike/ike/sa.mpy": b"old sa"}
NEW = {"main.mpy": b"new main", "uike/ike/sa.mpy": b"new sa, longer " * 50, "uike/empty.mpy": b""}
MACHINE = 10


def package(files=NEW, number=2, key=KEY, machine=MACHINE):
    return update_package.make(files, number, "0.2.0", machine, key)


class Board:
    """A board with the old version in "a"."""

    name = "esp32"

    def __init__(self, root, key=PUBLIC):
        for path, data in OLD.items():
            (root / "a" / path).parent.mkdir(parents=True, exist_ok=True)
            (root / "a" / path).write_bytes(data)
        self.root = root
        self.said = []
        self.store = SimpleNamespace(read=lambda name: {"update.key": key}.get(name))
        trace = lambda code, sa, body: self.said.append((code, body))  # noqa: E731
        self.life = SimpleNamespace(slots=lambda: Slots(str(root)), machine=MACHINE, trace=trace)

    def crypto(self):
        return Provider()

    def now(self):
        return 0

    def take(self, package, size=100):
        update.begin(self, package.header, package.signature)
        for step in package.steps(size):
            update.write(self, *step)
        update.commit(self)

    def files(self, name):
        folder = self.root / name
        found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return {path: data for path, data in found.items() if path not in ("package", "signature", "list")}


@pytest.fixture
def board(tmp_path):
    return Board(tmp_path)


def test_a_new_version_is_on_trial_and_then_stays(board):
    board.take(package())
    assert board.files("b") == NEW and board.files("a") == OLD
    assert board.life.slots().read() == ("a", False) or board.life.slots().read() == ("b", True)
    assert (board.root / "slot").read_text() == "b 2"
    assert [body for _, body in board.said] == [b"\x010.2.0", b"\x020.2.0"]
    assert board.life.slots().confirm() is True and (board.root / "slot").read_text() == "b"
    assert board.life.slots().confirm() is False
    board.take(package(OLD, number=3))
    assert board.files("a") == OLD and (board.root / "slot").read_text() == "a 2"


def test_an_older_number_is_refused_and_so_is_the_same(board):
    board.take(package(number=7))
    board.life.slots().confirm()
    for number in (1, 7):
        with pytest.raises(ValueError, match="number 7 runs already"):
            board.take(package(number=number))
    board.take(package(number=8))


def test_no_update_over_the_version_to_go_back_to(board):
    board.take(package())
    with pytest.raises(ValueError, match="on trial"):
        board.take(package(number=9))
    assert board.files("a") == OLD


@pytest.mark.parametrize(
    "made, said",
    [
        (package(key=Ed25519PrivateKey.from_private_bytes(bytes(32))), "not signed by this board's key"),
        (package()._replace(signature=bytes(64)), "not signed"),
        (package()._replace(signature=b"x"), "no package"),
        (package()._replace(header=package().header.replace(b"0.2.0", b"0.2.1")), "not signed"),
        (package()._replace(header=b"x" * 2000), "no package"),
        (package(machine=11), "another kind of board"),
    ],
)
def test_what_is_refused_at_once(board, made, said):
    with pytest.raises(ValueError, match=said):
        board.take(made)
    assert not (board.root / "b").exists() and not (board.root / "slot").exists()


def test_a_board_without_a_key_or_without_slots(tmp_path):
    with pytest.raises(ValueError, match="no update key"):
        Board(tmp_path, key=None).take(package())
    with pytest.raises(ValueError, match="not on this platform"):
        update.begin(SimpleNamespace(life=None), b"", b"")


@pytest.mark.parametrize(
    "change",
    [
        {"main.mpy": b"bad main"},
        {"uike/ike/sa.mpy": b"short"},
        {"uike/more.mpy": b"not listed"},
        {"main.mpy": None},
        {"list": b""},
        {"list": package().list + b"00 0 uike/more.mpy\n"},
    ],
)
def test_files_that_were_not_signed_are_never_on(board, change):
    made = package()
    sent = {"list": made.list, **made.files, **change}
    update.begin(board, made.header, made.signature)
    for path, data in sent.items():
        if data is not None:
            update.write(board, path, 0, data)
    with pytest.raises(ValueError):
        update.commit(board)
    assert not (board.root / "slot").exists()


def test_a_signed_package_without_a_start(board):
    with pytest.raises(ValueError, match="without a start"):
        board.take(package({"uike/x.mpy": b"x"}))


def test_a_stored_header_that_was_damaged(board):
    made = package()
    update.begin(board, made.header, made.signature)
    for step in made.steps():
        update.write(board, *step)
    (board.root / "b" / "package").write_bytes(made.header.replace(b'"number": 2', b'"number": 9'))
    with pytest.raises(ValueError, match="not signed"):
        update.commit(board)


BAD_PATHS = [
    "",
    "/main.mpy",
    "../a/main.mpy",
    "uike//x",
    "uike/./x",
    "uike/..",
    "package",
    "signature",
    "A",
    "a" * 65,
    "a b",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_paths_that_lead_elsewhere(board, path):
    made = package()
    update.begin(board, made.header, made.signature)
    with pytest.raises(ValueError, match="bad path"):
        update.write(board, path, 0, b"x")


def test_writing_needs_a_beginning_and_goes_on_where_it_stopped(board):
    with pytest.raises(ValueError, match="begin comes first"):
        update.write(board, "main.mpy", 0, b"new")
    made = package()
    update.begin(board, made.header, made.signature)
    update.write(board, "main.mpy", 0, b"new")
    for offset in (0, 2, 4):
        with pytest.raises(ValueError, match="main.mpy has 3 bytes"):
            update.write(board, "main.mpy", offset, b" main")
    assert update.size(board, "main.mpy") == 3 and update.size(board, "list") == 0
    update.write(board, "main.mpy", 3, b" main")
    with pytest.raises(ValueError, match="no room"):
        update.write(board, "uike/x", 0, bytes(65_537))


def test_a_full_flash(board, monkeypatch):
    made = package()
    update.begin(board, made.header, made.signature)
    monkeypatch.setattr(module.os, "statvfs", lambda path: (4096, 4096, 512, 15, 15))
    with pytest.raises(ValueError, match="no room"):
        update.write(board, "main.mpy", 0, b"new")


# -- power cuts ------------------------------------------------------------------------------------------------------


class PowerCut(BaseException):
    pass


class Disk:
    """Cuts the power after so many steps: each block of 16 bytes written, each file opened for writing, renamed or
    removed, each folder made or removed is one."""

    def __init__(self, patch, modules, steps):
        self.left = steps
        for each in modules:
            patch.setattr(each, "open", self.open, raising=False)
        for name in ("rename", "remove", "mkdir", "rmdir"):
            patch.setattr(os, name, self._stepping(getattr(os, name)))

    def step(self):
        if not self.left:
            raise PowerCut
        self.left -= 1

    def _stepping(self, real):
        def call(*arguments):
            self.step()
            return real(*arguments)

        return call

    def open(self, path, mode="r"):
        if "w" not in mode and "a" not in mode:
            return builtins.open(path, mode)
        self.step()
        return File(self, builtins.open(path, mode.replace("b", "") + "b", buffering=0))


class File:
    def __init__(self, disk, file):
        self.disk, self.file = disk, file

    def write(self, data):
        data = data.encode() if isinstance(data, str) else data
        for at in range(0, len(data), 16):
            self.disk.step()
            self.file.write(data[at : at + 16])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


@pytest.fixture
def launcher(monkeypatch):
    chip = Chip()
    for name, made in chip.modules().items():
        monkeypatch.setitem(sys.modules, name, made)
    spec = importlib.util.spec_from_file_location("uike_launcher_of_updates", FIRMWARE / "boot.py")
    launcher = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(launcher)
    return launcher


def started(launcher, board):
    """The name of the folder that the next boot starts, with the launcher's own writing."""
    return launcher._choose(str(board.root), 1)[0][-1]


def test_a_power_cut_at_every_step_of_an_update(tmp_path, launcher):
    """Before the switch the old version starts, behind it the new one; never half of one, and another try works."""
    seen, steps, finished = set(), 0, False
    while not finished:
        root = tmp_path / str(steps)
        board = Board(root)
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, (module,), steps)
            try:
                board.take(package(), size=400)
                finished = True
            except PowerCut:
                pass
        name = started(launcher, board)
        assert board.files(name) == (OLD if name == "a" else NEW), steps
        seen.add((name, finished))
        if name == "a":
            board.take(package(), size=400)
            assert started(launcher, board) == "b" and board.files("b") == NEW
        steps += 1
        shutil.rmtree(root)
    assert seen == {("a", False), ("b", True)} and steps > 60


def test_a_power_cut_at_every_step_of_the_launcher(tmp_path, launcher):
    """However often: the new version has its boots, and in the end the old one is back."""
    for steps in range(12):
        root = tmp_path / str(steps)
        board = Board(root)
        board.take(package())
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, (launcher,), steps)
            try:
                for _ in range(4):
                    name = started(launcher, board)
                    assert board.files(name) == (OLD if name == "a" else NEW)
            except PowerCut:
                pass
        names = [started(launcher, board) for _ in range(4)]
        assert names[-1] == "a" and "".join(names) == "".join(sorted(names, reverse=True))


def test_the_steps_of_a_package_are_what_a_device_takes():
    made = package()
    steps = list(made.steps(100))
    assert steps[0][:2] == ("list", 0) and ("uike/empty.mpy", 0, b"") in steps
    assert b"".join(data for path, _, data in steps if path == "uike/ike/sa.mpy") == NEW["uike/ike/sa.mpy"]
    assert json.loads(made.header)["number"] == 2
