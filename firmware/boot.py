"""The first thing at power-on, on a chip's flash as `uike_start`: counts the boot, starts the version that is on.

MicroPython runs /boot.py, and main.py after it; both call `main`. On a provisioned board, one with a configuration, the
first call never returns: no Ctrl-C, no prompt, and whatever the application ends with is noted and the chip reset. On
any other board it is the second that starts the application, and Ctrl-C leads to the prompt.

An update never replaces this file, and it uses nothing of the application. They share the record
(uike/hal/esp32/record.py), the file that says which version is on (uike/hal/esp32/slots.py), and the name of the entry.
"""

import os
import sys

import machine
import micropython

from uike import reason

_CTRL_C = 3
_WATCHDOG_MS = 60_000
_MARK = b"uk1"  # a record: mark, boots since the last good one(1) reason(1) detail
_DETAIL_MAX = 64
_HOPELESS = 6  # failed boots after which the other version has a try, if there is one: safe mode did not help either


def main(locked, root=""):
    """Starts the application if the board is provisioned (`locked`), or is not. `root` is where the file system is."""
    if _provisioned(root + "/store/config.json") != locked:
        micropython.kbd_intr(_CTRL_C)
        return
    micropython.kbd_intr(-1 if locked else _CTRL_C)
    if locked:
        machine.WDT(timeout=_WATCHDOG_MS)  # the application feeds it
    record = _count()
    path, rolled_back = _choose(root, record[3])
    if rolled_back:  # what its last boot ended with is the best that there is to say
        machine.RTC().memory(_MARK + bytes((1, reason.UPDATE_ROLLED_BACK)) + record[5:])
    sys.path.insert(0, path)
    try:
        __import__("main")
        sys.modules["main"].main()
        why, detail = reason.RESTART_ASKED, b""
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        why, detail = reason.APPLICATION_FAILED, _told(error)
        if not locked:
            sys.print_exception(error)
    if locked:
        if _read()[4] == 0:  # else it has said itself why
            _note(why, detail)
        machine.reset()


def _read():
    record = machine.RTC().memory()
    return record if record[:3] == _MARK and len(record) >= 5 else _MARK + bytes(2)


def _count():
    """The record, with one more boot that has not proved itself yet."""
    record = _read()
    record = record[:3] + bytes((min(record[3] + 1, 255),)) + record[4:]
    machine.RTC().memory(record)
    return record


def _note(why, detail):
    machine.RTC().memory(_read()[:4] + bytes((why,)) + detail[:_DETAIL_MAX])


def _told(error):
    """What an exception was and where, without its text, in which there may be anything."""
    name = type(error).__name__
    if type(error) is MemoryError:
        return name.encode()
    if isinstance(error, OSError) and error.args:
        name += " %s" % error.args[0]
    try:
        import io

        text = io.StringIO()
        sys.print_exception(error, text)
        where = [line.strip() for line in text.getvalue().split("\n") if line.strip().startswith("File ")]
        return " ".join([name] + where[-2:]).encode()
    except Exception:
        return name.encode()


def _choose(root, boots):
    """(the folder of the version to start, whether a new one was given up)."""
    name, left = _slot(root)
    rolled_back = left == 0
    if rolled_back:
        name = _other(name)
        _switch(root, name)
    elif left:
        _switch(root, "%s %d" % (name, left - 1))
    elif boots > _HOPELESS and boots // _HOPELESS % 2:
        name = _other(name)
    if not _whole(root, name):
        name = _other(name)
    return root + "/" + name, rolled_back


def _slot(root):
    """(name of the version that is on, boots that it still has to prove itself, None when it has)."""
    try:
        with open(root + "/slot") as file:
            words = file.read().split()
    except OSError:
        words = []
    if not words or words[0] not in ("a", "b"):
        return "a", None
    try:
        return words[0], int(words[1]) if len(words) > 1 else None
    except ValueError:
        return words[0], None


def _switch(root, text):
    with open(root + "/slot.new", "w") as file:
        file.write(text)
    os.rename(root + "/slot.new", root + "/slot")


def _other(name):
    return "b" if name == "a" else "a"


def _whole(root, name):
    return _exists("%s/%s/main.mpy" % (root, name))


def _provisioned(path):
    """Whether there is a configuration, under any of the names that the store gives to one."""
    return _exists(path) or _exists(path + ".new") or _exists(path + ".old")


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False
