"""Names that the firmware interns. MicroPython never frees one, and when a pool of them is full the next is twice as
large, in one piece: 4.5 KB after the 620th name, which a heap that has been in use for long may not have.
"""

import json
import re

import pytest

from host_tools.bench import vm as bench
from uike import event

NAMES_MAX = 590  # of 620: what is typed at a console, and the board's own programs, have names too
MAIN = """
import micropython
from uike.app.run import Appliance
from uike.hal import board

Appliance(board()).run()
micropython.qstr_info()
"""
REKEYINGS = [
    ({"do": "rekey", "what": "child"}, event.CHILD_REKEYED),
    ({"do": "rekey", "what": "ike"}, event.IKE_REKEYED),
]


class Run(bench.Run):
    def _line(self, role, line):
        found = re.match(rb"qstr pool: n_pool=(\d+), n_qstr=(\d+)", line)
        if found:
            self.interned[role] = int(found[2])
        super()._line(role, line)


@pytest.fixture(scope="module")
def counting():
    with bench.image_with({"main": MAIN}) as made:
        yield made


@pytest.mark.parametrize("kind", ["", "p256"])
def test_they_fit_into_the_pools(counting, kind):
    Run.interned = {}
    run = Run("aes128-sha256-x25519", "aes128-sha256-x25519", "111k", image=counting, then=REKEYINGS, kind=kind)
    print(json.dumps(run.interned))
    assert set(run.interned) == {"initiator", "responder"}
    assert max(run.interned.values()) <= NAMES_MAX
