"""Certificates on both sides, in the heap of a plain board: exact, so they are asserted."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

from host_tools import demo
from host_tools.bench import vm as bench
from tests.pki.authority import DER, Authority, key
from uike import event

HEAP = "111k"
# Kind of key: the most bytes in use after a collection, at any line of the trace
PEAK_MAX = {("rsa2048", False): 92_000, ("rsa2048", True): 99_000, ("p256", True): 96_000}


def configurations(kind, intermediate, trees):
    """The same two boards, but that they prove themselves with certificates."""
    root = Authority(kind=kind, number=1)
    below = Authority("C=DE, O=Example, CN=Middle", root, kind=kind, number=2) if intermediate else root
    for tree in trees:
        for each in tree["connection"].values():
            del each["psk_hex"]
            private = key(kind, 100).private_bytes(DER, PrivateFormat.PKCS8, NoEncryption())
            own = below.issue(kind=kind, names=(each["local_id"],))
            each["cert"] = [b64encode(data).decode() for data in (own, below.der)[: 1 + intermediate]]
            each["key"], each["cacerts"] = b64encode(private).decode(), [b64encode(root.der).decode()]
    return trees


@pytest.mark.parametrize(("kind", "intermediate"), PEAK_MAX)
def test_both_roles_in_111_kilobytes(kind, intermediate, monkeypatch):
    plain = demo.configurations
    monkeypatch.setattr(
        demo, "configurations", lambda *arguments: configurations(kind, intermediate, plain(*arguments))
    )
    run = bench.Run("aes128-sha256-x25519", "aes128-sha256", HEAP, measure=True)
    for role, board in run.boards.items():
        assert event.CHILD_UP in run.fuel[role]
        if kind != "rsa2048" or not intermediate:  # there a message may be too long for the trace, but is sent
            assert event.DROP not in run.fuel[role]
        assert run.peak(role) <= PEAK_MAX[kind, intermediate] and not board.violations
        assert board.verdict.ok
