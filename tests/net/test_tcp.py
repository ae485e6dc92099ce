"""TCP, rule by rule (RFC 9293, RFC 5961, RFC 6298, RFC 1122), against segments that scapy makes and decodes."""

import pytest
from scapy.layers.inet import IP, TCP

from tests.net.peer import Peer
from tests.net.wire import THEIRS
from uike import event, reason
from uike.net import connections


def test_the_handshake_of_a_listener():
    peer = Peer()
    connection = peer.connect()
    assert connection.state == event.STATE_TCP_ESTABLISHED
    assert peer.options == [("MSS", 1360)] and peer.told_window == 4096
    assert connection.mss == 1_000  # the smaller of both


def test_the_handshake_of_a_client():
    connection = Peer().accept(mss=9_000)
    assert connection.state == event.STATE_TCP_ESTABLISHED and connection.mss == 1360


@pytest.mark.parametrize(
    ("options", "mss"),
    [
        ([], 536),
        ([("NOP", None), ("WScale", 7), ("MSS", 800)], 800),
        ([("MSS", 1)], 64),
        ([("Timestamp", (1, 0)), ("SAckOK", b"")], 536),
    ],
)
def test_the_options_of_a_syn(options, mss):
    peer = Peer()
    peer.tcp.listen(80)
    peer.send("S", seq=0, options=options)
    (connection,) = peer.tcp.table.values()
    assert connection.mss == mss


def test_initial_sequence_numbers_and_ports_are_not_alike():
    stack = Peer().stack
    made = [stack.tcp().connect(THEIRS, 80) for _ in range(8)]
    assert len({each.una for each in made}) == 8
    assert len({each.ends[1] for each in made}) == 8 and all(each.ends[1] >= 49_152 for each in made)
    with pytest.raises(OSError, match="105"):
        stack.tcp().connect(THEIRS, 80)


def test_where_no_tunnel_leads():
    with pytest.raises(OSError, match="113"):
        Peer().tcp.connect(bytes((10, 77, 0, 1)), 80)


# -- segments that belong nowhere (section 3.10.7.1) -------------------------------------------------------------------


def test_a_closed_port_answers_with_a_reset():
    peer = Peer()
    assert peer.send("S", seq=0) == reason.NET_NOBODY
    assert peer.take() == [("RA", 0, 1, b"")]
    peer.ours = 0
    assert peer.send("A", seq=1, ack=77) == reason.NET_NOBODY
    assert peer.take() == [("R", 77, None, b"")]
    assert peer.send("R") == reason.NET_NOBODY and peer.take() == []


def test_such_answers_are_few():
    peer = Peer()
    for _ in range(50):
        peer.send("S", seq=0)
    assert len(peer.take()) == 8


@pytest.mark.parametrize("change", ["chksum", "dataofs", "fragment", "short"])
def test_a_malformed_segment_is_dropped(change):
    peer = Peer()
    peer.connect()
    packet = IP(src="10.1.0.1", dst="10.9.0.1") / TCP(sport=4_000, dport=80, flags="A", seq=1_001, ack=peer.ours + 1)
    if change == "fragment":
        packet.flags = "MF"
    elif change != "short":
        setattr(packet[TCP], change, {"chksum": 1, "dataofs": 15}[change])
    data = bytes(packet)
    if change == "short":
        data = bytes(IP(src="10.1.0.1", dst="10.9.0.1", proto=6)) + b"1234567890"
    assert peer.stack.receive(bytearray(data), 0) == reason.NET_PACKET
    assert peer.take() == []


def test_another_address_of_ours_is_not_ours():
    peer = Peer()
    peer.connect()
    packet = IP(src="10.1.0.1", dst="10.9.0.2") / TCP(sport=4_000, dport=80, flags="R", seq=1_001)
    assert peer.stack.receive(bytearray(bytes(packet)), 0) is None
    assert peer.connection.state == event.STATE_TCP_ESTABLISHED


# -- opening (sections 3.5 and 3.10.7.3) -------------------------------------------------------------------------------


def test_a_refused_connection():
    peer = Peer()
    connection = peer.tcp.connect(THEIRS, 4_000)
    peer.our_port = connection.ends[1]
    peer.take()
    assert (
        peer.send("R", seq=0) == 0 and connection.state == event.STATE_TCP_SYN_SENT
    )  # without ACK anybody may say that
    assert peer.send("RA", seq=0, ack=1) == 0
    assert (connection.state, connection.why) == (event.STATE_TCP_CLOSED, reason.TCP_RESET)
    assert peer.take() == [] and not peer.tcp.table


def test_an_acknowledgment_of_what_was_not_sent_is_reset():
    peer = Peer()
    connection = peer.tcp.connect(THEIRS, 4_000)
    peer.our_port = connection.ends[1]
    peer.take()
    assert peer.send("SA", seq=0, ack=500) == reason.NET_NOBODY
    assert peer.take() == [("R", 500, None, b"")]
    assert connection.state == event.STATE_TCP_SYN_SENT


def test_both_begin_at_once():
    peer = Peer()
    connection = peer.tcp.connect(THEIRS, 4_000)
    peer.our_port = connection.ends[1]
    peer.take()
    peer.send("S", seq=0)
    assert connection.state == event.STATE_TCP_SYN_RECEIVED
    assert peer.take() == [("SA", 0, 1, b"")]
    peer.send("SA", seq=0, ack=1)
    peer.send("A")
    assert connection.state == event.STATE_TCP_ESTABLISHED


def test_a_syn_without_an_answer():
    """RFC 6298 section 5: 1, 2, 4 ... seconds; then ETIMEDOUT."""
    peer = Peer()
    connection = peer.tcp.connect(THEIRS, 4_000)
    peer.our_port = connection.ends[1]
    assert [row[0] for row in peer.after(100_000)] == [0, 1_000, 3_000, 7_000, 15_000, 31_000]
    assert (connection.state, connection.why) == (event.STATE_TCP_CLOSED, reason.TCP_TIMEOUT)


def test_a_lost_syn_makes_the_first_timer_three_seconds():
    peer = Peer()
    connection = peer.tcp.connect(THEIRS, 4_000)
    peer.our_port = connection.ends[1]
    peer.after(1_500)
    peer.send("SA", seq=0, ack=1)
    assert connection.rto.ms == 3_000  # RFC 6298 section 5.7


def test_a_repeated_syn_is_answered_again_and_a_lost_answer_repeated():
    peer = Peer()
    listener = peer.tcp.listen(80)
    peer.send("S", seq=0)
    assert peer.take() == [("SA", 0, 1, b"")]
    peer.send("S", seq=0)
    assert peer.take() == [("SA", 0, 1, b"")]
    assert [row[:2] for row in peer.after(60_000)] == [(1_000, "SA"), (3_000, "SA"), (7_000, "SA"), (15_000, "RA")]
    assert not peer.tcp.table and listener.accept() is None


def test_a_wrong_third_segment_is_reset():
    peer = Peer()
    peer.tcp.listen(80)
    peer.send("S", seq=0)
    peer.take()
    assert peer.send("A", seq=1, ack=9) == reason.NET_NOBODY
    assert peer.take() == [("R", 9, None, b"")]


def test_a_flood_of_syns_keeps_nobody_out():
    peer = Peer()
    listener = peer.tcp.listen(80)
    for number in range(100):
        peer.port, peer.now = 5_000 + number, number
        peer.send("S", seq=0)
        assert len(peer.tcp.table) <= connections.HALF_OPEN_MAX
    peer.port = 4_000
    peer.send("S", seq=0)
    while peer.stack.next_packet(peer.now):
        pass
    peer.ours = next(each for key, each in peer.tcp.table.items() if key[4:6] == bytes((15, 160))).una
    assert peer.send("A") == 0
    assert listener.accept().ends[3] == 4_000


def test_a_full_backlog_is_reset():
    peer = Peer()
    listener = peer.tcp.listen(80, backlog=1)
    for port in (4_000, 4_001):
        peer.port, peer.ours = port, None
        peer.send("S", seq=0)
        peer.take()
        peer.send("A")
    assert [row[0] for row in peer.take()] == ["RA"]
    assert listener.accept() and not listener.accept()


# -- what may be forged (RFC 5961) -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seq", "why", "answer"),
    [
        (1, 0, []),
        (2, reason.TCP_CHALLENGED, [("A", 1, 1, b"")]),
        (4_096, reason.TCP_CHALLENGED, [("A", 1, 1, b"")]),
        (4_097, reason.TCP_SEQUENCE, []),
        (0, reason.TCP_SEQUENCE, []),
    ],
)
def test_a_reset_counts_only_at_its_place(seq, why, answer):
    """Section 3.2."""
    peer = Peer()
    connection = peer.connect()
    assert peer.send("R", seq=seq) == why
    assert peer.take() == answer
    assert (connection.state == event.STATE_TCP_CLOSED) == (why == 0)
    assert connection.why == (reason.TCP_RESET if why == 0 else 0)


@pytest.mark.parametrize("seq", [0, 1, 100, 70_000])
def test_a_syn_in_a_connection_is_challenged(seq):
    """Section 4.2."""
    peer = Peer()
    connection = peer.connect()
    assert peer.send("S", seq=seq) in (reason.TCP_CHALLENGED, reason.TCP_SEQUENCE)
    assert peer.take() == [("A", 1, 1, b"")]
    assert connection.state == event.STATE_TCP_ESTABLISHED


@pytest.mark.parametrize(("ack", "taken"), [(1, True), (-7_999, True), (-8_001, False), (2, False), (2**31, False)])
def test_data_with_an_impossible_acknowledgment_is_not_taken(ack, taken):
    """Section 5.2: between SND.UNA - MAX.SND.WND and SND.NXT."""
    peer = Peer()
    connection = peer.connect()
    assert peer.send(ack=ack, data=b"data") == (0 if taken else reason.TCP_CHALLENGED)
    assert connection.read(10) == (b"data" if taken else b"")


def test_challenges_are_at_most_ten_a_second():
    """Section 7."""
    peer = Peer()
    peer.connect()
    count = 0
    for _ in range(30):
        peer.send("R", seq=100)
        count += len(peer.take())
    assert count == 10
    peer.now = 1_000
    peer.send("R", seq=100)
    assert len(peer.take()) == 1


def test_a_segment_without_ack_is_nothing():
    peer = Peer()
    connection = peer.connect()
    assert peer.send("P", data=b"data") == reason.TCP_SEQUENCE
    assert connection.read(10) == b""


# -- data in (sections 3.8.6 and 3.10.7.4) -----------------------------------------------------------------------------


def test_data_in_order_is_acknowledged_every_second_segment_and_in_time():
    peer = Peer()
    connection = peer.connect()
    peer.send(data=b"a" * 500)
    assert peer.take() == []
    peer.send(seq=501, data=b"b" * 500)
    assert peer.take() == [("A", 1, 1_001, b"")]
    peer.send(seq=1_001, data=b"c")
    assert peer.after(500) == [(100, "A", 1, 1_002, b"")]
    assert connection.read(2_000) == b"a" * 500 + b"b" * 500 + b"c"


def test_data_behind_a_gap_waits_for_it():
    peer = Peer()
    connection = peer.connect()
    for seq, data in ((3, b"cc"), (7, b"ee"), (5, b"dd"), (4, b"cdd")):
        assert peer.send(seq=seq, data=data) == 0
        assert peer.take() == [("A", 1, 1, b"")]  # at once: RFC 5681 section 4.2
    assert connection.read(100) == b""
    peer.send(seq=1, data=b"bb")
    assert connection.read(100) == b"bbccddee"
    assert peer.take() == [("A", 1, 9, b"")]


def test_gaps_are_few():
    peer = Peer()
    connection = peer.connect()
    for number in range(6):
        peer.send(seq=2 + 10 * number, data=b"x" * 5)
    assert len(connection.early) == 4


def test_what_is_there_already_is_not_taken_twice():
    peer = Peer()
    connection = peer.connect()
    peer.send(data=b"abcd")
    assert peer.send(data=b"abcd") == reason.TCP_SEQUENCE
    assert peer.take() == [("A", 1, 5, b"")]
    peer.send(seq=3, data=b"cdef")
    assert connection.read(100) == b"abcdef"


def test_the_window_closes_and_opens():
    peer = Peer(size=2_000)
    connection = peer.connect()
    peer.send(data=b"x" * 3_000)  # more than the window
    assert connection.readable() == 2_000
    peer.after(200)
    assert peer.told_window == 0
    assert peer.send(seq=2_001, data=b"y") == reason.TCP_SEQUENCE  # a probe
    assert peer.take() == [("A", 1, 2_001, b"")]
    connection.read(500)
    assert peer.take() == []  # not worth a segment (section 3.8.6.2.2)
    connection.read(500)
    assert peer.take() == [("A", 1, 2_001, b"")] and peer.told_window == 1_000


def test_sequence_numbers_wrap():
    peer = Peer(isn=2**32 - 3)
    connection = peer.connect()
    peer.send(seq=4, data=b"def")
    peer.send(seq=1, data=b"abc")
    assert connection.read(10) == b"abcdef"
    assert peer.take() == [("A", 1, 7, b"")]


# -- data out (RFC 6298, RFC 5681, sections 3.7.4 and 3.8) -------------------------------------------------------------


def test_full_segments_and_nagle():
    peer = Peer()
    connection = peer.connect()
    assert connection.write(b"x" * 2_500) == 2_500
    rows = peer.take()
    assert [(row[1], len(row[3])) for row in rows] == [(1, 1_000), (1_001, 1_000)]  # the rest waits for an answer
    peer.send(ack=2_001)
    assert peer.take() == [("PA", 2_001, 1, b"x" * 500)]


def test_the_buffer_is_bounded():
    peer = Peer(size=1_500)
    connection = peer.connect()
    assert [connection.write(b"x" * 1_000), connection.write(b"y" * 1_000), connection.write(b"z")] == [1_000, 500, 0]
    peer.take()
    peer.send(ack=1_001)
    assert connection.writable() == 1_000


def test_what_is_not_acknowledged_goes_again():
    peer = Peer()
    connection = peer.connect()
    connection.write(b"data")
    rows = peer.after(1_000_000)
    assert [row[0] for row in rows] == [0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000, 183_000, 243_000]
    assert {row[1:] for row in rows[:-1]} == {("PA", 1, 1, b"data")} and rows[-1][1] == "RA"
    assert (connection.state, connection.why) == (event.STATE_TCP_CLOSED, reason.TCP_TIMEOUT)


def test_the_round_trip_sets_the_timer():
    """RFC 6298 section 2; a segment that was sent twice says nothing (section 3)."""
    peer = Peer()
    connection = peer.connect()
    connection.write(b"one")
    peer.take()
    peer.now += 1_600
    peer.send(ack=4)
    assert connection.rto.ms == 1_600 + 4 * 800
    connection.write(b"two")
    peer.after(5_000)
    peer.send(ack=7)
    assert connection.rto.smooth == 1_600 * 8


def test_three_duplicates_bring_the_oldest_segment_again():
    peer = Peer(size=8_000)
    connection = peer.connect()
    connection.write(b"x" * 6_000)
    assert len(peer.take()) == 3
    peer.send(ack=1_001)
    assert len(peer.take()) == 2  # four are under way
    for _ in range(2):
        peer.send(ack=1_001)
        assert not [row for row in peer.take() if row[1] == 1_001]
    peer.send(ack=1_001)
    assert [(row[1], len(row[3])) for row in peer.take()][0] == (1_001, 1_000)


def test_a_closed_window_is_probed():
    peer = Peer()
    connection = peer.connect()
    connection.write(b"x" * 3_000)
    peer.take()
    peer.send(ack=2_001, window=0)
    assert peer.take() == []
    rows = peer.after(8_000)
    assert rows[0][2:] == (2_001, 1, b"x")
    for _ in range(20):  # as long as it answers (RFC 1122 section 4.2.2.17)
        peer.send(ack=2_001, window=0)
        assert peer.after(61_000)[0][4] == b"x"
    peer.send(ack=2_001, window=8_000)
    assert [(row[1], len(row[3])) for row in peer.take()] == [(2_001, 1_000)]


def test_long_segments_that_vanish_become_short():
    peer = Peer()
    connection = peer.connect()
    connection.write(b"x" * 1_000)
    sizes = [len(row[4]) for row in peer.after(8_000)]
    assert sizes == [1_000, 1_000, 1_000, 536]


# -- the end (sections 3.6 and 3.10.7.4) -------------------------------------------------------------------------------


def test_the_peer_ends_first():
    peer = Peer()
    connection = peer.connect()
    peer.send("FA", data=b"bye")
    assert connection.state == event.STATE_TCP_CLOSE_WAIT and peer.take() == [("A", 1, 5, b"")]
    assert connection.read(10) == b"bye" and connection.ended()
    connection.write(b"too")
    connection.finish()
    assert peer.take() == [("FPA", 1, 5, b"too")]
    assert connection.state == event.STATE_TCP_LAST_ACK
    peer.send(seq=5, ack=5)
    assert (
        connection.state == event.STATE_TCP_CLOSED
        and connection.why == 0
        and not peer.tcp.table
        and not peer.tcp.waiting
    )


def test_we_end_first_and_wait():
    peer = Peer()
    connection = peer.connect()
    connection.finish()
    assert peer.take() == [("FA", 1, 1, b"")] and connection.state == event.STATE_TCP_FIN_WAIT_1
    peer.send(ack=2)
    assert connection.state == event.STATE_TCP_FIN_WAIT_2
    peer.send(ack=2, data=b"more")  # a half-closed connection still receives
    assert connection.read(10) == b"more"
    peer.send("FA", seq=5, ack=2)
    assert peer.take() == [("A", 2, 6, b"")]
    assert not peer.tcp.table and len(peer.tcp.waiting) == 1
    peer.send("FA", seq=5, ack=2)  # our answer was lost
    assert peer.take() == [("A", 2, 6, b"")]
    peer.send("R", seq=6)  # RFC 1337
    assert len(peer.tcp.waiting) == 1
    peer.now += 60_000
    peer.stack.tick(peer.now)
    assert not peer.tcp.waiting


def test_both_end_at_once():
    peer = Peer()
    connection = peer.connect()
    connection.finish()
    peer.take()
    peer.send("FA", ack=1)
    assert connection.state == event.STATE_TCP_CLOSING
    peer.take()
    peer.send(seq=2, ack=2)
    assert connection.state == event.STATE_TCP_TIME_WAIT and len(peer.tcp.waiting) == 1


def test_a_new_connection_ends_the_wait_of_the_old():
    """RFC 1122 section 4.2.2.13: a SYN beyond what the old one had."""
    peer = Peer()
    test = peer.connect()
    test.finish()
    peer.take()
    peer.send("FA", ack=2)
    peer.take()
    assert len(peer.tcp.waiting) == 1
    assert peer.send("S", seq=0) == 0 and peer.take() == [("A", 2, 2, b"")]  # an old one
    peer.send("S", seq=5_000)
    assert not peer.tcp.waiting and len(peer.tcp.table) == 1


def test_those_who_wait_are_few():
    peer = Peer()
    listener = peer.tcp.listen(80)
    for port in range(20):
        peer.port, peer.ours, peer.now = 4_000 + port, None, port
        peer.send("S", seq=0)
        peer.take()
        peer.send("A")
        listener.accept().finish()
        peer.take()
        peer.send("FA", ack=2)
        peer.take()
    assert sorted(key[5] for key in peer.tcp.waiting) == [(4_000 + port) & 255 for port in range(12, 20)]


def test_a_lost_fin_goes_again():
    peer = Peer()
    connection = peer.connect()
    connection.write(b"end")
    connection.finish()
    assert [row[:4] for row in peer.after(3_500)] == [(0, "FPA", 1, 1), (1_000, "FPA", 1, 1), (3_000, "FPA", 1, 1)]


def test_a_close_with_data_unread_is_a_reset():
    """RFC 1122 section 4.2.2.13."""
    peer = Peer()
    connection = peer.connect()
    peer.send(data=b"nobody reads this")
    connection.close()
    assert peer.take() == [("RA", 1, 18, b"")] and not peer.tcp.table


def test_data_after_a_close_is_a_reset():
    peer = Peer()
    connection = peer.connect()
    connection.close()
    peer.take()
    peer.send(ack=2, data=b"late")
    assert [row[0] for row in peer.take()] == ["RA"]
    assert connection.state == event.STATE_TCP_CLOSED


def test_a_peer_that_never_ends_is_not_waited_for():
    peer = Peer()
    connection = peer.connect()
    connection.close()
    peer.take()
    peer.send(ack=2)
    assert connection.state == event.STATE_TCP_FIN_WAIT_2
    assert [row[:2] for row in peer.after(100_000)] == [(60_000, "RA")]
    assert not peer.tcp.table


def test_a_fin_behind_a_gap_waits():
    peer = Peer()
    connection = peer.connect()
    peer.send("FA", seq=5, data=b"efgh")
    assert connection.state == event.STATE_TCP_ESTABLISHED
    peer.send(data=b"abcd")
    assert connection.read(10) == b"abcdefgh" and connection.state == event.STATE_TCP_ESTABLISHED
    peer.send("FA", seq=5, data=b"efgh")  # it comes again, for nobody acknowledged it
    assert connection.state == event.STATE_TCP_CLOSE_WAIT
