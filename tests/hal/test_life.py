"""What a boot leaves behind: the watchdog, the record of the last run, safe mode, and when a boot is a good one."""

import os
from types import SimpleNamespace

import pytest

from tests.hal.chip import Chip, Reset
from uike import event, reason
from uike.hal.esp32 import change
from uike.hal.esp32.store import Store

MINUTE = 60_000


@pytest.fixture
def boot(chip, tmp_path):
    """One more boot, as the launcher counts it: a Life."""

    store = Store(str(tmp_path / "store"))
    store.write("config.json", b"{}")

    def make(settings=None):
        boots = chip.memory[3] if chip.memory else 0
        rest = chip.memory[4:] or b"\0"
        chip.memory = b"uk1" + bytes((boots + 1,)) + rest
        life = chip.load("life")
        return life.Life(settings or {}, store, str(tmp_path))

    make.folder, make.store = tmp_path, store
    return make


def told(life):
    said = []
    life.tell(lambda code, sa, body: said.append((code, body)))
    return said


def test_the_watchdog_bites_unless_it_is_fed(boot, chip):
    life = boot()
    for _ in range(10):
        chip.pass_ms(59_000)
        life.feed()
    with pytest.raises(Reset):
        chip.pass_ms(61_000)
    again = boot()
    assert told(again) == [(event.BOOT, bytes((Chip.WDT_RESET, 2, reason.WATCHDOG)))]


def test_without_a_configuration_there_is_none(boot, chip):
    os.remove(boot.folder / "store" / "config.json")
    for _ in range(5):  # a developer who resets it is no failure either
        assert not boot().safe
    life = boot()
    life.feed()
    chip.pass_ms(10 * MINUTE)
    assert chip.dog is None


def test_a_minute_of_turning_makes_a_boot_a_good_one(boot, chip):
    life = boot()
    life.turn(59_999, "192.0.2.2", ())
    assert chip.memory[3] == 1
    life.turn(60_000, "192.0.2.2", ())
    assert chip.memory[3] == 0


def test_a_tunnel_does_so_at_once(boot, chip):
    boot().turn(900, "192.0.2.2", [object()])
    assert chip.memory[3] == 0


def test_three_failed_boots_lead_to_safe_mode_and_a_retry_out_of_it(boot, chip):
    assert [boot().safe for _ in range(4)] == [False, False, False, True]
    life = boot()
    assert told(life)[1] == (event.SAFE_MODE, bytes((5, 0)))
    life.turn(10 * MINUTE, None, True)  # what runs there proves nothing
    assert chip.memory[3] == 5
    with pytest.raises(Reset):
        life.retry()
    assert not boot().safe and boot().safe


def test_a_power_cycle_is_no_failed_boot(boot, chip):
    for _ in range(6):
        chip.power_on()
        assert not boot().safe


@pytest.mark.parametrize("pin", [13, 34])
def test_a_strap_pin(boot, chip, pin):
    assert not boot(settings={"safe_pin": pin}).safe
    chip.levels[pin] = 0
    life = boot(settings={"safe_pin": pin})
    assert life.safe and told(life)[1] == (event.SAFE_MODE, bytes((2, 1)))


def test_a_restart_is_explained_once(boot, chip):
    with pytest.raises(Reset):
        boot().restart(reason.NO_TUNNEL, b"hq")
    life = boot()
    assert told(life) == [(event.BOOT, bytes((Chip.HARD_RESET, 2, reason.NO_TUNNEL)) + b"hq")]
    assert told(boot()) == [(event.BOOT, bytes((Chip.HARD_RESET, 3, 0)))]


def test_how_a_run_crashed_is_kept_and_how_it_was_restarted_is_not(boot, chip):
    for why, kept in (
        (reason.RESTART_ASKED, None),
        (reason.NO_TUNNEL, b"\x02\x03" + bytes((reason.NO_TUNNEL,)) + b"x"),
    ):
        with pytest.raises(Reset):
            boot().restart(why, b"x")
        life = boot()
        chip.memory = chip.memory[:3] + b"\x01\0"
        told(life)
        assert life.crash() == kept
    chip.power_on()
    told(boot())
    assert boot().crash() == kept


def test_an_erased_board_has_no_configuration(boot, chip, monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda path: (4096, 4096, 512, 16, 16))
    life = boot()
    board = SimpleNamespace(store=boot.store, life=life)
    change.erase(board)
    assert not boot.store.has("config.json")
    with pytest.raises(Reset):
        change.restart(board)
    chip.cause = Chip.HARD_RESET
    assert told(boot())[0][1][2] == reason.RESTART_ASKED


def test_two_hours_without_a_network(boot, chip):
    life = boot()
    life.turn(1_000, "192.0.2.2", ())
    life.turn(7_200_999, None, ())
    with pytest.raises(Reset):
        life.turn(7_201_000, None, ())
    assert chip.memory[4:] == bytes((reason.NO_TUNNEL,)) + b"no network"


def test_a_version_on_trial_must_do_more_than_turn(boot, chip):
    (boot.folder / "slot").write_text("b 1")
    life = boot()
    life.turn(MINUTE, "192.0.2.2", ())
    assert (boot.folder / "slot").read_text() == "b 1"
    with pytest.raises(Reset):
        life.turn(10 * MINUTE, "192.0.2.2", ())
    assert chip.memory[4] == reason.UPDATE_UNHEALTHY
    life, said = boot(), []
    life.tell(lambda code, sa, body: said.append((code, body)))
    life.turn(30_000, "192.0.2.2", [object()])
    assert (boot.folder / "slot").read_text() == "b" and said[1:] == [(event.UPDATE, b"\x03")]
    life.turn(20 * MINUTE, "192.0.2.2", ())
