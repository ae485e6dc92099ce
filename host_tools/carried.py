"""What stands beside this package in the repository, and in it once a wheel is installed: firmware/ and boards/."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder `name` of the repository."""
    installed = _HERE / "carried" / name
    return installed if installed.is_dir() else _HERE.parent / name
