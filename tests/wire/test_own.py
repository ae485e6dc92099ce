"""The source of what the board itself sends through a tunnel."""

from types import SimpleNamespace

import pytest

from uike.wire.own import own_address
from uike.wire.selectors import host, make

ASSIGNED = bytes((10, 9, 0, 7))
EVERYTHING = make(0, 0, 65535, bytes(4), b"\xff\xff\xff\xff")
NETWORK = make(0, 0, 65535, bytes((10, 2, 0, 0)), bytes((10, 2, 255, 255)))


@pytest.mark.parametrize(
    ("initiator", "assigned", "selector", "expected"),
    [
        (True, ASSIGNED, host(ASSIGNED), ASSIGNED),
        (True, ASSIGNED, EVERYTHING, ASSIGNED),  # the gateway did not narrow what we asked for
        (True, None, NETWORK, bytes((10, 2, 0, 1))),
        (False, ASSIGNED, NETWORK, bytes((10, 2, 0, 1))),  # there the address is the client's
        (False, None, host(bytes((10, 2, 0, 9))), bytes((10, 2, 0, 9))),
    ],
)
def test_own_address(initiator, assigned, selector, expected):
    owner = SimpleNamespace(address=assigned, connection=SimpleNamespace(initiator=initiator))
    assert own_address(owner, [selector]) == expected
