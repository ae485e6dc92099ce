"""EAP of both roles in the heap of a plain board, the gateway proving itself by P-256.

Exact but for the certificates, made anew for each run: signatures are shorter at times, by a few bytes.
"""

from host_tools import authority, demo
from host_tools.bench import vm as bench
from uike import event

PEAK_MAX = {"initiator": 91_500, "responder": 96_800}


def test_mschapv2_in_111_kilobytes(monkeypatch):
    plain = demo.configurations

    def configurations(*arguments):
        trees = plain(*arguments)
        (board,), (gateway,) = [tree["connection"].values() for tree in trees]
        own, theirs = authority.credentials("p256", board["local_id"], gateway["local_id"])
        del board["psk_hex"], gateway["psk_hex"]
        board.update(cacerts=own["cacerts"], eap_id="carol", eap_password="correct horse")
        gateway.update(cert=theirs["cert"], key=theirs["key"], eap_users={"carol": "correct horse"})
        return trees

    monkeypatch.setattr(demo, "configurations", configurations)
    run = bench.Run("aes128-sha256-x25519", "aes128-sha256", "111k", measure=True)
    for role, board in run.boards.items():
        assert event.CHILD_UP in run.fuel[role] and event.DROP not in run.fuel[role]
        assert run.peak(role) <= PEAK_MAX[role] and not board.violations and board.verdict.ok
