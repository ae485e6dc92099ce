"""Modules that stay only as long as an exchange needs them. On an official image code is RAM.

`load` imports a module and notes everything that came with it, `drop` forgets all of that again, so that peak memory
is the largest phase of a negotiation and not their sum. CPython keeps what it has: there is nothing to gain, and
several boards may share one interpreter.
"""

import gc
import sys

_DROPS = sys.implementation.name == "micropython"
_loaded = []
instead = None  # of `bring`: one who makes room for a module, see `app/doorway`


def load(name):
    """The module `name`, imported if need be. Whatever that import brings in is transient too."""
    if not _DROPS:
        __import__(name)  # waits when another thread is in the middle of that import
        return sys.modules[name]
    if name not in sys.modules:
        gc.collect()  # what stays is then laid into the first holes, and not amid garbage
        (instead or bring)(name)
    return sys.modules[name]


def bring(name):
    """Imports a module. What came before memory ran out is noted too."""
    before = list(sys.modules)
    try:
        __import__(name)
    finally:
        _note(before)


def _note(before):
    for name in sys.modules:
        if name not in before and name not in _loaded:
            _loaded.append(name)


def drop(before=None):
    """Forgets every transient module: out of `sys.modules`, and out of its parent package.

    before: names of modules, a list. Whatever else is there goes too, however it was imported; not native code, whose
    memory a board gives back at its next reset only.
    """
    if before and _DROPS:
        _note(before)
    if not _loaded:
        return
    while _loaded:
        name = _loaded.pop()
        if ".kernels" in name:
            continue
        sys.modules[name] = None  # a table of MicroPython keeps the value of what is deleted from it
        del sys.modules[name]
        if "." in name:
            parent, leaf = name.rsplit(".", 1)
            parent = sys.modules.get(parent)
            if parent and hasattr(parent, leaf):
                setattr(parent, leaf, None)
                delattr(parent, leaf)
    gc.collect()
