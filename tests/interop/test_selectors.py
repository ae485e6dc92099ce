"""Traffic selectors with strongSwan: several of them, narrowed, with ports."""

from host_tools.peers.strongswan import connection
from tests.interop import board as boards


def test_strongswan_narrows_several_selectors_with_ports(namespaces, gateway, tmp_path):
    gateway.configure(connection(local_ts="10.1.0.0/24[tcp/80],10.1.0.0/16[udp]"))
    configuration = boards.initiator(remote_ts='10.1.0.0/16[tcp]", "10.1.0.0/20[udp/53]')
    with boards.Board(namespaces, tmp_path, configuration, "--runtime", "cpython") as board:
        board.wait_for("child_up")
        result = board.finish()
    assert result["established"] and result["failure"] is None
    assert sorted(result["remote_ts"]) == ["10.1.0.0/20[udp/53]", "10.1.0.0/24[tcp/80]"]
