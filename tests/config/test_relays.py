"""[[relay]] tables: what they become, and what is refused."""

import pytest

from uike import config, relays

CONNECTION = {"hq": {"role": "initiator", "remote": "192.0.2.1", "local_id": "dev.example", "psk": "a key"}}
TABLE = {"listen": "0.0.0.0:1883", "to": "10.1.0.1:8883"}


def test_defaults_and_values():
    assert relays.load([TABLE]) == [
        ((bytes(4), 1883), (bytes((10, 1, 0, 1)), 8883), "lan", "tcp", 4, 0, 1_800_000),
    ]
    more = {**TABLE, "side": "tunnel", "protocol": "udp", "connections": 8, "rate": 2_000, "idle": 5}
    assert relays.load([more])[0][2:] == ("tunnel", "udp", 8, 2_000, 5_000)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"listen": None}, "listen"),
        ({"listen": "1883"}, "listen"),
        ({"listen": "0.0.0.0:0"}, "listen"),
        ({"listen": "0.0.0.0:65536"}, "listen"),
        ({"to": "broker.example:1883"}, "to"),
        ({"to": "0.0.0.0:1883"}, "to"),
        ({"side": "inside"}, "side"),
        ({"protocol": "sctp"}, "protocol"),
        ({"connections": 0}, "connections"),
        ({"connections": 9}, "connections"),
        ({"rate": -1}, "rate"),
        ({"idle": "long"}, "idle"),
        ({"speed": 1}, ""),
    ],
)
def test_what_is_refused(change, key):
    with pytest.raises(config.ConfigError) as caught:
        config.load({"connection": CONNECTION, "relay": [{**TABLE, **change}]})
    assert caught.value.key == ("[[relay]] 0 " + key).strip() and caught.value.allowed


@pytest.mark.parametrize("tables", [[], {}, "relay", [TABLE] * 5, [7]])
def test_what_is_no_list_of_relays(tables):
    with pytest.raises(config.ConfigError):
        config.load({"connection": CONNECTION, "relay": tables})


def test_a_configuration_with_one():
    assert [each.name for each in config.load({"connection": CONNECTION, "relay": [TABLE]})] == ["hq"]
