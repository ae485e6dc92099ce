"""The board as a whole, on a fake chip: speed, clock, LED, watchdog, and how it tells a good boot."""

import json
from binascii import crc32

import pytest

from host_tools import boards
from tests.hal.chip import Reset

MINUTE = 60_000


class Time:
    """MicroPython's time: since 2000, and ticks."""

    def __init__(self, chip):
        self.chip = chip

    def ticks_ms(self):
        return self.chip.now_ms & (1 << 30) - 1

    def sleep_ms(self, ms):
        self.chip.pass_ms(ms)

    def ticks_diff(self, later, earlier):
        return (later - earlier + (1 << 29)) % (1 << 30) - (1 << 29)

    def time(self):
        return (self.chip.time.year - 2000) * 31_557_600

    def gmtime(self, seconds=None):
        return (2000 if seconds == 0 else self.chip.time.year, 1, 1, 0, 0, 0, 0, 0)


@pytest.fixture
def make(chip, tmp_path, monkeypatch):
    """Boots a board: files of its store in, a Board out. Waiting passes the time."""

    def boot(name="esp32-generic", network=None, config=b"{}"):
        module, store = chip.load("board"), chip.load("store")
        files = {"board.json": boards.load(name).settings(), "network.json": network or {"wifi": {"ssid": "net"}}}
        files = {name: json.dumps(value).encode() for name, value in files.items()}
        if config:
            files["config.json"] = config
        directory = tmp_path / "store"
        directory.mkdir(exist_ok=True)
        for each, data in files.items():
            (directory / each).write_bytes(crc32(data).to_bytes(4, "big") + data)
        monkeypatch.setattr(module, "time", Time(chip))
        monkeypatch.setattr(chip.load("network"), "time", Time(chip))
        monkeypatch.setattr(module, "Store", lambda: store.Store(str(directory)))
        monkeypatch.setattr(module.select, "poll", lambda: Poll(chip))
        return module.Board()

    return boot


class Poll:
    def __init__(self, chip):
        self.chip = chip

    def register(self, *_):
        pass

    def poll(self, ms):
        self.chip.pass_ms(ms)
        return []


@pytest.mark.parametrize("name, hz", [("esp32-generic", 240_000_000), ("esp32-c3-generic", 160_000_000)])
def test_at_full_speed(make, chip, name, hz):
    make(name)
    assert chip.frequencies == [hz]


def test_a_board_that_does_not_say_takes_what_it_gets(make, chip, monkeypatch):
    monkeypatch.setattr(boards.Board, "settings", lambda self: {})
    module = chip.load("board")

    def freq(hz):
        if hz > 160_000_000:
            raise ValueError
        chip.frequencies.append(hz)

    import machine

    monkeypatch.setattr(machine, "freq", freq)
    make()
    assert chip.frequencies == [160_000_000] and module


def test_the_led_shows_what_the_board_does(make, chip):
    board = make()
    assert chip.pwm == {2: (1, 6_000)}
    board.wait(100)
    assert chip.pwm == {2: (1, 6_000)}  # no network
    chip.wlan.take("192.0.2.7")
    board.wait(100)
    assert chip.pwm == {2: (4, 32_768)}
    board.wait(100, [object()])
    assert chip.pwm == {2: (1_000, 65_535)}
    chip.wlan.take(None)
    board.wait(100)
    assert chip.pwm == {2: (1, 6_000)}


def test_an_led_that_is_lit_by_a_low_level_and_safe_mode(make, chip):
    chip.memory = b"uk1\x04\0"
    board = make("esp32-c3-generic")
    assert board.life.safe and chip.pwm == {8: (10, 32_767)}
    board.wait(100, [object()])
    assert chip.pwm == {8: (10, 32_767)}


def test_waiting_feeds_the_watchdog_and_a_minute_of_it_is_health(make, chip):
    chip.memory = b"uk1\x02\0"
    board = make()
    chip.wlan.take("192.0.2.7")
    while chip.now_ms < 2 * MINUTE:
        board.wait(None)
    assert chip.memory[3] == 0
    with pytest.raises(Reset):
        chip.pass_ms(MINUTE + 1)


def test_a_command_is_health_too(make, chip):
    chip.memory = b"uk1\x02\0"
    board = make()
    board.console.heard = True
    board.wait(100)
    assert chip.memory[3] == 0


def test_no_watchdog_before_there_is_a_configuration(make, chip):
    make(config=None)
    assert chip.dog is None
    make()
    assert chip.dog[0] == MINUTE


def test_time_servers_are_asked_in_order_when_the_time_is_first_wanted(make, chip):
    board = make(network={"ntp": ["a.example", "b.example"]})
    assert board.clock() is None and chip.time.servers == ["a.example", "b.example"]
    chip.time.answers = {"a.example": 2000, "b.example": 2027}  # the first one does not know it either
    assert board.clock() == 27 * 31_557_600 + 946_684_800
    board.clock()
    assert chip.time.servers == 2 * ["a.example", "b.example"]  # it is known now


def test_no_time_server(make, chip):
    assert make(network={"ntp": []}).clock() is None and chip.time.servers == []
    assert make().clock() is None and chip.time.servers == ["pool.ntp.org"]


def test_mending_makes_sockets_and_network_anew(make, chip, monkeypatch):
    board = make()
    opened = []
    monkeypatch.setattr(board.udp, "_bind", lambda port: opened.append(port) or board.udp._sockets.update({port: None}))
    board.udp.open((500, 4500))
    del chip.wlan.calls[:]
    board.mend()
    assert opened == [500, 4500, 500, 4500]
    assert chip.wlan.calls == [("disconnect",), ("connect", "net", None)]


def test_mending_without_sockets_to_have_is_tried_again_later(make, chip, monkeypatch):
    board = make()

    def bind(port):
        raise OSError(23)

    monkeypatch.setattr(board.udp, "_bind", bind)
    board.udp._sockets = {500: None}
    board.mend()
    assert board.udp.ports() == [500]


@pytest.mark.parametrize("error", [OSError(5), MemoryError()])
def test_waiting_goes_on_when_it_cannot_be_waited(make, chip, monkeypatch, error):
    """`poll` says EIO when lwIP has no memory to look at its sockets."""
    board = make()

    def poll(_, ms):
        raise error

    monkeypatch.setattr(Poll, "poll", poll)
    before = chip.now_ms
    board.wait(100)
    board.wait(None)
    board.wait(3)
    assert chip.now_ms - before == 23


def test_the_memory_is_shared_once_there_is_an_address(make, chip, monkeypatch):
    board = make()
    told = []
    monkeypatch.setattr(chip.load("share"), "settle", lambda: told.append(chip.wlan.isconnected()) or [[None]])
    assert board.link() is None and not told
    chip.wlan.take("192.0.2.7")
    assert board.link() == board.link() == "192.0.2.7" and told == [True] and board._areas == [[None]]


@pytest.mark.parametrize("error", [OSError(23), MemoryError()])
def test_no_memory_to_share_it(make, chip, monkeypatch, error):
    board = make()

    def settle():
        raise error

    monkeypatch.setattr(chip.load("share"), "settle", settle)
    chip.wlan.take("192.0.2.7")
    assert board.link() == "192.0.2.7"


def test_time_goes_on_when_the_ticks_wrap(make, chip):
    chip.now_ms = (1 << 30) - 500
    board = make()
    chip.now_ms += 1_000
    assert board.now() == 1_000
