"""What a boot leaves behind: the watchdog, the record of the last run, safe mode, and when a boot is a good one."""

import pytest

from tests.hal.chip import Chip, Reset
from uike import event, reason

MINUTE = 60_000


@pytest.fixture
def boot(chip, tmp_path):
    """One more boot, as the launcher counts it: a Life."""

    def make(provisioned=True, settings=None):
        boots = chip.memory[3] if chip.memory else 0
        rest = chip.memory[4:] or b"\0"
        chip.memory = b"uk1" + bytes((boots + 1,)) + rest
        life = chip.load("life")
        slots = chip.load("slots").Slots(str(tmp_path))
        return life.Life(settings or {}, provisioned, slots)

    make.folder = tmp_path
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
    life = boot(provisioned=False)
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
