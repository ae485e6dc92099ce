"""The file of the configuration: refused with its name, the key, what is wrong and what is allowed."""

import pytest

from host_tools import config_file

GOOD = """
[connection.hq]
role = "initiator"
remote = "192.0.2.1"
local_id = "dev.example"
psk = "a key that nobody guesses"
"""


def read(tmp_path, text):
    path = tmp_path / "board.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return config_file.read(path)


def refused(tmp_path, text):
    with pytest.raises(config_file.ConfigFileError) as caught:
        read(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(str(tmp_path / "board.toml") + ": ")
    return said


def test_a_good_file(tmp_path):
    assert read(tmp_path, GOOD)["connection"]["hq"]["remote"] == "192.0.2.1"


def test_a_bad_value(tmp_path):
    said = refused(tmp_path, GOOD + 'virtual_ip = "yes"\n')
    assert said.endswith("[connection.hq] virtual_ip: bad value; allowed: true or false")


def test_an_unknown_key(tmp_path):
    assert "[connection.hq] remot_id: unknown; allowed: auth_lifetime, child, childless, cookie_threshold, " in refused(
        tmp_path, GOOD + 'remot_id = "gw"\n'
    )


@pytest.mark.parametrize(
    "text", ["[connection.hq", "\xff".encode("latin-1"), "", 'psk = "hunter2"', "x = " + "[" * 5000]
)
def test_not_a_configuration(tmp_path, text):
    assert "hunter2" not in refused(tmp_path, text)


def test_a_missing_file(tmp_path):
    with pytest.raises(config_file.ConfigFileError, match="No such file"):
        config_file.read(tmp_path / "none.toml")
