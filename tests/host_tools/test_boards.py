"""The board files, and what is refused in one."""

import json
import tomllib

import pytest
from click.testing import CliRunner

from host_tools import boards
from host_tools.cli import main
from host_tools.emulate import command as emulate

WANTED = {
    *("esp32-generic", "esp32-spiram", "esp32-s3-generic", "esp32-c3-generic", "esp32-c6-generic"),
    *("wt32-eth01", "olimex-esp32-poe", "emulated"),
}
GOOD = (boards.DIRECTORY / "wt32-eth01" / "board.toml").read_text()


def test_every_board_is_sound():
    assert set(boards.names()) == WANTED
    for name in boards.names():
        board = boards.load(name)
        assert board.name == name and (board.march is None) == (board.chip == "emulated")


@pytest.mark.parametrize("name", sorted(WANTED))
def test_proposals_are_in_the_order_of_what_they_cost(name):
    """CBC with SHA-256 first, the engines' own; the first group is the cheapest of 128-bit strength, MODP last."""
    board = boards.load(name)
    for words in (board.proposals[0], board.esp_proposals[0]):
        assert words.startswith("aes128-") and "sha256" in words
    for words in board.proposals:
        order = [word for word in words.split("-") if word in ("x25519", "ecp256", "modp2048")]
        assert order == (["ecp256", "x25519"] if "ecc" in board.accelerators else ["x25519", "ecp256"]) + ["modp2048"]


def written(tmp_path, text):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "board.toml").write_text(text)
    return boards.load("mine", tmp_path)


def test_a_board_of_ones_own(tmp_path):
    board = written(tmp_path, GOOD)
    assert (board.ethernet.mdc, board.ethernet.clock, board.led_pin) == (23, "in", None)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('chip = "esp32"', 'chip = "esp8266"', "chip: esp8266; allowed: esp32, "),
        ('chip = "esp32"', "", "chip: missing"),
        ("flash_mb = 4", "flash_mb = 3", "flash_mb: 2, 4, 8"),
        ("flash_mb = 4", 'flash_mb = "4"', "flash_mb: not int"),
        ('heap = "161k"', 'heap = "big"', 'heap: kilobytes, as in "111k"'),
        ('"mpi"]', '"npu"]', "accelerators: of aes, ecc, mpi, sha"),
        ("mdc = 23", "mcd = 23", "[ethernet] mcd: unknown; allowed: phy, "),
        ('clock = "in"', 'clock = "up"', '[ethernet] clock: "in" or "out"'),
        ('sha256 = "a', 'sha256 = "x', "[micropython] sha256: 64 hexadecimal digits"),
        ("mhz = 240", "mhz = 300", "mhz: a frequency that the chip has"),
        ('"LAN8720"', '"LAN9999"', "[ethernet] phy: one of LAN8710, LAN8720"),
        ("[micropython]", "[python]", "python: unknown; allowed: name, title"),
        ("-modp2048", "-modp123", "proposals: "),
        ("title", "ti tle", "Expected '='"),
    ],
)
def test_what_is_refused(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(boards.BoardError, match="board.toml: ") as caught:
        written(tmp_path, GOOD.replace(old, new))
    assert said in str(caught.value)


def test_a_connection_without_proposals_gets_the_board_s():
    board = boards.load("esp32-c6-generic")
    tree = board.complete({"connection": {"a": {"psk": "x"}, "b": {"proposals": ["aes128-sha256-x25519"]}}})
    assert tree["connection"]["a"] == {
        "psk": "x", "proposals": board.proposals, "esp_proposals": board.esp_proposals,
    }  # fmt: skip
    assert tree["connection"]["b"]["proposals"] == ["aes128-sha256-x25519"]


def test_the_list():
    outcome = CliRunner().invoke(main, ["boards", "--json"])
    assert outcome.exit_code == 0 and set(json.loads(outcome.stdout)) == WANTED
    outcome = CliRunner().invoke(main, ["boards"])
    assert outcome.exit_code == 0 and all(name in outcome.stdout for name in WANTED)
    assert "1.28.0 (unchecked)" in outcome.stdout  # nobody has checked the C6's image


def test_an_unknown_board_is_refused():
    outcome = CliRunner().invoke(emulate, ["--board", "esp8266"])
    assert outcome.exit_code == 2 and "no board esp8266; there are emulated, " in outcome.stderr


def test_the_files_hold_nothing_that_is_not_read():
    for name in boards.names():
        tree = tomllib.loads((boards.DIRECTORY / name / "board.toml").read_text())
        board = boards.load(name)
        assert all(getattr(board, key) is not None for key in tree)
