"""The MicroPython VM in WebAssembly, and its one door: text by `host.call`, buffers by their address.

The host checks every address against the VM's memory. A reply that begins with "!" is the number of an OSError.
"""

import host
from uctypes import addressof


def call(name, text=""):
    """The host's reply to a request; raises OSError when the host says so."""
    reply = host.call(name, text)
    if reply[:1] == "!":
        raise OSError(int(reply[1:]))
    return reply


def take(size):
    """The `size` bytes that the host has laid ready in the call before."""
    data = bytearray(size)
    if size:
        host.call("take", "%d %d" % (addressof(data), size))
    return data


def fetch(name, text=""):
    """Bytes that a request yields, or None."""
    size = call(name, text)
    return bytes(take(int(size))) if size else None


def give(name, data, text=""):
    """The host's reply to a request that passes a buffer."""
    return call(name, "%d %d %s" % (addressof(data), len(data), text))
