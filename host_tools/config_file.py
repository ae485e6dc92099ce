"""The configuration file (TOML) of a device, checked by the device's own rules before it goes anywhere."""

import tomllib
from pathlib import Path

from uike import config


class ConfigFileError(Exception):
    """The file is refused; the text names the file, the key, what is wrong and what is allowed."""


def read(path: Path) -> dict:
    """The tree of a configuration file, as the device stores it. Raises ConfigFileError."""
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        config.load(tree)
    except OSError as error:
        raise ConfigFileError(f"{path}: {error.strerror or error}") from error
    except config.ConfigError as error:
        raise ConfigFileError(f"{path}: {describe(error)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigFileError(f"{path}: {error}") from None
    except RecursionError:
        raise ConfigFileError(f"{path}: nested too deeply") from None
    return tree


def describe(error: config.ConfigError) -> str:
    """A ConfigError in one line."""
    return f"{error.key}: {error.problem}" + (f"; allowed: {error.allowed}" if error.allowed else "")
