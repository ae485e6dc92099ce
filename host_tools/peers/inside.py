"""Sockets in a network namespace that has a name: made inside, used from anywhere."""

import ctypes
import os
import socket
import time
from contextlib import contextmanager

_CLONE_NEWNET = 0x40000000


@contextmanager
def inside(name: str | None = None):
    """This thread is in that namespace meanwhile; in a fresh one without a name."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if name is None:
            _check(libc.unshare(_CLONE_NEWNET), "unshare")
        else:
            there = os.open(f"/run/netns/{name}", os.O_RDONLY)
            try:
                _check(libc.setns(there, _CLONE_NEWNET), name)
            finally:
                os.close(there)
        yield
    finally:
        _check(libc.setns(before, _CLONE_NEWNET), "setns")
        os.close(before)


def _check(result, what):
    if result:
        raise OSError(ctypes.get_errno(), what)


def listening(address, port, kind=socket.SOCK_STREAM, seconds=60.0):
    """A socket at an address of the namespace that this thread is in."""
    made = socket.socket(socket.AF_INET, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    if kind == socket.SOCK_STREAM:
        made.listen(4)
    made.settimeout(seconds)
    return made


def reach(address, port, seconds=60.0):
    """A connection to a port that may not be open yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection((address, port), timeout=60)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
