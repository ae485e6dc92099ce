"""Extensions of the protocol in the MicroPython VM: the bytecode of what the other tests here never load."""

from base64 import b64decode

from host_tools import demo
from host_tools.bench import vm as bench
from uike import event

BARE = ("remote_ts", "local_ts", "virtual_ip", "pool", "dns")  # not in transport mode
MORE = {"mode": "transport", "crash_detection": True}


def test_transport_mode_and_crash_detection_in_111_kilobytes(monkeypatch):
    """Up, a ping of the other end, both kinds of SA replaced; the secret is in the store."""
    plain, seen = demo.configurations, []

    def configurations(*arguments):
        trees = plain(*arguments)
        for tree in trees:
            for name, connection in tree["connection"].items():
                kept = {key: value for key, value in connection.items() if key not in BARE}
                tree["connection"][name] = {**kept, **MORE}
        return trees

    class Run(bench.Run):
        def _line(self, role, line):
            seen.append((role, b64decode(line[1:])) if line.startswith(b"#") else (role, line))
            super()._line(role, line)

    monkeypatch.setattr(demo, "configurations", configurations)
    then = (
        ({"do": "ping", "to": demo.GATEWAY, "count": 1}, event.HEAP),
        ({"do": "rekey", "what": "child"}, event.CHILD_REKEYED),
        ({"do": "rekey", "what": "ike"}, event.IKE_REKEYED),
    )
    run = Run("aes128-sha256-x25519", "aes128-sha256", "111k", then=then)
    assert [record[7 + 2] for role, record in seen if record[0] == event.PING] == [1]
    for role, board in run.boards.items():
        assert board.verdict.ok and len(board.host.files["secret"]) == 32
        codes = [record[0] for each, record in seen if each == role]
        assert codes.count(event.CHILD_UP) == 2 and event.REJECT not in codes and event.DROP not in codes
