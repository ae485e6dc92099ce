"""The configuration file (TOML) of a device, checked by the device's own rules before it goes anywhere."""

import json
import tomllib
from pathlib import Path
from typing import NamedTuple

from host_tools import admin, certificate_files, device_settings, network_settings
from uike import config


class ConfigFileError(Exception):
    """The file is refused; the text names the file, the key, what is wrong and what is allowed."""


class Device(NamedTuple):
    """All that a file says of a device. `secret` is the admin's, None when the file has none."""

    tree: dict
    network: dict
    relays: list
    secret: str | None

    def blobs(self) -> dict[str, bytes]:
        """What goes into the device's store, by name. Without a secret the one that the device has stays."""
        values = (("config.json", self.tree), ("network.json", self.network), ("relay.json", self.relays))
        found = {name: json.dumps(value, separators=(",", ":")).encode() for name, value in values}
        return found if self.secret is None else {**found, "admin": admin.key(self.secret)}


def read(path: Path) -> dict:
    """The connections of a configuration file, as the device stores them. Raises ConfigFileError."""
    return load(path).tree


def load(path: Path, text: str | None = None) -> Device:
    """What a configuration file says, as the device stores it; or what `text` says, in its place. ConfigFileError."""
    try:
        text = path.read_text(encoding="utf-8") if text is None else text
        tree, network = network_settings.split(tomllib.loads(text))
        tree, relays, secret = device_settings.split(tree)
        tree = _with_files(tree, path.parent)
        config.load(tree)
    except OSError as error:
        raise ConfigFileError(f"{path}: {error.strerror or error}") from error
    except (certificate_files.CertificateFileError, network_settings.NetworkError) as error:
        raise ConfigFileError(f"{path}: {error}") from None
    except config.ConfigError as error:
        raise ConfigFileError(f"{path}: {describe(error)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigFileError(f"{path}: {error}") from None
    except RecursionError:
        raise ConfigFileError(f"{path}: nested too deeply") from None
    return Device(tree, network, relays, secret)


def _with_files(tree: dict, directory: Path) -> dict:
    """The tree with the certificates that its connections name."""
    tables = tree.get("connection")
    if not isinstance(tables, dict):
        return tree
    embed = certificate_files.embed
    tables = {name: embed(table, directory) if isinstance(table, dict) else table for name, table in tables.items()}
    return {**tree, "connection": tables}


def describe(error: config.ConfigError) -> str:
    """A ConfigError in one line."""
    return f"{error.key}: {error.problem}" + (f"; allowed: {error.allowed}" if error.allowed else "")
