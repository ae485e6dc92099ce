"""Wi-Fi and Ethernet on interfaces as MicroPython's: joined, lost, joined anew."""

import dataclasses

import pytest

from host_tools import boards

WIFI = {"wifi": {"ssid": "net", "password": "not so secret", "country": "DE", "hostname": "gw-7"}}


@pytest.fixture
def made(chip, monkeypatch):
    """A Network of these settings, and time under our hand."""
    module = chip.load("network")
    monkeypatch.setattr(module.time, "ticks_ms", lambda: chip.now_ms, raising=False)
    monkeypatch.setattr(module.time, "ticks_diff", lambda later, earlier: later - earlier, raising=False)
    return lambda settings, ethernet=None: module.Network(settings, ethernet)


def test_wifi(made, chip):
    network = made(WIFI)
    assert (chip.country, chip.hostname) == ("DE", "gw-7")
    assert chip.wlan.options == {"pm": 0} and network.radio()
    assert chip.wlan.calls == [("active", True), ("connect", "net", "not so secret")]
    assert network.address() is None
    chip.wlan.take("192.0.2.7")
    assert network.address() == "192.0.2.7"


def test_an_open_network_and_a_static_address(made, chip):
    network = made({"wifi": {"ssid": "open"}, "static": ["192.0.2.9", "255.255.255.0", "192.0.2.1", "192.0.2.1"]})
    assert chip.wlan.calls[-1] == ("connect", "open", None)
    chip.wlan.take("0.0.0.0")
    assert network.address() == "192.0.2.9"


@pytest.mark.parametrize("name, power, clock", [("wt32-eth01", 16, (0, 1)), ("olimex-esp32-poe", 12, (17, 3))])
def test_ethernet_with_the_pins_of_the_board_file(made, chip, name, power, clock):
    network = made({}, boards.load(name).settings()["ethernet"])
    (lan,) = chip.lans
    pins = {key: value.number for key, value in lan.options.items() if hasattr(value, "number")}
    assert pins == {"mdc": 23, "mdio": 18, "power": power, "ref_clk": clock[0]}
    assert lan.options["ref_clk_mode"] == clock[1] and lan.options["phy_type"] == 5
    assert lan.up and network.radio()  # the radio feeds the generator
    lan.take("192.0.2.8")
    assert network.address() == "192.0.2.8" and not [call for call in chip.wlan.calls if call[0] == "connect"]


def test_wifi_wins_where_it_is_configured(made, chip):
    made(WIFI, dataclasses.asdict(boards.load("wt32-eth01").ethernet))
    assert not chip.lans and chip.wlan.calls[-1][0] == "connect"


def test_a_phy_that_the_image_does_not_know(made):
    with pytest.raises(ValueError):
        made({}, {**boards.load("wt32-eth01").settings()["ethernet"], "phy": "RTL8201"})


def test_a_network_that_stays_away_is_joined_anew_each_minute(made, chip):
    network = made(WIFI)
    del chip.wlan.calls[:]
    for _ in range(5 * 600 + 1):
        assert network.address() is None
        chip.now_ms += 100
    again = [("disconnect",), ("connect", "net", "not so secret")]
    radio = [("active", False), ("active", True), ("connect", "net", "not so secret")]
    assert chip.wlan.calls == 4 * again + radio
    chip.wlan.take("192.0.2.7")
    assert network.address() == "192.0.2.7"
    chip.wlan.take(None)
    chip.now_ms += 59_000
    del chip.wlan.calls[:]
    assert network.address() is None and not chip.wlan.calls  # counted from when it was lost


def test_a_driver_in_the_middle_of_something_is_left_alone(made, chip, monkeypatch):
    network = made(WIFI)

    def busy(*_):
        raise OSError("Wifi Internal State Error")

    monkeypatch.setattr(chip.wlan, "connect", busy)
    network.mend()
    assert network.radio()


def test_ethernet_goes_off_and_on(made, chip):
    network = made({}, boards.load("wt32-eth01").settings()["ethernet"])
    network.mend()
    assert chip.lans[0].calls == [("active", True), ("active", False), ("active", True)]
