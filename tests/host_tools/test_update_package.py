"""`uike update`: keys, packages, and what is refused in one."""

import stat

import pytest
from click.testing import CliRunner

from host_tools import update_package
from host_tools.cli import main


def run(*words):
    return CliRunner().invoke(main, ["update", *map(str, words)])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(key file, package file)."""
    folder = tmp_path_factory.mktemp("update")
    key, output = folder / "update.pem", folder / "new.uike"
    assert run("--new-key", key).exit_code == 0
    outcome = run("--make", "esp32-generic", "--number", 7, "--version", "0.2.0", "--key", key, "-o", output)
    assert outcome.exit_code == 0, outcome.output
    return key, output


def test_a_key_is_its_owners(made):
    key, _ = made
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    outcome = run("--new-key", key)
    assert outcome.exit_code == 2 and "File exists" in outcome.stderr
    assert "PRIVATE" not in outcome.output


def test_a_package_has_the_application_and_neither_launcher_nor_store(made):
    key, output = made
    package = update_package.parse(output.read_bytes())
    assert package.told == {**package.told, "number": 7, "version": "0.2.0", "platform": "esp32", "machine": 10}
    assert {"main.mpy", "uike/endpoint.mpy", "uike/hal/esp32/board.mpy"} <= set(package.files)
    assert not [path for path in package.files if path.startswith(("boot", "store", "uike_start"))]
    package.check(update_package.public_key(key))
    assert update_package.parse(update_package.dump(package)) == package


def test_what_is_in_one(made):
    key, output = made
    outcome = run("--show", output, "--key", key)
    assert outcome.exit_code == 0 and '"number": 7' in outcome.output and "signed by that key" in outcome.output
    assert "unchecked" in run("--show", output).output


@pytest.mark.parametrize("at", [20, 300, -1])
def test_a_change_is_seen(made, tmp_path, at):
    key, output = made
    data = bytearray(output.read_bytes())
    data[at] ^= 1
    changed = tmp_path / "changed.uike"
    changed.write_bytes(data)
    assert run("--show", changed, "--key", key).exit_code == 2


@pytest.mark.parametrize("size", [0, 10, 17, 200, -1])
def test_a_package_that_is_cut_off(made, size):
    with pytest.raises(update_package.PackageError):
        update_package.parse(made[1].read_bytes()[:size])


def test_wrong_use(made, tmp_path):
    key, output = made
    other = tmp_path / "other.pem"
    run("--new-key", other)
    for words, said in (
        ((), "one of --new-key"),
        (("--make", "esp32-generic"), "--make needs --number"),
        (("--make", "emulated", "--number", 1, "--key", key, "-o", tmp_path / "x"), "has no flash"),
        (("--make", "esp32-generic", "--number", 1, "--key", output, "-o", tmp_path / "x"), "no Ed25519 key"),
        (("--show", key), "not a package"),
        (("--show", output, "--key", other), "not signed by that key"),
    ):
        outcome = run(*words)
        assert outcome.exit_code == 2 and said in outcome.stderr, words
