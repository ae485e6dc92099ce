"""Runs in the unix MicroPython: an update on a real LittleFS 2 in memory, with the power cut at each block operation.

Prints a line "cut" for each: operations until then, the folder that the next boot starts, and whether all was well.
Other lines are those of MicroPython's collector, which closes the files of a board that lost its power.
"""

import os
import sys

import uctypes  # noqa: F401  (a MicroPython, or this is the wrong interpreter)
import vfs

BLOCK, BLOCKS = 512, 256


class PowerCut(Exception):
    pass


class Flash:
    """A block device. What it holds outlives the power: another one is made with it."""

    def __init__(self, data=bytes(BLOCK * BLOCKS)):
        self.data = bytearray(data)
        self.left = None  # operations until the power goes

    def _step(self):
        if self.left is not None:
            if not self.left:
                raise PowerCut
            self.left -= 1

    def readblocks(self, n, buf, offset=0):
        at = n * BLOCK + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, n, buf, offset=0):
        self._step()
        at = n * BLOCK + offset
        self.data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return BLOCKS
        if op == 5:
            return BLOCK
        if op == 6:
            self._step()
            self.data[arg * BLOCK : (arg + 1) * BLOCK] = b"\xff" * BLOCK
            return 0


class Memory:
    """machine, as far as the launcher needs it."""

    data = b""

    def RTC(self):
        return self

    def memory(self, data=None):
        if data is None:
            return self.data
        self.data = data


class Crypto:
    """Believes every signature: that is not what is tried here."""

    def verify(self, *_):
        return True

    def release(self):
        pass


class Board:
    name = "esp32"

    def __init__(self, root, machine):
        from uike.hal.esp32.slots import Slots

        self.life = self.store = self
        self.slots, self.machine = lambda: Slots(root), machine

    def trace(self, *_):
        pass

    def read(self, name):
        return bytes(32)

    def crypto(self):
        return Crypto()

    def now(self):
        return 0


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


def get(path):
    with open(path, "rb") as file:
        return file.read()


def prepared(old):
    """A flash with the old version in "a"."""
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash)
    mount(flash)
    for folder in ("a", "a/uike", "a/uike/ike"):
        os.mkdir("/flash/" + folder)
    for path in old:
        put("/flash/a/" + path, old[path])
    vfs.umount("/flash")
    return flash


def mount(flash):
    vfs.mount(vfs.VfsLfs2(flash, readsize=32, progsize=32, lookahead=32), "/flash")


def take(update, package, machine):
    board = Board("/flash", machine)
    header, signature, steps = package
    update.begin(board, header, signature)
    for step in steps:
        update.write(board, *step)
    update.commit(board)


def run(old, new, package, machine, stride):
    """Cuts the power after 0, stride, 2 * stride ... operations, until one update gets through."""
    sys.modules["machine"] = Memory()
    launcher, update = __import__("boot"), __import__("uike.app.update", None, None, ("begin",))
    first = prepared(old)
    steps, finished = 0, False
    while not finished:
        flash = Flash(first.data)
        mount(flash)
        flash.left = steps
        try:
            take(update, package, machine)
            finished = True
        except PowerCut:
            pass
        vfs.umount("/flash")
        mount(Flash(flash.data))  # a file that is still open somewhere finds the old one only
        name = launcher._choose("/flash", 1)[0][-1]
        version = old if name == "a" else new
        sound = all([get(f"/flash/{name}/{path}") == version[path] for path in version])
        if name == "a":
            take(update, package, machine)
            sound = sound and launcher._choose("/flash", 1)[0][-1] == "b"
        vfs.umount("/flash")
        print("cut", steps, name, sound)
        steps += stride
