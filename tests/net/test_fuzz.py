"""Any packet may come: nothing raises, every table stays within its limit, and a connection is as bounded as before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.net.peer import Peer
from tests.net.wire import THEIRS
from uike import event
from uike.net import connections

FLAGS = st.sampled_from(["A", "PA", "FA", "S", "SA", "R", "RA", "FPA", "", "FSRPAU", "F"])
NEAR = st.one_of(st.integers(-3, 60), st.integers(-9_000, 9_000), st.integers(0, 2**32 - 1))
SEGMENT = st.tuples(FLAGS, NEAR, NEAR, st.binary(max_size=40), st.integers(0, 65_535), st.integers(0, 3_000))
DOES = st.sampled_from(["write", "read", "finish", "close", "abort", "nothing", "nothing", "nothing"])
OPTIONS = st.lists(
    st.sampled_from([("MSS", 0), ("MSS", 1_460), ("NOP", None), ("EOL", None), ("WScale", 3)]), max_size=3
)


def check(peer):
    stack_tcp = peer.tcp
    assert len(stack_tcp.table) <= connections.CONNECTIONS_MAX and len(stack_tcp.waiting) <= 8
    for connection in list(stack_tcp.table.values()):
        assert connection.state < event.STATE_TCP_TIME_WAIT
        if connection.into:
            assert 0 <= (connection.edge - connection.rcv) % 2**32 <= connection.into.room()
            assert len(connection.early) <= 5
            assert connection.into.size + sum(end - first for first, end in connection.early) <= connection.size
            assert (connection.top - connection.una) % 2**32 <= connection.size + 1
        assert not connection.out or connection.out.size <= connection.size


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(st.tuples(SEGMENT, DOES, OPTIONS), max_size=30), st.booleans(), st.sampled_from([5, 2**32 - 20]))
def test_segments_in_any_order(steps, client, isn):
    peer = Peer(size=600, isn=isn)
    connection = peer.accept() if client else peer.connect()
    for (flags, seq, ack, data, window, ms), does, options in steps:
        peer.send(flags, seq, ack, data, window, options)
        if does == "write":
            connection.write(b"w" * 300)
        elif does == "read":
            connection.read(100)
        elif does == "abort":
            connection.abort(0)
        elif does != "nothing":
            getattr(connection, does)()
        check(peer)
        while peer.stack.next_packet(peer.now):
            pass
        peer.after(ms)
        check(peer)
    peer.now += 4_000_000
    connection.abort(0)
    for _ in range(200):
        peer.after(60_000)
    assert not peer.tcp.waiting and not peer.tcp.table


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([6, 17, 1]), st.booleans())
def test_bytes_of_any_kind(data, protocol, sound):
    """With a sound IPv4 header the rest is looked at."""
    from uike.net.header import build

    peer = Peer()
    peer.connect()
    peer.stack.udp().open(53)
    packet = data
    if sound:
        packet = build(THEIRS, bytes((10, 9, 0, 1)), protocol, len(data))
        packet[20:] = data
    peer.stack.receive(memoryview(bytearray(packet)), 0)
    check(peer)
