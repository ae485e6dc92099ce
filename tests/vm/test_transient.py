"""Modules that come and go, in the VM: what a load brought in is forgotten again, also when it ran out of memory."""

import pytest

from host_tools.emulator.vm import run_script

SCRIPT = """
import gc, sys
from uike.transient import drop, load
import uike.endpoint, uike.app.run

before, hog = sorted(sys.modules), []
gc.collect()
while gc.mem_free() > %d:
    hog.append(bytearray(500))
try:
    load("uike.config")
    print("loaded")
except MemoryError:
    print("no memory")
drop()
hog = None
print("left:", [name for name in sys.modules if name not in before])
print(load("uike.config").CONNECTIONS_MAX)
"""


KEPT = """
import gc, sys
import uike.transient

gc.collect()
before = gc.mem_alloc()
for _ in range(3):
    uike.transient.load("uike.config")
    used = gc.mem_alloc() - before
    uike.transient.drop()
gc.collect()
print(used > 20_000, gc.mem_alloc() - before < 4_500, "uike.config" in sys.modules, hasattr(uike, "config"))
"""


def test_what_is_dropped_is_free():
    """A table of MicroPython keeps the value of what is deleted from it, until another takes its place; and a stale word
    of the stack what it points at, until the next collection."""
    out, _, verdict = run_script(KEPT, "111k")
    assert out.split() == ["True", "True", "False", "False"], (out, verdict)


@pytest.mark.parametrize("free", [8_000, 15_000, 22_000, 24_000, 25_000])
def test_out_of_memory_in_the_middle(free):
    out, _, verdict = run_script(SCRIPT % free, "111k")
    assert out.split("\n")[:3] == ["no memory", "left: []", "8"], (out, verdict)
    assert verdict.ok
