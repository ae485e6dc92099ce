"""Child and IKE SAs replaced under traffic, by us and by a real strongSwan, and by both at the same moment."""

import re

import pytest

from tests.interop.tunnel import tunnel

PLAIN, PFS = "aes128-sha256", "aes128-sha256-x25519"
ROLES = ["initiator", "responder"]
SIDES = ["we", "they"]
CASES = [("child", PLAIN), ("child", PFS), ("child", "aes256gcm16-ecp256"), ("ike", PLAIN)]
RUNS = [("cpython", *case) for case in CASES] + [("vm", "child", PLAIN), ("vm", "child", PFS), ("vm", "ike", PLAIN)]


def counters(raw, spi_in):
    """strongSwan's packets in and out of the Child SA on which it receives with this SPI."""
    row = re.search(rf"spi-in={spi_in} .*?packets-in=(\d+).*?packets-out=(\d+)", raw)
    return int(row[1]), int(row[2])


@pytest.mark.parametrize("who", SIDES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("runtime", "what", "esp"), RUNS)
def test_rekey_under_traffic(gateway, tmp_path, runtime, what, esp, role, who):
    with tunnel(gateway, tmp_path, runtime, role, configuration={"esp": esp}, esp=esp) as both:
        before = both.agree()
        both.begin_pings(200 if runtime == "cpython" else 60)
        both.rekey(who, what)
        (row,) = both.board.wait_for(f"{what}_rekeyed")
        assert row["ours"] is (who == "we") and row["collision"] == 0
        both.end_pings()
        raw = both.agree()
        if what == "child":
            (up,) = [up for up in both.board.events("child_up") if up["spi_in"] == row["new"]]
            assert min(counters(raw, up["spi_out"])) > 0
            assert (4 in [kind for kind, _, _ in up["transforms"]]) is (esp != PLAIN)
            assert ("dh-group=" in re.search(rf"spi-in={up['spi_out']}.*", raw)[0]) is (esp != PLAIN)
        else:
            assert row["spi_i"] not in before and f"initiator-spi={row['spi_i']} responder-spi={row['spi_r']}" in raw
            assert ("initiator=yes" in raw) is (who == "they")
            assert len(both.board.events("child_up")) == 1  # it moved to the new IKE SA as it was


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_one_after_the_other(gateway, tmp_path, runtime, role):
    """What was replaced is replaced again, by the other side, on the IKE SA that replaced the first."""
    with tunnel(gateway, tmp_path, runtime, role, configuration={"esp": PFS}, esp=PFS) as both:
        both.begin_pings(300 if runtime == "cpython" else 100)
        count = {"child": 0, "ike": 0}
        for who, what in (("we", "ike"), ("they", "child"), ("they", "ike"), ("we", "child"), ("we", "ike")):
            both.rekey(who, what)
            count[what] += 1
            rows = both.board.wait_for(f"{what}_rekeyed", count[what])
            assert rows[-1]["ours"] is (who == "we")
        both.end_pings()
        both.agree()


@pytest.mark.parametrize(
    ("ours", "event", "count"),
    [
        ("esp_rekey_time = 2\n", "child_rekeyed", 2),
        ("esp_rekey_packets = 20\n", "child_rekeyed", 3),
        ("esp_rekey_bytes = 2000\n", "child_rekeyed", 3),
        ("rekey_time = 2\n", "ike_rekeyed", 2),
    ],
)
def test_our_limits(gateway, tmp_path, ours, event, count):
    with tunnel(gateway, tmp_path, "cpython", "initiator", ours) as both:
        both.begin_pings(250)
        assert all(row["ours"] for row in both.board.wait_for(event, count))
        both.end_pings()


@pytest.mark.parametrize(
    ("theirs", "event", "count"),
    [
        ({"esp": PFS + "\n rekey_time = 1s\n life_time = 60s\n rand_time = 0"}, "child_rekeyed", 2),
        ({"esp": PFS + "\n rekey_packets = 20\n rand_packets = 0"}, "child_rekeyed", 2),
        ({"more": "rekey_time = 1s\n over_time = 60s\n rand_time = 0"}, "ike_rekeyed", 2),
    ],
    ids=["child-time", "child-packets", "ike-time"],
)
def test_their_limits(gateway, tmp_path, theirs, event, count):
    with tunnel(
        gateway, tmp_path, "cpython", "initiator", configuration={"esp": PFS}, **{"esp": PFS, **theirs}
    ) as both:
        both.begin_pings(200)
        assert not any(row["ours"] for row in both.board.wait_for(event, count))
        both.end_pings()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("who", SIDES)
def test_another_group_is_asked_for(gateway, tmp_path, who, role):
    """INVALID_KE_PAYLOAD in CREATE_CHILD_SA, whoever asks with the wrong group."""
    both_groups, one = "aes128-sha256-x25519-ecp256", "aes128-sha256-ecp256"
    ours, theirs = (both_groups, one) if who == "we" else (one, both_groups)
    with tunnel(gateway, tmp_path, "cpython", role, configuration={"esp": ours}, esp=theirs) as both:
        both.begin_pings(100)
        both.rekey(who, "child")
        (row,) = both.board.wait_for("child_rekeyed")
        both.end_pings()
        (up,) = [up for up in both.board.events("child_up") if up["spi_in"] == row["new"]]
        assert [4, 19, 0] in up["transforms"]
        direction = "generating" if who == "we" else "parsed"
        gateway.wait_for(rf"{direction} CREATE_CHILD_SA response \d+ \[ N\(INVAL_KE\) \]")
        both.agree()


# -- both at once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["child", "ike"])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("runtime", ["cpython", "vm"])
def test_both_replace_the_same_sa(gateway, tmp_path, runtime, role, what):
    """What strongSwan sends is lost until our request has met its own; then its request meets ours (section 2.8.1)."""
    changes = {"esp": PFS, "retransmit_ms": 4000}
    with tunnel(gateway, tmp_path, runtime, role, configuration=changes, esp=PFS) as both:
        for round in range(1, 4):
            both.cut("they")
            try:
                both.rekey("they", what)
                once = r"generating CREATE_CHILD_SA request \d+[\s\S]*"
                gateway.wait_for(f"({once}){{{round}}}")
                both.rekey("we", what)
                gateway.wait_for(f"({once}generating CREATE_CHILD_SA response[\\s\\S]*){{{round}}}")
            finally:
                both.mend("they")
            rows = both.board.wait_for(f"{what}_rekeyed", round)
            # a Delete of the old IKE SA may be faster than the response to our request, which is then forgotten
            assert rows[-1]["collision"] in ((1, 2) if what == "child" else (0, 1, 2))
            both.agree()
        both.begin_pings(10)
        both.end_pings()
        assert len(both.board.events(f"{what}_rekeyed")) == 3


@pytest.mark.parametrize(("ours", "theirs"), [("child", "child"), ("ike", "ike"), ("child", "ike"), ("ike", "child")])
@pytest.mark.parametrize("role", ROLES)
def test_both_at_once_and_one_is_faster(gateway, tmp_path, role, ours, theirs):
    """Nothing arrives until both requests were sent; then one exchange may be over before the other side's begins."""
    with tunnel(gateway, tmp_path, "cpython", role, configuration={"esp": PFS}, esp=PFS) as both:
        both.cut("we", "they")
        try:
            both.rekey("we", ours)
            both.rekey("they", theirs)
            gateway.wait_for(r"generating CREATE_CHILD_SA request \d+")
            both.board.wait_for("retransmit")
        finally:
            both.mend("we", "they")
        kinds = {ours, theirs} if ours == theirs else {"ike"}
        for what in kinds:
            both.board.wait_for(f"{what}_rekeyed")
        both.agree()
        both.begin_pings(10)
        both.end_pings()


@pytest.mark.parametrize("role", ROLES)
def test_both_in_quick_turn(gateway, tmp_path, role):
    """Without a wait for each other: whatever crosses, the traffic goes on and both ends agree afterwards."""
    with tunnel(gateway, tmp_path, "cpython", role, configuration={"esp": PFS}, esp=PFS) as both:
        both.begin_pings(400)
        for what in ("child", "ike", "child", "ike", "child"):
            both.rekey("we", what)
            both.rekey("they", what)
        both.end_pings()
        both.agree()
