"""The configuration file (TOML) of a device, checked by the device's own rules before it goes anywhere."""

import tomllib
from pathlib import Path

from host_tools import certificate_files, network_settings
from uike import config


class ConfigFileError(Exception):
    """The file is refused; the text names the file, the key, what is wrong and what is allowed."""


def read(path: Path) -> dict:
    """The connections of a configuration file, as the device stores them. Raises ConfigFileError."""
    return load(path)[0]


def load(path: Path) -> tuple[dict, dict]:
    """(connections, settings of the network), as the device stores both. Raises ConfigFileError."""
    try:
        tree, network = network_settings.split(tomllib.loads(path.read_text(encoding="utf-8")))
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
    return tree, network


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
